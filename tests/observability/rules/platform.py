"""Cases of the processes themselves, their jobs, and the figures that all other alerts stand on."""

from typing import Final

from tests.observability.rules.cases import Case, Fired, course, edge, fires, page, quiet, ticket

_FAST: Final = 'leadline_figures_timestamp_seconds{reading="fast"}'
_SLOW: Final = 'leadline_figures_timestamp_seconds{reading="slow"}'
_UP: Final = 'up{app_kubernetes_io_component="%s", pod="%s"}'
_SWEPT: Final = "leadline_sweep_last_success_timestamp_seconds"
_ALARMS: Final = 'leadline_alarms_total{kind="%s"}'
_WINDOWS: Final = 'leadline_backfill_windows{state="%s"}'
_POOL: Final = 'leadline_pool_connections{pool="requests", state="%s"}'
_POOL_WAIT: Final = 'leadline_pool_wait_seconds_bucket{pool="requests", le="%s"}'
_STALE: Final = (
    "The queue-service answers, but its figures of the database are old or missing: alerts about leads cannot fire."
)
_ALL_UP: Final = {_UP % (kind, kind): "1x40" for kind in ("gateway", "queue", "dialer", "crm-sync")}


def _scarce(value: str) -> Fired:
    says = f"Pool requests of a: {value} of its connections are used (above 0.9), "
    says += "or requests wait that many seconds for one (above 1)."
    return ticket(says, pod="a", pool="requests")


