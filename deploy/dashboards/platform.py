"""*Platform and jobs*: the processes, their requests, the database's pools, and the jobs that keep promises."""

from typing import Final

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models import dashboard as model

from deploy.dashboards import colours
from deploy.dashboards.board import Board, Row
from deploy.dashboards.panels import Look, Query, bars, change, graph, grid, judged, tile
from deploy.dashboards.promql import (
    age,
    hourly,
    or_none,
    or_zero,
    quantile,
    rate,
    reading,
    select,
    share,
    summed,
    total,
)
from deploy.dashboards.thresholds import (
    EVENT_SECONDS,
    FIGURES_STALE,
    GATEWAY_FAILED,
    POOL_USED,
    POOL_WAIT,
    SWEEP_OVERDUE,
    bad_from,
)
from deploy.dashboards.words import Words

_REQUESTS: Final = "leadline_http_requests_total"
_SECONDS: Final = "leadline_http_request_seconds"
_FAILED: Final = 'status=~"5.."'
_NO_LONG_POLL: Final = 'route!="/v1/leases"'
_SERVICE: Final = "app_kubernetes_io_component"
_BY_SERVICE: Final = f"{{{{{_SERVICE}}}}}"
_OURS: Final = (
    f"on (namespace, pod, instance) group_left () max by (namespace, pod, instance) ({select('leadline_build_info')})"
)
"""Leaves the processes of others in the namespace out."""
_SCHEMA: Final = Words({0: ("As expected", colours.GOOD)})
_NONE: Final = Words({0: ("None", colours.GOOD)})
_BACKFILL: Final = Words({0: ("Idle", colours.WAITS), 1: ("Running", colours.GOOD)})


def _now() -> Row:
    failed = f"({or_zero(rate(_REQUESTS, _FAILED))})"
    return Row(
        "",
        [
            tile(
                Look(
                    "Requests failed",
                    "percentunit",
                    6,
                    4,
                    steps=((GATEWAY_FAILED, colours.WATCH), (0.01, colours.BAD)),
                    decimals=2,
                    absent="no request",
                ),
                "Share of requests that our own services answered with 5xx. Anything above zero for long is a "
                "fault: the row HTTP says whose.",
                Query(share(failed, rate(_REQUESTS))),
            ),
            tile(
                Look("Last good sweep", "s", 6, 4, steps=bad_from(SWEEP_OVERDUE), absent="never"),
                "How long ago a sweep did all it had to. Without sweeps what is stuck stays stuck: see the "
                "CronJob's last pods.",
                Query(age("leadline_sweep_last_success_timestamp_seconds")),
            ),
            tile(
                Look("Broken promises", "locale", 6, 4, base=colours.BAD, decimals=0),
                "Attempts, leads or events that break one of the nine promises, as the last check found them. Any "
                "is a fault of ours: read the runbook at once.",
                Query(f"sum ({reading('leadline_promises_broken', by='promise')})"),
                words=_NONE,
                filled=True,
            ),
            tile(
                Look("Schema", "suffix:revisions apart", 6, 4, base=colours.BAD, decimals=0),
                "Whether the database's schema is the one that the queue-service was written for. In the middle of "
                "an upgrade it may be ahead; longer than that, see the migration's log.",
                Query(f"{reading('leadline_schema_revision_expected')} - {reading('leadline_schema_revision')}"),
                words=_SCHEMA,
                filled=True,
            ),
        ],
    )


def _http() -> Row:
    return Row(
        "HTTP",
        [
            graph(
                Look("Requests", "reqps", 8),
                "Requests that our services answered, per second.",
                Query(rate(_REQUESTS, by=_SERVICE), _BY_SERVICE),
            ),
            graph(
                Look("Requests failed, by service", "percentunit", 8, steps=bad_from(GATEWAY_FAILED)),
                "Share answered with 5xx, by service. The gateway's objective is 99.9 % (dashed).",
                Query(
                    share(
                        f"(sum by ({_SERVICE}) (rate({select(_REQUESTS, _FAILED)}[$__rate_interval]))"
                        f" or 0 * {rate(_REQUESTS, by=_SERVICE)})",
                        rate(_REQUESTS, by=_SERVICE),
                    ),
                    _BY_SERVICE,
                ),
                limits=True,
            ),
            graph(
                Look("Time of requests, p99", "s", 8, steps=bad_from(EVENT_SECONDS)),
                "By service, without the long poll for leads. The gateway's objective for events is 99 % within "
                "500 ms (dashed).",
                Query(quantile(0.99, _SECONDS, _NO_LONG_POLL, by=_SERVICE), _BY_SERVICE),
                seconds=True,
                limits=True,
            ),
            _routes(),
            graph(
                Look("Requests to others, not answered well", "suffix:/h", 8, 10, decimals=0),
                "Requests of our processes to each other, to the provider and to the CRM that came to anything but "
                "2xx, per hour. Connections fail for moments while pods are replaced.",
                Query(
                    or_none(
                        hourly("leadline_http_client_requests_total", 'result!="2xx"', by="peer, result") + " > 0",
                        "peer",
                    ),
                    "{{peer}} {{result}}",
                ),
            ),
        ],
    )


