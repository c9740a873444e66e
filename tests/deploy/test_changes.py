"""What a changed value changes: pods that read it start anew, others stay, Jobs get new names."""

from typing import Any

import pytest

from tests.deploy.chart import RELEASE, render, scenario_values
from tests.deploy.documents import Document, Rendered
from tests.deploy.test_bad_values import over


def pods(rendered: Rendered) -> dict[str, Document]:
    """Component -> pod template, of what serves."""
    return {pod.component: pod.template for pod in rendered.pods if pod.serves}


def changed(base: str, changes: Document) -> set[str]:
    """Components whose pods an upgrade would replace."""
    before, after = (pods(render(over(scenario_values(base), given))) for given in ({}, changes))
    return {component for component in before | after if before.get(component) != after.get(component)}


_ALL = {"gateway", "queue", "dialer", "crm-sync"}


CHANGES: list[tuple[Document, set[str]]] = [
    ({}, set()),
    ({"settings": {"LEADLINE_LEASE_SECONDS": 40}}, _ALL),
    ({"campaigns": "campaigns: [{name: other}]"}, {"queue", "dialer"}),
    ({"image": {"digest": "", "tag": "9.9.9"}}, _ALL),
    ({"dialer": {"settings": {"LEADLINE_DIALER_CONCURRENCY": 60}}}, {"dialer"}),
    ({"gateway": {"podAnnotations": {"a": "b"}}}, {"gateway"}),
    ({"dialer": {"replicas": 9}}, set()),
    ({"sweep": {"schedule": "1 * * * *"}}, set()),
    ({"networkPolicy": {"enabled": False}}, set()),
    ({"monitoring": {"podMonitor": {"interval": "60s"}}}, set()),
]


@pytest.mark.parametrize(("changes", "replaced"), CHANGES, ids=[str(changes) for changes, _ in CHANGES])
def test_pods_that_read_it_start_anew(changes: Document, replaced: set[str]) -> None:
    assert changed("live", changes) == replaced


@pytest.mark.parametrize(("base", "component"), [("argo", "migrate"), ("argo", "backfill")])
def test_a_job_that_does_something_else_has_another_name(base: str, component: str) -> None:
    before, same, after = (
        _job(render(over(scenario_values(base), changes)), component)
        for changes in ({}, {"sweep": {"suspend": True}}, {"image": {"tag": "9.9.9"}})
    )
    assert before == same
    assert before["metadata"]["name"] != after["metadata"]["name"]


def _job(rendered: Rendered, component: str) -> Document:
    return next(
        job for job in rendered.of("Job") if job["metadata"]["labels"]["app.kubernetes.io/component"] == component
    )


def test_values_of_a_workload_win_over_the_common_ones() -> None:
    common = {"nodeSelector": {"a": "b"}, "settings": {"LEADLINE_LOG_LEVEL": "debug"}, "priorityClassName": "low"}
    own = {"priorityClassName": "high", "settings": {"LEADLINE_LOG_LEVEL": "error"}}
    rendered = render(over(scenario_values("minimal"), {"defaults": common, "gateway": own}))
    gateway, dialer = (rendered.component(name)[0] for name in ("gateway", "dialer"))
    assert (gateway.spec["priorityClassName"], dialer.spec["priorityClassName"]) == ("high", "low")
    assert gateway.spec["nodeSelector"] == dialer.spec["nodeSelector"] == {"a": "b"}
    assert {"name": "LEADLINE_LOG_LEVEL", "value": "error"} in gateway.main["env"]


def test_a_release_that_begins_with_a_digit_has_names_that_services_may_have() -> None:
    rendered = render(scenario_values("minimal"), "7days.a-week")
    assert {str(found["metadata"]["name"]).rpartition("-")[0] for found in rendered.of("Service")} == {
        "leadline-7days-a-week"
    }


def test_names_begin_with_what_values_say() -> None:
    rendered = render(over(scenario_values("minimal"), {"fullnameOverride": "redial", "nameOverride": "calls"}))
    assert {document["metadata"]["name"].split("-")[0] for document in rendered.documents} == {"redial"}
    labels = {document["metadata"]["labels"]["app.kubernetes.io/name"] for document in rendered.documents}
    assert labels == {"calls"}


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({}, "ghcr.io/leadline/leadline:0.1.0"),
        ({"image": {"tag": "1.2.3"}}, "ghcr.io/leadline/leadline:1.2.3"),
        ({"image": {"registry": ""}}, "leadline/leadline:0.1.0"),
        ({"global": {"imageRegistry": "mirror:5000"}}, "mirror:5000/leadline/leadline:0.1.0"),
        ({"image": {"digest": f"sha256:{'a' * 64}"}}, f"ghcr.io/leadline/leadline@sha256:{'a' * 64}"),
        ({"image": {"tag": "1", "digest": f"sha256:{'a' * 64}"}}, f"ghcr.io/leadline/leadline:1@sha256:{'a' * 64}"),
    ],
    ids=str,
)
def test_the_image_is_the_one_that_values_name(image: Document, expected: str) -> None:
    rendered = render(over(scenario_values("minimal"), image))
    assert {container["image"] for pod in rendered.pods for container in pod.containers} == {expected}


def test_all_that_is_optional_can_be_off() -> None:
    kinds = {document["kind"] for document in render(scenario_values("bare")).documents}
    optional = {"NetworkPolicy", "PodDisruptionBudget", "Job", "Pod", "Ingress", "HTTPRoute", "HorizontalPodAutoscaler"}
    assert not kinds & {*optional, "ScaledObject", "PodMonitor", "PrometheusRule", "ClusterRoleBinding", "StatefulSet"}


def test_objects_of_the_user_are_rendered_too() -> None:
    """And what is a template in them is evaluated."""
    from tests.deploy.chart import NAMESPACE, chart

    files = chart().render(scenario_values("argo"), name=RELEASE, namespace=NAMESPACE)
    added: Any = next(text for path, text in files.items() if "extra-objects" in path)
    assert f"name: '{RELEASE}-more'" in added or f"name: {RELEASE}-more" in added


def test_a_label_that_stands_in_two_places_is_written_once() -> None:
    """The workload's own wins over the common one, and nobody's over those that selectors stand on."""
    common = {"team": "sales", "app.kubernetes.io/instance": "mine", "helm.sh/chart": "mine"}
    own = {"podLabels": {"team": "calls", "app.kubernetes.io/component": "mine"}}
    rendered = render(over(scenario_values("minimal"), {"commonLabels": common, "gateway": own}))
    gateway, dialer = (rendered.component(name)[0] for name in ("gateway", "dialer"))
    assert (gateway.labels["team"], dialer.labels["team"]) == ("calls", "sales")
    assert gateway.owner["spec"]["selector"]["matchLabels"].items() <= gateway.labels.items()
    assert {document["metadata"]["labels"]["app.kubernetes.io/instance"] for document in rendered.documents} == {
        RELEASE
    }
