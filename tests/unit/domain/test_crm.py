"""Standings: nothing learned is no permission, and the strictest of several leads wins."""

from itertools import permutations

import pytest

from leadline.domain.crm import (
    FINAL_STANDINGS,
    ClearanceMode,
    CrmStanding,
    CrmStatus,
    clearance_needed,
    may_be_written,
    standing_of,
    strictest,
)
from leadline.domain.outcome import DEFAULT_FINAL_OUTCOMES, Outcome

STATUSES = {
    status.code: status
    for status in (
        CrmStatus("SALE", "Sale", final=True, success=True),
        CrmStatus("ACA", "ACA sale", success=True),
        CrmStatus("DNC", "Do not call", final=True, dnc=True),
        CrmStatus("NI", "Not interested", final=True),
        CrmStatus("A", "Answering machine"),
    )
}


@pytest.mark.parametrize(
    ("code", "standing"),
    [
        ("SALE", CrmStanding.SALE),
        ("ACA", CrmStanding.ACA),
        ("DNC", CrmStanding.DNC),
        ("NI", CrmStanding.FINAL),
        ("A", CrmStanding.OPEN),
        (" sale ", CrmStanding.SALE),
        ("VM", CrmStanding.UNKNOWN),
        ("", CrmStanding.UNKNOWN),
    ],
)
def test_a_code_stands_for_what_the_account_says(code: str, standing: CrmStanding) -> None:
    assert standing_of(code, STATUSES) is standing


def test_without_any_status_nothing_is_known() -> None:
    assert standing_of("SALE", {}) is CrmStanding.UNKNOWN


def test_do_not_call_outweighs_success_and_success_outweighs_final() -> None:
    assert CrmStatus("X", "x", final=True, success=True, dnc=True).standing is CrmStanding.DNC
    assert CrmStatus("X", "x", final=True, success=True).standing is CrmStanding.SALE
    assert CrmStatus("X", "x", success=True).standing is CrmStanding.SALE


def test_the_strictest_wins_in_any_order() -> None:
    by_strictness = [
        CrmStanding.DNC,
        CrmStanding.SALE,
        CrmStanding.ACA,
        CrmStanding.FINAL,
        CrmStanding.UNKNOWN,
        CrmStanding.OPEN,
    ]
    for n, expected in enumerate(by_strictness):
        for pair in permutations([expected, *by_strictness[n:]], 2):
            assert strictest(pair) is min(pair, key=by_strictness.index)
        assert strictest(reversed(by_strictness[n:])) is expected


def test_nobody_at_all_is_unknown() -> None:
    assert strictest([]) is CrmStanding.UNKNOWN


def test_only_open_and_unknown_end_nothing() -> None:
    assert set(CrmStanding) - FINAL_STANDINGS == {CrmStanding.OPEN, CrmStanding.UNKNOWN}


@pytest.mark.parametrize("outcome", Outcome)
def test_an_open_status_may_always_be_written(outcome: Outcome) -> None:
    assert may_be_written("A", outcome, STATUSES)


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("code", ["SALE", "ACA", "DNC", "NI"])
def test_an_end_is_written_for_an_outcome_that_ends_alone(code: str, outcome: Outcome) -> None:
    ends = outcome in DEFAULT_FINAL_OUTCOMES or outcome is Outcome.BAD_NUMBER
    assert may_be_written(code, outcome, STATUSES) == ends


@pytest.mark.parametrize("outcome", Outcome)
def test_a_status_that_the_account_does_not_list_is_never_written(outcome: Outcome) -> None:
    assert not may_be_written("UNKNWN", outcome, STATUSES)


@pytest.mark.parametrize(
    ("mode", "was_transferred", "needed"),
    [
        (ClearanceMode.OFF, True, False),
        (ClearanceMode.OFF, False, False),
        (ClearanceMode.AFTER_TRANSFER, True, True),
        (ClearanceMode.AFTER_TRANSFER, False, False),
        (ClearanceMode.EVERY_DIAL, True, True),
        (ClearanceMode.EVERY_DIAL, False, True),
    ],
)
def test_when_the_crm_must_have_cleared_a_number(mode: ClearanceMode, was_transferred: bool, needed: bool) -> None:
    assert clearance_needed(mode, was_transferred=was_transferred) is needed