def _routes() -> table.Panel:
    by = f"{_SERVICE}, method, route"
    failed = f"(sum by ({by}) (increase({select(_REQUESTS, _FAILED)}[$__range])) or 0 * {total(_REQUESTS, by=by)})"
    return (
        grid(
            Look("Routes", "locale", 16, 10, decimals=0, absent="no request"),
            "Every route in the time shown: requests, share answered with 5xx, and the time that 95 of 100 took at "
            "most. `/v1/leases` is a long poll and waits on purpose.",
            Query(f"{total(_REQUESTS, by=by)} > 0"),
            Query(share(failed, total(_REQUESTS, by=by))),
            Query(quantile(0.95, _SECONDS, by=by, window="$__range")),
            changes=[
                change("merge", {}),
                change(
                    "organize",
                    {
                        "excludeByName": {"Time": True},
                        "indexByName": {
                            _SERVICE: 0,
                            "method": 1,
                            "route": 2,
                            "Value #A": 3,
                            "Value #B": 4,
                            "Value #C": 5,
                        },
                        "renameByName": {
                            _SERVICE: "Service",
                            "method": "Method",
                            "route": "Route",
                            "Value #A": "Requests",
                            "Value #B": "Failed",
                            "Value #C": "p95",
                        },
                    },
                ),
                change("sortBy", {"sort": [{"field": "Requests", "desc": True}]}),
            ],
        )
        .override_by_name("Failed", judged("percentunit", bad_from(GATEWAY_FAILED), decimals=2))
        .override_by_name("p95", [model.DynamicConfigValue("unit", "s"), model.DynamicConfigValue("decimals", 1)])
        .override_by_name("Route", [model.DynamicConfigValue("custom.width", 330)])
    )


def _database() -> Row:
    used, most = (summed("leadline_pool_connections", f'state="{state}"', by="pool") for state in ("used", "max"))
    return Row(
        "Database and figures",
        [
            graph(
                Look("Connections used", "percentunit", 8, steps=bad_from(POOL_USED), top=1, decimals=0),
                "Share of each pool's connections that are in use, all replicas together. Above 90 % for long: "
                "requests wait; see which statements are slow before adding connections.",
                Query(share(used, most), "{{pool}}"),
                limits=True,
            ),
            graph(
                Look("Wait for a connection, p99", "s", 8, steps=bad_from(POOL_WAIT)),
                "Time until a connection was had, by pool. Above a second callers feel it.",
                Query(quantile(0.99, "leadline_pool_wait_seconds", by="pool"), "{{pool}}"),
                seconds=True,
                limits=True,
            ),
            graph(
                Look("Age of figures", "s", 8, steps=bad_from(FIGURES_STALE)),
                "How old the newest reading of the database's gauges is. `fast` older than two minutes: the "
                "queue-service cannot read; `slow` counts whole tables and may be older.",
                Query(age("leadline_figures_timestamp_seconds", by="reading"), "{{reading}}"),
                limits=True,
                palette={"fast": colours.GOOD, "slow": colours.NEUTRAL},
            ),
        ],
    )


