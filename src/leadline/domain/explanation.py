"""Reasons in words: every answer of a rule as one plain English sentence, and a list of answers as one verdict."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from leadline.domain.reasons import Code, Rule, RuleAnswer
from leadline.domain.wall_clock import wall_words

_SENTENCES: Final[Mapping[str, str]] = {
    Code.STATUS_PLANNED: "The lead is planned to be called.",
    Code.STATUS_COMPLETED: "The lead is completed{reason}; only an operator can reopen it.",
    Code.STATUS_PAUSED: "The lead is paused{reason} until an operator resumes it.",
    Code.STATUS_HELD: "The lead is held{reason} until an operator decides.",
    Code.STATUS_HELD_FOR_CRM: "The lead is held until the CRM's word on the number is learned; it is asked again.",
    Code.NOT_SUPPRESSED: "The number is not on the suppression list.",
    Code.SUPPRESSED: "The number is on the suppression list{reason}.",
    Code.NUMBER_GOOD: "The number is not known to be bad.",
    Code.NUMBER_BAD: "The number does not work{reason}.",
    Code.NOT_SOLD: "Nobody has bought under this number.",
    Code.SOLD: "The person has bought already ({outcome}).",
    Code.LIFE_CAP_FREE: "The lead has had {attempts} of its {cap} attempts.",
    Code.LIFE_CAP_REACHED: "The lead has had all {cap} attempts of its life ({attempts}).",
    Code.NO_LIVE_ATTEMPT: "No other attempt to the number is open.",
    Code.LIVE_ATTEMPT: "Another attempt to the number is still open.",
    Code.DUE: "The lead is due.",
    Code.NOT_DUE: "The lead is not due before {until}.",
    Code.NO_DUE_TIME: "The lead has no due time.",
    Code.ALREADY_LEASED: "The lead was due when it was leased.",
    Code.NO_REST: "The number need not rest.",
    Code.NUMBER_RESTS: "The number rests until {until}, because the person was just on the phone.",
    Code.SPACING_KEPT: "The last call to the number is long enough ago.",
    Code.TOO_SOON: "The last call to the number was too short a time ago; the next may be made at {until}.",
    Code.INSIDE_CALLING_HOURS: "The campaign's calling hours are open.",
    Code.OUTSIDE_CALLING_HOURS: "The campaign's calling hours are closed; next opening: {until}.",
    Code.INSIDE_LEGAL_HOURS: "The law allows the call in every zone in which the person may be.",
    Code.OUTSIDE_LEGAL_HOURS: "The law forbids the call: it is {local_time} in {zone}; allowed next: {until}.",
    Code.LEGAL_HOURS_OFF: "The campaign applies no legal hours beside its own calling hours.",
    Code.DAY_CAP_FREE: "The number has had {attempts} of {cap} attempts today.",
    Code.DAY_CAP_REACHED: "The number has had {attempts} of {cap} attempts today; next day with room: {until}.",
    Code.CAMPAIGN_RUNNING: "The campaign is running.",
    Code.CAMPAIGN_PAUSED: "The campaign is paused{reason}.",
    Code.ACCOUNT_RUNNING: "The provider's account is running.",
    Code.ACCOUNT_PAUSED: "The provider's account is paused{reason}.",
    Code.DISPATCH_RUNNING: "Dispatch is running.",
    Code.DISPATCH_HELD: "All dispatch is held{reason}.",
    Code.CRM_NOT_ASKED: "The CRM need not be asked before the call.",
    Code.CRM_ASKED_FIRST: "The CRM is asked right before the call; without its word there is none.",
    Code.PACE_FREE: "The pace leaves room for a call.",
    Code.PACE_FULL: "The pace leaves no room for a call now{reason}.",
}
"""One sentence for each code. `{reason}` becomes ` (reason)`, or nothing; a missing figure becomes `unknown`."""

_LASTING: Final = frozenset({Rule.STATUS, Rule.SUPPRESSION, Rule.BAD_NUMBER, Rule.SOLD, Rule.LIFE_CAP})
"""Rules whose refusal only an operator lifts."""

_NO_TIME: Final = "none within 370 days"
_UTC: Final = ZoneInfo("UTC")


def words(answer: RuleAnswer) -> str:
    """The sentence of an answer. Total: a code without a sentence of its own still gets one."""
    sentence = _SENTENCES.get(answer.code)
    if sentence is None:
        verb = "allows" if answer.allowed else "refuses"
        return f"The rule {answer.rule.value} {verb} the call ({answer.code})."
    return sentence.format_map(_Facts(answer))


class _Facts(dict[str, str]):
    """The facts of an answer as a sentence needs them, with words for what is missing."""

    def __init__(self, answer: RuleAnswer) -> None:
        super().__init__(answer.facts)
        reason = answer.facts.get("reason", "").strip()
        self["reason"] = f" ({reason.replace('_', ' ')})" if reason else ""
        if "until" not in self:
            self["until"] = _NO_TIME if answer.until is None else wall_words(answer.until, _UTC)

    def __missing__(self, key: str) -> str:
        return "unknown"


def verdict(answers: Sequence[RuleAnswer], next_call_at: datetime | None = None, zone: ZoneInfo | None = None) -> str:
    """One sentence for all answers: may be called now; or is called at a time, and why not sooner; or is not called.

    `next_call_at`: the first instant at which a call is planned and legal, if the caller knows it; else it is when the
    last rule allows. Shown on the wall clock of `zone` (UTC if none).
    """
    refused = [answer for answer in answers if not answer.allowed]
    if not refused:
        return "The lead may be called now: every rule allows it."
    lasting = [answer for answer in refused if answer.rule in _LASTING]
    if lasting:
        # The last one tells most: `suppressed` explains `completed`.
        return f"The lead is not called: {_clause(lasting[-1])}"
    for answer in refused:
        if answer.until is None:
            return f"The lead is not called now: {_clause(answer)}"
    last = max(refused, key=_until)
    at = wall_words(next_call_at or _until(last), zone or _UTC)
    return f"The lead is called at {at}, not sooner: {_clause(last)}"


def _until(answer: RuleAnswer) -> datetime:
    return answer.until or datetime.max.replace(tzinfo=UTC)


def _clause(answer: RuleAnswer) -> str:
    sentence = words(answer)
    return sentence[0].lower() + sentence[1:]
