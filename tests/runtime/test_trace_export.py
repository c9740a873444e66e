"""Where spans go: nowhere without an endpoint; of a lead all or none; a collector that is away costs one line."""

import io
import json
import logging
import random
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import Link, SpanContext, TraceFlags

from leadline.runtime.logging import configure_logging
from leadline.runtime.settings import SettingsError, load
from leadline.runtime.settings.trace_parts import TracingPart
from leadline.runtime.trace_export import LeadSampler, PatientExporter, traces_exported
from leadline.runtime.tracing import is_exporting, resource_of, span
from tests.support.environment import clean_environ
from tests.support.spans import tracing_restored


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    made = io.StringIO()
    configure_logging("test", log_format="json", stream=made)
    yield made
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def part(**environ: str) -> TracingPart:
    return load(TracingPart, environ)


def test_the_standards_variables_say_where() -> None:
    assert part().traces_url is None
    assert part(OTEL_EXPORTER_OTLP_ENDPOINT="http://collector:4318/").traces_url == "http://collector:4318/v1/traces"
    own = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://traces.example/otlp"}
    assert part(OTEL_EXPORTER_OTLP_ENDPOINT="http://collector:4318", **own).traces_url == "https://traces.example/otlp"


@pytest.mark.parametrize(
    ("name", "value"),
    [("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"), ("OTEL_TRACES_SAMPLER_ARG", "1.5")],
)
def test_what_cannot_be_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load(TracingPart, {name: value})


def test_other_variables_of_the_standard_are_not_ours_to_refuse() -> None:
    assert part(OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer x", OTEL_SERVICE_NAME="x").traces_url is None


def test_without_an_endpoint_no_exporter_is_even_loaded() -> None:
    check = (
        "import sys, threading\n"
        "from leadline.runtime.settings.trace_parts import TracingPart\n"
        "from leadline.runtime.trace_export import traces_exported\n"
        "from leadline.runtime.tracing import current_ids, span\n"
        "with traces_exported('test', TracingPart()), span('dial'):\n"
        "    assert current_ids() is not None\n"
        "    assert threading.active_count() == 1\n"
        "    assert 'opentelemetry.exporter.otlp.proto.http' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", check], check=True, env=clean_environ(), timeout=60)


def test_a_process_has_its_name_unless_the_operator_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "k8s.namespace.name=calls")
    told = resource_of("queue").attributes
    assert (told["service.name"], told["k8s.namespace.name"]) == ("leadline-queue", "calls")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "ours")
    assert resource_of("queue").attributes["service.name"] == "ours"


def _link(trace_id: int) -> Link:
    return Link(SpanContext(trace_id, 1, is_remote=True, trace_flags=TraceFlags(0)))


def test_all_attempts_of_a_lead_are_kept_or_none() -> None:
    sampler, chance = LeadSampler(0.5), random.Random(7)
    kept = 0
    for _ in range(200):
        lead = chance.getrandbits(128) | 1
        first = sampler.should_sample(None, lead, "POST /webhooks").decision
        later = {
            sampler.should_sample(None, chance.getrandbits(128), "lease", links=[_link(lead), _link(5)]).decision
            for _ in range(5)
        }
        assert later == {first}
        kept += first is Decision.RECORD_AND_SAMPLE
    assert 60 < kept < 140


@pytest.mark.parametrize(("share", "kept"), [(0.0, False), (1.0, True)])
def test_the_ends_of_the_share_are_none_and_all(share: float, kept: bool) -> None:
    sampler = LeadSampler(share)
    decision = sampler.should_sample(None, random.Random(3).getrandbits(128), "lease").decision
    assert (decision is Decision.RECORD_AND_SAMPLE) is kept
    assert "LeadSampler" in sampler.get_description()


class Moody(SpanExporter):
    """Answers as told, one batch after the other."""

    def __init__(self, *answers: SpanExportResult | Exception) -> None:
        self._answers = list(answers)

    def export(self, _spans: Sequence[ReadableSpan]) -> SpanExportResult:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_collector_that_is_away_is_told_of_once_and_when_it_is_back(stream: io.StringIO) -> None:
    lost, taken = SpanExportResult.FAILURE, SpanExportResult.SUCCESS
    moody = Moody(lost, RuntimeError("+15615550123"), lost, taken, taken, lost)
    exporter = PatientExporter(moody, "http://user:secret@collector:4318/v1/traces")
    made = [ReadableSpan("dial")] * 3
    results = [exporter.export(made) for _ in range(6)]
    assert results == [lost, lost, lost, taken, taken, lost]
    told = lines(stream)
    assert [line["event"] for line in told] == [
        "traces_not_delivered",
        "traces_delivered_again",
        "traces_not_delivered",
    ]
    assert (told[0]["collector"], told[1]["spans_lost"]) == ("collector:4318", 9)
    assert "secret" not in stream.getvalue()
    assert "5550123" not in stream.getvalue()


def test_nobody_at_the_endpoint_is_one_line_and_no_hindrance(stream: io.StringIO) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: whoever connects is refused
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with tracing_restored(), traces_exported("test", part(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)):
            assert is_exporting()
            for _ in range(2000):
                with span("dial"):
                    pass
    assert [line["event"] for line in lines(stream)] == ["traces_not_delivered"]
    assert not is_exporting()
