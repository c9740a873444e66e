"""Cases of the provider, its events, its plan, and the CRM."""

from typing import Final

from tests.observability.rules.cases import Case, course, edge, fires, page, quiet, ticket

_PLACED: Final = 'leadline_attempts_total{campaign="awhealth", attempt_band="1", result="placed"}'
_EVENTS: Final = 'leadline_gateway_events_total{disposition="applied"}'
_ANSWERS: Final = 'leadline_provider_answers_total{provider="%s", operation="POST /v1/calls", class="%s"}'
_PAUSED: Final = 'leadline_gate_closed{gate="account_pause"}'
_UNSIGNED: Final = "leadline_gateway_unsigned_events_total"


def _answers(provider: str, **classes: str) -> dict[str, str]:
    return {_ANSWERS % (provider, name): course(values) for name, values in classes.items()}


_LISTED: Final = ticket(
    "5% of the calls asked for in the last hour are on the provider's do-not-call list and were not on ours.",
    provider="bland",
)

CASES: Final[dict[str, tuple[Case, ...]]] = {
    "LeadlineNoEvents": (
        fires(
            "a call a minute, and none ends",
            {_PLACED: "0+1x90", _EVENTS: "7x90"},
            "65m",
            page("30 calls were placed in half an hour, ended long since, and the gateway has stored no event of any."),
        ),
        quiet("events come", {_PLACED: "0+1x90", _EVENTS: "0+1x90"}, "65m"),
        quiet("no call is placed at night", {_PLACED: "90x90", _EVENTS: "90x90"}, "65m"),
        edge("nine calls prove nothing", {_PLACED: "0+0.3x90"}, "65m"),
        edge(
            "no event has ever come",
            {_PLACED: "0+1x90"},
            "65m",
            page("30 calls were placed in half an hour, ended long since, and the gateway has stored no event of any."),
        ),
        edge(
            "calls began ten minutes ago and still go on",
            {_PLACED: course("0 for 54, then 1/step for 30"), _EVENTS: "7x90"},
            "65m",
        ),
        edge("what was only asked for was not placed", {_PLACED.replace("placed", "rejected"): "0+1x90"}, "65m"),
    ),
    "LeadlineProviderRefusing": (
        fires(
            "one refusal pauses the account",
            {**_answers("bland", unauthorized="_ for 9, then 1 for 80"), _PAUSED: course("0 for 9, then 1 for 80")},
            "15m",
            page(
                "Bland has answered 401, 402 or 403, so the account is paused and nothing is dialled.", provider="bland"
            ),
        ),
        fires(
            "Convoso refuses, and goes on doing so",
            _answers("convoso", forbidden="1/step for 30"),
            "20m",
            ticket(
                "15 requests were refused in a quarter of an hour; leads that need the CRM's word are held.",
                provider="convoso",
            ),
        ),
        quiet("an operator has paused", {**_answers("bland", ok="1/step for 30"), _PAUSED: "1x30"}, "20m"),
        quiet("nobody is asked", {}, "20m"),
        edge(
            "the next sweep's probe has resumed it",
            {
                **_answers("bland", payment_required="_ for 9, then 2 for 80"),
                _PAUSED: course("0 for 9, then 1 for 4, then 0 for 60"),
            },
            "20m",
        ),
        edge(
            "the dialer that was refused is gone, the account still paused",
            {**_answers("bland", forbidden="_ for 9, then 2 for 9"), _PAUSED: course("0 for 9, then 1 for 200")},
            "180m",
            page(
                "Bland has answered 401, 402 or 403, so the account is paused and nothing is dialled.", provider="bland"
            ),
        ),
        edge(
            "it was the day before yesterday, and now somebody pauses",
            {
                **_answers("bland", ok="1/step for 600", forbidden="_ for 9, then 2 for 600"),
                _PAUSED: course("0 for 590, then 1 for 20"),
            },
            "49h",
            step="5m",
        ),
    ),
    "LeadlineProviderDncErrors": (
        fires(
            "one call in twenty",
            _answers("bland", dnc="1/step for 90", ok="19/step for 90"),
            "70m",
            _LISTED,
        ),
        quiet("all are taken", _answers("bland", ok="20/step for 90"), "70m"),
        quiet("nobody is called", {}, "70m"),
        edge("one in fifty", _answers("bland", dnc="1/step for 90", ok="49/step for 90"), "70m"),
        edge("four of them, of few", _answers("bland", dnc="0.066/step for 90", ok="0.1/step for 90"), "70m"),
    ),
    "LeadlineProviderFailing": (
        fires(
            "one request in four",
            _answers("bland", server_error="2/step for 30", timeout="1/step for 30", ok="9/step for 30"),
            "20m",
            ticket(
                "25% of the requests to bland failed in ten minutes: errors, timeouts, no connection.", provider="bland"
            ),
        ),
        quiet(
            "it answers, and refuses much", _answers("bland", ok="9/step for 30", rate_limited="9/step for 30"), "25m"
        ),
        quiet("nobody asks it", {}, "25m"),
        edge("one in five", _answers("bland", connection="2/step for 30", ok="8/step for 30"), "25m"),
        edge("nine failures in ten minutes", _answers("convoso", timeout="0.9/step for 30"), "25m"),
        edge(
            "for eight minutes",
            _answers("bland", unreadable="0/step for 20, then 9/step for 8, then 0/step for 30", ok="9/step for 60"),
            "29m",
        ),
    ),
    "LeadlineBreakerOpen": (
        fires(
            "of both dialers",
            {'leadline_dialer_breaker_state{pod="b"}': "2x30", 'leadline_dialer_breaker_state{pod="c"}': "2x30"},
            "5m",
            ticket("Dialers whose breaker is open, since too many requests in a row have failed: 2."),
        ),
        quiet("it is closed", {"leadline_dialer_breaker_state": "0x30"}, "10m"),
        quiet("there is no dialer", {}, "10m"),
        edge(
            "it tries a call now and then, and that fails too",
            {"leadline_dialer_breaker_state": "2x3 1 2x3 1 2x3"},
            "11m",
            ticket("Dialers whose breaker is open, since too many requests in a row have failed: 1."),
        ),
        edge(
            "it has nothing to try with at night",
            {"leadline_dialer_breaker_state": course("2 for 3, then 1 for 60")},
            "20m",
        ),
        edge(
            "a call got through",
            {"leadline_dialer_breaker_state": course("2 for 4, then 0 for 1, then 2 for 6")},
            "11m",
        ),
    ),
    "LeadlineCapsNearlyUsed": (
        fires(
            "95 of 100",
            {'leadline_cap_used{cap="day"}': "95x30", 'leadline_cap_limit{cap="day"}': "100x30"},
            "10m",
            ticket("95% of the plan's calls are used (cap: day).", cap="day"),
        ),
        quiet("half", {'leadline_cap_used{cap="hour"}': "50x30", 'leadline_cap_limit{cap="hour"}': "100x30"}, "20m"),
        quiet("a plan without caps", {"leadline_pace_calls_per_second": "5x30"}, "20m"),
        edge(
            "nine tenths", {'leadline_cap_used{cap="hour"}': "90x30", 'leadline_cap_limit{cap="hour"}': "100x30"}, "20m"
        ),
        edge(
            "all lines were busy for a moment",
            {
                'leadline_cap_used{cap="concurrent"}': course("10 for 5, then 4 for 20"),
                'leadline_cap_limit{cap="concurrent"}': "10x30",
            },
            "12m",
        ),
        edge(
            "two replicas read alike, and are not added",
            {
                'leadline_cap_used{cap="day", pod="b"}': "50x30",
                'leadline_cap_limit{cap="day", pod="b"}': "100x30",
                'leadline_cap_used{cap="day", pod="c"}': "50x30",
                'leadline_cap_limit{cap="day", pod="c"}': "100x30",
            },
            "20m",
        ),
    ),
    "LeadlineSignatureFailures": (
        fires(
            "all",
            {_UNSIGNED: "0+1x60", _EVENTS: "9x60"},
            "45m",
            ticket("30 events were refused in half an hour because their signature is missing or wrong."),
        ),
        quiet("none", {_UNSIGNED: "3x60", _EVENTS: "0+5x60"}, "45m"),
        quiet("no event comes", {_UNSIGNED: "0x60"}, "45m"),
        edge("one in twenty", {_UNSIGNED: "0+1x60", _EVENTS: "0+19x60"}, "45m"),
        edge(
            "one in nineteen",
            {_UNSIGNED: "0+1x60", _EVENTS: "0+18x60"},
            "45m",
            ticket("30 events were refused in half an hour because their signature is missing or wrong."),
        ),
        edge("somebody tries nine times", {_UNSIGNED: "0x20 9x60"}, "45m"),
        edge(
            "no signed one has ever come",
            {_UNSIGNED: "0+1x60"},
            "45m",
            ticket("30 events were refused in half an hour because their signature is missing or wrong."),
        ),
    ),
    "LeadlineCrmDeadLetters": (
        fires(
            "one was refused",
            {'leadline_crm_outbox{state="dead"}': "1x30"},
            "5m",
            ticket("Messages that were refused and wait for somebody to look: 1."),
        ),
        quiet(
            "many wait, none was refused",
            {'leadline_crm_outbox{state="dead"}': "0x30", 'leadline_crm_outbox{state="waiting"}': "900x30"},
            "20m",
        ),
        quiet("there is no CRM", {}, "20m"),
        edge("it was replayed at once", {'leadline_crm_outbox{state="dead"}': course("1 for 3, then 0 for 20")}, "6m"),
    ),
}
