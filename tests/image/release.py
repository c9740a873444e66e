"""One release of the chart, all of it running: what a test may ask of it."""

import json
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.image.chart import DEV_VALUES, image_values, rendered
from tests.image.database import database
from tests.image.kubelet import Kubelet, RunningPod, kubelets
from tests.image.pods import Pod, pod_of, pod_template
from tests.image.rendered import Manifest, Rendered, labels_of

_ANSWER_SECONDS = 30


@dataclass
class Release:
    """What `helm install` made, with the pods that run."""

    kubelet: Kubelet
    objects: Rendered
    pods: dict[str, RunningPod] = field(default_factory=dict)
    """The pods of Deployments, by component."""

    def start(self) -> None:
        """As Helm and a cluster do it: hooks first, then everything at once, where init containers wait."""
        self.run("Job", "migrate", "leadline-migrate-1")
        deployments = list(self.objects.of_kind("Deployment"))
        pods = [self._pod(deployment, deployment["metadata"]["name"]) for deployment in deployments]
        with ThreadPoolExecutor(len(pods)) as starting:
            for deployment, running in zip(deployments, starting.map(self.kubelet.start, pods), strict=True):
                self.pods[labels_of(deployment)["app.kubernetes.io/component"]] = running

    def run(self, kind: str, component: str, name: str, environment: Mapping[str, str] | None = None) -> str:
        """Run one pod of a Job, a CronJob or a test to its end; what it wrote. `environment` as `kubectl set env`."""
        workload = self.objects.by_component(kind, component)
        return self.kubelet.run_to_end(self._pod(workload, name, environment))

    def _pod(self, workload: Manifest, name: str, environment: Mapping[str, str] | None = None) -> Pod:
        template = pod_template(workload)
        if environment:
            given = [{"name": key, "value": value} for key, value in environment.items()]
            container = template["spec"]["containers"][0]
            container = container | {"env": [*container["env"], *given]}
            template = template | {"spec": template["spec"] | {"containers": [container]}}
        return pod_of(name, template, self.objects)

    def secret(self, name: str, key: str) -> str:
        """A Secret of the chart's."""
        return self.objects.secret(name)[key]

    def ask(self, component: str, path: str, token: str | None = None, body: object = None, **headers: str) -> Any:
        """JSON from a pod's http port; `body` makes it a POST. Raises HTTPError."""
        url = f"http://127.0.0.1:{self.pods[component].port('http')}{path}"
        said = {"Content-Type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        if token is not None:
            said["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(
            urllib.request.Request(url, data=data, headers=said), timeout=_ANSWER_SECONDS
        ) as response:
            return json.load(response)


@contextmanager
def installed(image: str) -> Iterator[Release]:
    """`helm install` with a database's URL, on a node of its own."""
    with kubelets() as kubelet, database(kubelet, image) as url:
        values = {"image": image_values(image), "database": {"mode": "external", "url": url}}
        release = Release(kubelet, rendered(values, DEV_VALUES))
        release.start()
        yield release
