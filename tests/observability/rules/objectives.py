"""Cases of the burnt error budgets."""

from collections.abc import Iterator
from typing import Final

from tests.observability.rules.cases import Case, Fired, course, edge, fires, page, quiet, ticket

_WEBHOOK: Final = 'leadline_http_requests_total{route="/webhooks/bland-callback", status="%s"}'
_SECONDS: Final = 'leadline_http_request_seconds_%s{route="/webhooks/bland-callback", status="%s"%s}'
_LATENESS: Final = 'leadline_dispatch_lateness_seconds_%s{campaign="awhealth", band="fresh"%s}'

_GATEWAY: Final = "gateway", "of the gateway's answers were 5xx"
_EVENT: Final = "event", "of events were not acknowledged within 500 ms"
_DISPATCH: Final = "dispatch", "of calls went out more than a minute late"
_LEVELS: Final = {
    "1h": (page, "is gone after 2 such days"),
    "6h": (page, "is gone after 5 such days"),
    "1d": (ticket, "is gone after 10 such days"),
    "3d": (ticket, "will not last"),
}


def _burnt(objective: tuple[str, str], **shares: str) -> Iterator[Fired]:
    """What fires, by its long window: `in_1h="20%"`."""
    slo, what = objective
    for name, share in shares.items():
        window = name.removeprefix("in_")
        fired, budget = _LEVELS[window]
        says = f"{share} {what} in the last {window}; the budget of 30 days {budget}."
        yield fired(says, slo=slo, window=window)


def _answers(good: str, errors: str) -> dict[str, str]:
    """Answers of the gateway at each step: 2xx and 5xx."""
    return {_WEBHOOK % 200: course(good), _WEBHOOK % 503: course(errors)}


def _events(all_: str, in_time: str, status: int = 200) -> dict[str, str]:
    return {
        _SECONDS % ("count", status, ""): course(all_),
        _SECONDS % ("bucket", status, ', le="0.5"'): course(in_time),
    }


def _dispatches(all_: str, in_time: str) -> dict[str, str]:
    return {_LATENESS % ("count", ""): course(all_), _LATENESS % ("bucket", ', le="60.0"'): course(in_time)}


def _pace(attempts: str) -> dict[str, str]:
    """Attempts at each step of a minute, at a pace of five a second."""
    return {
        'leadline_attempts_total{campaign="awhealth", attempt_band="1", result="placed"}': course(attempts),
        "leadline_pace_calls_per_second": "5x600",
    }


CASES: Final[dict[str, tuple[Case, ...]]] = {
    "LeadlineGatewayErrorBudgetBurn": (
        fires(
            "a fifth of the answers are errors",
            _answers("8/step for 60", "2/step for 60"),
            "30m",
            *_burnt(_GATEWAY, in_1h="20%", in_6h="20%"),
        ),
        fires(
            "four in a thousand for five hours",
            _answers("498/step for 72", "2/step for 72"),
            "5h",
            *_burnt(_GATEWAY, in_1d="0.4%", in_3d="0.4%"),
            step="5m",
        ),
        quiet(
            "one in two thousand is within the objective",
            _answers("1999/step for 72", "1/step for 72"),
            "5h",
            step="5m",
        ),
        quiet("nobody asks anything", {}, "30m"),
        edge(
            "it ended six minutes ago: only the slower page goes on",
            _answers("8/step for 60", "2/step for 19, then 0/step for 40"),
            "26m",
            *_burnt(_GATEWAY, in_6h="16.13%"),
        ),
        edge(
            "at night two of three requests fail, and that is two",
            _answers("0/step for 10, then 0.1/step for 10", "0.1/step for 20"),
            "20m",
        ),
        edge("two minutes of it are not enough", _answers("8/step for 60", "2/step for 60"), "2m"),
        edge(
            "errors are all that there is",
            {_WEBHOOK % 503: course("5/step for 60")},
            "5m",
            *_burnt(_GATEWAY, in_1h="100%"),
        ),
        edge(
            "what other routes answer is not the gateway's",
            {'leadline_http_requests_total{route="/v1/leases", status="503"}': course("9/step for 60")},
            "30m",
        ),
    ),
    "LeadlineEventErrorBudgetBurn": (
        fires(
            "a fifth of the events take longer than half a second",
            _events("10/step for 60", "8/step for 60"),
            "30m",
            *_burnt(_EVENT, in_1h="20%", in_6h="20%"),
        ),
        fires(
            "four in a hundred for five hours",
            _events("50/step for 72", "48/step for 72"),
            "5h",
            *_burnt(_EVENT, in_1d="4%", in_3d="4%"),
            step="5m",
        ),
        quiet(
            "one in two hundred is within the objective", _events("200/step for 72", "199/step for 72"), "5h", step="5m"
        ),
        quiet("no event comes", {}, "30m"),
        edge(
            "what the sender got wrong is not ours",
            _events("10/step for 60", "10/step for 60") | _events("9/step for 60", "0/step for 60", 401),
            "30m",
        ),
        edge(
            "a sender that did not wait for the answer had none",
            _events("8/step for 60", "8/step for 60") | _events("2/step for 60", "2/step for 60", 499),
            "10m",
            *_burnt(_EVENT, in_1h="20%"),
        ),
        edge(
            "errors are all that there is",
            _events("5/step for 60", "5/step for 60", 503),
            "5m",
            *_burnt(_EVENT, in_1h="100%"),
        ),
        edge(
            "a lead's slow answer is no event's",
            {
                'leadline_http_request_seconds_count{route="/webhooks/{campaign}-outbound", status="202"}': course(
                    "9/step for 60"
                )
            },
            "30m",
        ),
    ),
    "LeadlineDispatchErrorBudgetBurn": (
        fires(
            "a fifth of the calls go out late",
            _dispatches("10/step for 60", "8/step for 60") | _pace("10/step for 60"),
            "30m",
            *_burnt(_DISPATCH, in_1h="20%", in_6h="20%"),
        ),
        fires(
            "four in a hundred for five hours",
            _dispatches("50/step for 72", "48/step for 72"),
            "5h",
            *_burnt(_DISPATCH, in_1d="4%", in_3d="4%"),
            step="5m",
        ),
        quiet("all go out in time", _dispatches("10/step for 60", "10/step for 60"), "30m"),
        quiet("nothing is dialled at night", _dispatches("0/step for 60", "0/step for 60"), "30m"),
        edge(
            "a backlog is worked off at the full pace, which is no fault",
            _dispatches("290/step for 60", "100/step for 60") | _pace("290/step for 60"),
            "30m",
        ),
        edge(
            "a backlog at less than nine tenths of the pace is one",
            _dispatches("260/step for 60", "130/step for 60") | _pace("260/step for 60"),
            "5m",
            *_burnt(_DISPATCH, in_1h="50%"),
        ),
    ),
}
