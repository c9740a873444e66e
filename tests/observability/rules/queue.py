"""Cases of what is due, open, held and promised."""

from typing import Final

from tests.observability.rules.cases import Case, Fired, Series, course, edge, fires, page, quiet, ticket

_DUE: Final = 'leadline_oldest_due_seconds{campaign="awhealth"}'
_DISPATCHED: Final = 'leadline_dispatch_lateness_seconds_count{campaign="awhealth", band="fresh"}'
_OUTCOMES: Final = 'leadline_outcomes_total{campaign="awhealth", attempt_band="1", outcome="%s"}'


def _outcomes(sales: str, unanswered: str, more: Series | None = None) -> dict[str, str]:
    return {_OUTCOMES % "SALE": course(sales), _OUTCOMES % "NO_ANSWER": course(unanswered), **(more or {})}


def _stalled(waited: str) -> Fired:
    rest = "its campaign is open and not paused, and no call was let go in five minutes."
    return page(f"The oldest due lead has waited for {waited}, {rest}")


def _falling(share: str) -> Fired:
    says = f"A person spoke in {share} of the calls of awhealth in the last three hours: "
    says += "a third less, or worse, than in the same hours of the last seven days."
    return ticket(says, campaign="awhealth")


CASES: Final[dict[str, tuple[Case, ...]]] = {
    "LeadlineQueueStalled": (
        fires(
            "a lead waits and nothing goes",
            {_DUE: "0+60x30", _DISPATCHED: course("5 for 30")},
            "11m",
            _stalled("11m 0s"),
        ),
        fires(
            "it does so on two replicas, and is told once",
            {_DUE.replace("{", '{pod="a", '): "900x30", _DUE.replace("{", '{pod="b", '): "960x30"},
            "11m",
            _stalled("16m 0s"),
        ),
        quiet("calls go out, if late", {_DUE: "900x30", _DISPATCHED: course("3/step for 30")}, "20m"),
        quiet("at night nothing is due", {_DUE: "0x30", _DISPATCHED: "7x30"}, "20m"),
        edge("for a minute less than long enough", {_DUE: "0+60x30"}, "10m"),
        edge("exactly five minutes are not too late", {_DUE: "300x30"}, "20m"),
        edge(
            "somebody has paused the account",
            {_DUE: "900x30", 'leadline_gate_closed{gate="account_pause"}': "1x30"},
            "20m",
        ),
        edge(
            "the plan's calls of the day are used up",
            {_DUE: "900x30", 'leadline_cap_used{cap="day"}': "100x30", 'leadline_cap_limit{cap="day"}': "100x30"},
            "20m",
        ),
        edge(
            "all lines are busy and stay so",
            {
                _DUE: "900x30",
                'leadline_cap_used{cap="concurrent"}': "10x30",
                'leadline_cap_limit{cap="concurrent"}': "10x30",
            },
            "20m",
            _stalled("15m 0s"),
        ),
        edge("the queue-service is not there to say so", {}, "20m"),
    ),
    "LeadlineQueueLate": (
        fires(
            "for ten minutes",
            {_DUE: "180x30"},
            "10m",
            ticket("The oldest due lead of awhealth has waited for 3m 0s.", campaign="awhealth"),
        ),
        quiet("a minute is no delay", {_DUE: "60x30"}, "20m"),
        edge("exactly two minutes", {_DUE: "120x30"}, "20m"),
        edge("the opening's backlog is gone after nine minutes", {_DUE: course("400 for 8, then 0 for 20")}, "12m"),
    ),
    "LeadlineDialerMissing": (
        fires(
            "leads are due and nobody asks",
            {"leadline_leads_due_now": "18x30", "leadline_last_lease_request_timestamp_seconds": "0x30"},
            "5m",
            ticket("Leads that are due now, and no dialer has asked for one in three minutes: 18."),
        ),
        quiet(
            "a dialer asks",
            {"leadline_leads_due_now": "18x30", "leadline_last_lease_request_timestamp_seconds": "0+60x30"},
            "10m",
        ),
        quiet(
            "nothing is due at night, with no dialer",
            {"leadline_leads_due_now": "0x30", "leadline_last_lease_request_timestamp_seconds": "0x30"},
            "10m",
        ),
        edge(
            "no replica has ever been asked",
            {"leadline_leads_due_now": "1x30"},
            "2m",
            ticket("Leads that are due now, and no dialer has asked for one in three minutes: 1."),
        ),
        edge(
            "the other replica is asked",
            {
                "leadline_leads_due_now": "18x30",
                'leadline_last_lease_request_timestamp_seconds{pod="b"}': "0x30",
                'leadline_last_lease_request_timestamp_seconds{pod="c"}': "0+60x30",
            },
            "10m",
        ),
        edge(
            "three minutes without, and not yet two more",
            {"leadline_leads_due_now": "18x30", "leadline_last_lease_request_timestamp_seconds": "0x30"},
            "4m",
        ),
    ),
    "LeadlineDispatchHeld": (
        fires(
            "for three sweeps",
            {'leadline_gate_closed{gate="dispatch_hold"}': "1x30"},
            "15m",
            page("The database is another than before, and three sweeps have not reconciled the provider's history."),
        ),
        quiet("it is released", {'leadline_gate_closed{gate="dispatch_hold"}': "0x30"}, "20m"),
        edge(
            "the second sweep releases it",
            {'leadline_gate_closed{gate="dispatch_hold"}': course("1 for 9, then 0 for 20")},
            "20m",
        ),
        edge(
            "the account is paused, which is something else",
            {'leadline_gate_closed{gate="account_pause"}': "1x30"},
            "20m",
        ),
    ),
    "LeadlineUnknownAttemptsAgeing": (
        fires(
            "for over an hour",
            {'leadline_oldest_open_attempt_seconds{state="unknown"}': "3660x30"},
            "10m",
            ticket("For 1h 1m 0s nobody could say whether a call exists; its lead waits."),
        ),
        quiet(
            "a long call is no unknown one", {'leadline_oldest_open_attempt_seconds{state="placed"}': "9000x30"}, "20m"
        ),
        edge("exactly an hour", {'leadline_oldest_open_attempt_seconds{state="unknown"}': "3600x30"}, "20m"),
        edge(
            "the sweep finds it out",
            {'leadline_oldest_open_attempt_seconds{state="unknown"}': course("3660 for 8, then 0 for 20")},
            "20m",
        ),
    ),
    "LeadlineStopOrdersUnconfirmed": (
        fires(
            "for three sweeps",
            {"leadline_unconfirmed_stop_orders": "2x30"},
            "15m",
            ticket("Calls of people who said stop that were ordered to end, and nobody has confirmed it: 2."),
        ),
        quiet("all are confirmed", {"leadline_unconfirmed_stop_orders": "0x30"}, "20m"),
        edge("one after another, each confirmed", {"leadline_unconfirmed_stop_orders": "1x5 0 1x10 0 1x10"}, "22m"),
    ),
    "LeadlineCallbacksMissed": (
        fires(
            "one person was not called",
            {'leadline_callbacks_total{campaign="awhealth", kept="missed"}': course("0 for 10, then 1 for 80")},
            "15m",
            ticket(
                "1 people of awhealth were promised a call in the last hour and did not get it.",
                campaign="awhealth",
            ),
        ),
        quiet(
            "all are kept, some late",
            {
                'leadline_callbacks_total{campaign="awhealth", kept="kept"}': "0+1x30",
                'leadline_callbacks_total{campaign="awhealth", kept="late"}': "0+1x30",
            },
            "15m",
        ),
        edge(
            "over an hour ago",
            {'leadline_callbacks_total{campaign="awhealth", kept="missed"}': course("0 for 10, then 1 for 100")},
            "72m",
        ),
        edge(
            "the pod begins anew at zero",
            {'leadline_callbacks_total{campaign="awhealth", kept="missed"}': course("3 for 70, then 0 for 30")},
            "80m",
        ),
    ),
    "LeadlineCallbacksOverdue": (
        fires(
            "for ten minutes",
            {'leadline_callbacks_overdue{campaign="awhealth"}': "2x30"},
            "10m",
            ticket(
                "People of awhealth who wait for a call that was promised for over 15 minutes ago: 2.",
                campaign="awhealth",
            ),
        ),
        quiet("none is", {'leadline_callbacks_overdue{campaign="awhealth"}': "0x30"}, "20m"),
        edge(
            "nine minutes", {'leadline_callbacks_overdue{campaign="awhealth"}': course("1 for 9, then 0 for 20")}, "15m"
        ),
    ),
    "LeadlineAnswerRateFalling": (
        fires(
            "20 % yesterday, now 10 %",
            _outcomes("2/step for 288, then 1/step for 72", "8/step for 288, then 9/step for 72"),
            "29h",
            _falling("10%"),
            step="5m",
        ),
        quiet("20 % as ever", _outcomes("2/step for 360", "8/step for 360"), "29h", step="5m"),
        quiet("nobody is called at night", _outcomes("0/step for 360", "0/step for 360"), "29h", step="5m"),
        edge(
            "14 % is not a third less",
            _outcomes("2/step for 288, then 1.4/step for 72", "8/step for 288, then 8.6/step for 72"),
            "29h",
            step="5m",
        ),
        edge(
            "a hundred calls in three hours prove nothing",
            _outcomes("2/step for 288, then 0.1/step for 72", "8/step for 288, then 2.6/step for 72"),
            "29h",
            step="5m",
        ),
        edge(
            "the first day has nothing to compare with", _outcomes("1/step for 100", "9/step for 100"), "7h", step="5m"
        ),
        edge(
            "calls that fail are not people who do not answer",
            _outcomes(
                "2/step for 288, then 2/step for 72",
                "8/step for 360",
                {_OUTCOMES % "FAILED": course("0/step for 288, then 90/step for 72")},
            ),
            "29h",
            step="5m",
        ),
        edge(
            "only two of the seven days had calls",
            _outcomes(
                "0/step for 1440, then 2/step for 576, then 1/step for 72",
                "0/step for 1440, then 8/step for 576, then 9/step for 72",
            ),
            "173h",
            _falling("10%"),
            step="5m",
        ),
    ),
    "LeadlineHeldAgeing": (
        fires(
            "for over a day",
            {'leadline_oldest_held_seconds{reason="crm_unknown"}': "90000x20"},
            "1h",
            ticket("A lead has been held as crm_unknown for 1d 1h 0m 0s.", reason="crm_unknown"),
            step="5m",
        ),
        quiet("none is held", {}, "2h", step="5m"),
        quiet(
            "nobody has asked to call it",
            {'leadline_oldest_held_seconds{reason="foreign"}': "900000x40"},
            "2h",
            step="5m",
        ),
        edge("exactly a day", {'leadline_oldest_held_seconds{reason="backfill"}': "86400x40"}, "2h", step="5m"),
        edge(
            "somebody decides within the hour",
            {'leadline_oldest_held_seconds{reason="unresolved_call"}': course("90000 for 10, then 0 for 20")},
            "2h",
            step="5m",
        ),
    ),
    "LeadlineLeasesExpiring": (
        fires(
            "a dialer leases and dies, again and again",
            {"leadline_leases_expired_total": "0+1x30"},
            "15m",
            ticket("15 leases ran out in a quarter of an hour."),
        ),
        quiet("none runs out", {"leadline_leases_expired_total": "40x30"}, "20m"),
        edge("a dialer was killed with five", {"leadline_leases_expired_total": "0x10 5x20"}, "20m"),
        edge(
            "of two replicas together",
            {
                'leadline_leases_expired_total{pod="b"}': "0+0.2x30",
                'leadline_leases_expired_total{pod="c"}': "0+0.2x30",
            },
            "15m",
            ticket("6 leases ran out in a quarter of an hour."),
        ),
    ),
}