CASES: Final[dict[str, tuple[Case, ...]]] = {
    "LeadlineFiguresStale": (
        fires("the database is not read", {_FAST: "0x30"}, "8m", page(_STALE, reading="fast")),
        fires(
            "whole tables were counted long ago",
            {_FAST: "0+300x60", _SLOW: "0x60"},
            "130m",
            ticket("Leads by status and held leads were counted 2h 10m 0s ago.", reading="slow"),
            step="5m",
        ),
        quiet("both are read", {_FAST: "0+60x30", _SLOW: "0+60x30"}, "20m"),
        edge("two minutes old", {_FAST: "0x2 120+60x30"}, "20m"),
        edge(
            "one replica reads, the other does not",
            {_FAST.replace("{", '{pod="b", '): "0x30", _FAST.replace("{", '{pod="c", '): "0+60x30"},
            "20m",
        ),
        edge("the queue-service has never read", {_UP % ("queue", "a"): "1x30"}, "5m", page(_STALE, reading="fast")),
        edge("there is no queue-service, which is another alert", {_UP % ("queue", "a"): "0x30"}, "20m"),
        edge(
            "what dialers are scaled by is not read",
            {_FAST: "0+60x30", "leadline_calls_wanted_timestamp_seconds": "0x30"},
            "8m",
            page(_STALE),
        ),
    ),
    "LeadlinePromiseBroken": (
        fires(
            "the sweep has found two rows",
            {'leadline_promises_broken{promise="1"}': course("0 for 5, then 2 for 20")},
            "6m",
            page("Promise 1 does not hold: 2 rows at the last check.", promise="1"),
        ),
        quiet(
            "all hold",
            {'leadline_promises_broken{promise="1"}': "0x30", 'leadline_promise_violations_total{promise="1"}': "0x30"},
            "20m",
        ),
        quiet("nothing was checked yet", {}, "20m"),
        edge(
            "the next check finds it mended, and still somebody shall look",
            {
                'leadline_promises_broken{promise="3"}': "0x30",
                'leadline_promise_violations_total{promise="3"}': course("0 for 9, then 1 for 20"),
            },
            "16m",
            page("Promise 3 does not hold: 1 rows at the last check.", promise="3"),
        ),
        edge(
            "it was mended half an hour ago",
            {
                'leadline_promises_broken{promise="3"}': "0x60",
                'leadline_promise_violations_total{promise="3"}': course("0 for 9, then 1 for 50"),
            },
            "50m",
        ),
    ),
    "LeadlineAlarmRaised": (
        fires(
            "the first of its kind, whose series begins with it",
            {_ALARMS % "attempt_abandoned": course("_ for 69, then 1 for 60")},
            "75m",
            ticket("Alarms attempt_abandoned in the last hour: 1.", kind="attempt_abandoned"),
        ),
        quiet("none for an hour", {_ALARMS % "attempt_abandoned": "4x200"}, "90m"),
        quiet("none ever", {}, "90m"),
        edge(
            "one more of a kind",
            {_ALARMS % "result_lost": course("4 for 79, then 5 for 60")},
            "90m",
            ticket("Alarms result_lost in the last hour: 1.", kind="result_lost"),
        ),
        edge(
            "a kind that has an alert of its own",
            {_ALARMS % "account_paused": course("_ for 69, then 1 for 60")},
            "75m",
        ),
        edge("it was over an hour ago", {_ALARMS % "result_lost": course("_ for 9, then 1 for 130")}, "80m"),
    ),
    "LeadlineSweepNotSucceeding": (
        fires(
            "the last good one was twenty minutes ago",
            {_SWEPT: "0x60"},
            "21m",
            page("What is stuck stays stuck: the last good sweep was 21m 0s ago."),
        ),
        fires(
            "none has ever succeeded",
            {_FAST: "0+60x60"},
            "30m",
            page("What is stuck stays stuck: no sweep has ended well yet."),
        ),
        quiet("one in five minutes", {_SWEPT: "0x4 300x4 600x4 900x4 1200x4 1500x9", _FAST: "0+60x60"}, "29m"),
        edge("a quarter of an hour, and not yet five minutes more", {_SWEPT: "0x60"}, "20m"),
        edge("just installed, the first sweep is to come", {_FAST: "0+60x60"}, "20m"),
        edge("the figures are not read, which is another alert", {}, "60m"),
    ),
    "LeadlineSchemaMismatch": (
        fires(
            "a pod of the release before goes on",
            {"leadline_schema_revision": "12x30", "leadline_schema_revision_expected": "11x30"},
            "15m",
            ticket("a has found revision 12 of the schema, which is not its own.", pod="a"),
        ),
        quiet("all fit", {"leadline_schema_revision": "12x30", "leadline_schema_revision_expected": "12x30"}, "20m"),
        edge(
            "while pods are replaced",
            {
                "leadline_schema_revision": "12x30",
                "leadline_schema_revision_expected": course("11 for 13, then 12 for 20"),
            },
            "20m",
        ),
        edge("the schema is not read", {"leadline_schema_revision_expected": "12x30"}, "20m"),
    ),
    "LeadlinePoolExhausted": (
        fires(
            "nearly all are used",
            {_POOL % "used": "19x30", _POOL % "max": "20x30"},
            "10m",
            _scarce("0.95"),
        ),
        fires(
            "requests wait",
            {_POOL_WAIT % "1.0": "0x30", _POOL_WAIT % "2.0": "0+60x30", _POOL_WAIT % "+Inf": "0+60x30"},
            "15m",
            _scarce("1.99"),
        ),
        quiet("half are used", {_POOL % "used": "10x30", _POOL % "max": "20x30"}, "20m"),
        quiet("nobody asks", {_POOL_WAIT % "1.0": "0x30", _POOL_WAIT % "+Inf": "0x30"}, "20m"),
        edge("nine tenths", {_POOL % "used": "18x30", _POOL % "max": "20x30"}, "20m"),
        edge(
            "a burst of nine minutes",
            {_POOL % "used": course("20 for 8, then 3 for 20"), _POOL % "max": "20x30"},
            "12m",
        ),
    ),
    "LeadlineBackfillStuck": (
        fires(
            "it runs and reads nothing",
            {
                "leadline_backfill_running": "1x60",
                _WINDOWS % "done": "3x60",
                'leadline_backfill_calls{result="recorded"}': "90x60",
            },
            "30m",
            ticket("A backfill runs, and for half an hour it has read no window and no call."),
        ),
        quiet("windows are read", {"leadline_backfill_running": "1x60", _WINDOWS % "done": "0+1x60"}, "40m"),
        quiet("none runs", {"leadline_backfill_running": "0x60", _WINDOWS % "done": "3x60"}, "40m"),
        edge(
            "one long window, whose calls are read",
            {
                "leadline_backfill_running": "1x60",
                _WINDOWS % "done": "3x60",
                'leadline_backfill_calls{result="recorded"}': "0+7x60",
            },
            "40m",
        ),
        edge(
            "it ended before half an hour was over",
            {"leadline_backfill_running": course("1 for 13, then 0 for 40"), _WINDOWS % "done": "3x60"},
            "16m",
        ),
    ),
    "LeadlineTargetDown": (
        fires(
            "no dialer answers",
            {**_ALL_UP, _UP % ("dialer", "dialer"): "0x40"},
            "5m",
            page("No dialer has answered Prometheus for five minutes.", app_kubernetes_io_component="dialer"),
        ),
        fires(
            "one of two gateways does not answer",
            {**_ALL_UP, _UP % ("gateway", "b"): "0x40"},
            "5m",
            ticket("b has not answered Prometheus for five minutes.", app_kubernetes_io_component="gateway", pod="b"),
        ),
        quiet("all answer", _ALL_UP, "20m"),
        quiet("no crm-sync is installed", {name: up for name, up in _ALL_UP.items() if "crm-sync" not in name}, "20m"),
        edge(
            "no queue-service is there at all",
            {name: up for name, up in _ALL_UP.items() if "queue" not in name},
            "5m",
            page("No queue has answered Prometheus for five minutes.", app_kubernetes_io_component="queue"),
        ),
        edge(
            "a pod is replaced within four minutes",
            {**_ALL_UP, _UP % ("gateway", "gateway"): course("1 for 5, then 0 for 3, then 1 for 30")},
            "11m",
        ),
        edge("somebody else's process in the namespace", {**_ALL_UP, _UP % ("metabase", "b"): "0x40"}, "20m"),
    ),
    "LeadlineMigrationFailed": (
        fires(
            "the job has failed",
            {'kube_job_failed{job_name="leadline-migrate-3f2a", condition="true"}': "1x30"},
            "0m",
            ticket("leadline-migrate-3f2a failed; the release before serves on.", job_name="leadline-migrate-3f2a"),
        ),
        quiet("it has not", {'kube_job_failed{job_name="leadline-migrate-3f2a", condition="true"}': "0x30"}, "5m"),
        edge(
            "another job has failed",
            {'kube_job_failed{job_name="leadline-sweep-29123", condition="true"}': "1x30"},
            "5m",
        ),
        edge("without kube-state-metrics nothing is known", {}, "5m"),
    ),
}