def _jobs() -> Row:
    return Row(
        "Sweep, promises, backfill",
        [
            graph(
                Look("Since the last sweep", "s", 8, steps=bad_from(SWEEP_OVERDUE)),
                "Time since a sweep finished, well or not, and since one did all it had to.",
                Query(age("leadline_sweep_last_run_timestamp_seconds"), "finished"),
                Query(age("leadline_sweep_last_success_timestamp_seconds"), "did all"),
                limits=True,
                palette={"finished": colours.NEUTRAL, "did all": colours.GOOD},
            ),
            bars(
                Look("Findings of the last sweep", "locale", 8, base=colours.WAITS, decimals=0),
                "What the last sweep found and did, by step and reason. In good health close to nothing; much of "
                "one kind says what fails: events, reports, leases.",
                Query(
                    or_none(f"sort_desc({reading('leadline_sweep_findings', by='finding')})", "finding"), "{{finding}}"
                ),
            ),
            bars(
                Look("Promises broken", "locale", 8, steps=bad_from(1), decimals=0, top=1),
                "What breaks each of the nine promises, as the last check found it.",
                Query(f"sort({reading('leadline_promises_broken', by='promise')})", "promise {{promise}}"),
            ),
            tile(
                Look("Backfill", "none", 4, 4),
                "Whether a backfill of history is under way.",
                Query(or_zero(reading("leadline_backfill_running"))),
                words=_BACKFILL,
            ),
            tile(
                Look("Backfill done", "percentunit", 4, 4, base=colours.WAITS, decimals=0, absent="no backfill"),
                "Share of the newest backfill's windows that are read.",
                Query(
                    share(
                        reading("leadline_backfill_windows", 'state="done"'),
                        f"sum ({reading('leadline_backfill_windows', by='state')})",
                    )
                    + " or vector(0)"
                ),
            ),
            graph(
                Look("Windows of the backfill", "locale", 8, decimals=0),
                "Windows of the newest backfill's range. `failed` ones are read again by the next run; no change "
                "for half an hour while it runs: it is stuck.",
                Query(or_none(reading("leadline_backfill_windows", by="state"), "state", "no backfill"), "{{state}}"),
                stacked=True,
                palette={"done": colours.GOOD, "waiting": colours.NEUTRAL, "failed": colours.BAD},
            ),
            bars(
                Look("Calls met by the backfill", "locale", 8, base=colours.WAITS, decimals=0),
                "Calls that the newest backfill met in the history, by what became of them.",
                Query(
                    or_none(f"sort_desc({reading('leadline_backfill_calls', by='result')})", "result", "no backfill"),
                    "{{result}}",
                ),
            ),
            tile(
                Look("Leases lost", "locale", 4, 4, steps=((5, colours.WATCH),), decimals=0),
                "Leases that ran out in the time shown, because a dialer died or stalled.",
                Query(or_zero(total("leadline_leases_expired_total"))),
            ),
            tile(
                Look("Stop orders open", "locale", 4, 4, steps=((1, colours.WATCH),), decimals=0),
                "Calls that are to be ended and are not known to be.",
                Query(reading("leadline_unconfirmed_stop_orders")),
            ),
        ],
    )


def _crm() -> Row:
    return Row(
        "CRM and events",
        [
            graph(
                Look("Waiting to be told or applied", "locale", 8, decimals=0),
                "Results that the CRM is still to be told, results that it refused for good (`dead`: list them with "
                "`leadline crm`), and events that are stored and not applied.",
                Query(reading("leadline_crm_outbox", by="state"), "CRM {{state}}"),
                Query(reading("leadline_unapplied_events"), "events unapplied"),
                palette={
                    "CRM waiting": colours.WAITS,
                    "CRM dead": colours.BAD,
                    "events unapplied": colours.WATCH,
                },
            ),
            graph(
                Look("Oldest message for the CRM", "s", 8),
                "How long the oldest has been waiting. Hours: the CRM cannot be reached, or crm-sync does not run.",
                Query(reading("leadline_crm_outbox_oldest_seconds"), "oldest"),
                palette={"oldest": colours.WAITS},
            ),
            graph(
                Look("Messages to the CRM per hour", "suffix:/h", 8, decimals=0, absent="no CRM"),
                "Messages that crm-sync told the CRM, by kind and what came of it.",
                Query(hourly("leadline_crm_sync_messages_total", by="kind, result"), "{{kind}} {{result}}"),
                stacked=True,
            ),
        ],
    )


def _processes() -> Row:
    return Row(
        "Processes",
        [
            graph(
                Look("CPU", "suffix:cores", 8, decimals=2),
                "Processor time that services use, in cores, all pods of one together.",
                Query(
                    f"sum by ({_SERVICE}) (rate({select('process_cpu_seconds_total')}[$__rate_interval]) * {_OURS})",
                    _BY_SERVICE,
                ),
                stacked=True,
            ),
            graph(
                Look("Memory", "bytes", 8),
                "Resident memory of the largest pod of each service. Growth without end is a leak; the limit of "
                "the pod ends it.",
                Query(f"max by ({_SERVICE}) ({select('process_resident_memory_bytes')} * {_OURS})", _BY_SERVICE),
            ),
            grid(
                Look("Versions", "locale", 8, decimals=0),
                "Which version each service runs, and in how many pods. Two versions of one service: an upgrade is "
                "under way, or stuck.",
                Query(f"sum by ({_SERVICE}, version, revision, python) ({select('leadline_build_info')})"),
                changes=[
                    change(
                        "organize",
                        {
                            "excludeByName": {"Time": True},
                            "indexByName": {_SERVICE: 0, "version": 1, "revision": 2, "python": 3, "Value": 4},
                            "renameByName": {
                                _SERVICE: "Service",
                                "version": "Version",
                                "revision": "Revision",
                                "python": "Python",
                                "Value": "Pods",
                            },
                        },
                    ),
                    change("sortBy", {"sort": [{"field": "Service"}]}),
                ],
            ),
        ],
    )


def board() -> Board:
    """The dashboard."""
    return Board(
        uid="leadline-platform",
        title="Leadline / Platform and jobs",
        description="The processes, their requests, the database's pools, and the jobs that keep promises.",
        shows="now-6h",
        rows=[_now(), _http(), _database(), _jobs(), _crm(), _processes()],
    )
