"""How Leadline's words are spelled in Convoso: data, and the forms that are made of it.

Source of the table: the status codes that the account's agents work with, one for each outcome.
"""

from collections.abc import Mapping
from typing import Final

from leadline.crm.port import CallNews
from leadline.domain.crm import StatusTable, may_be_written
from leadline.domain.ids import PhoneNumber
from leadline.domain.outcome import Outcome
from leadline.domain.phone import national_form
from leadline.runtime import loose_json
from leadline.runtime.settings.errors import SettingsError

STATUS_OF_OUTCOME: Final[Mapping[Outcome, str]] = {
    Outcome.TRANSFERRED: "ACA",
    Outcome.SALE: "SALE",
    Outcome.ACA: "ACA",
    Outcome.VOICEMAIL: "A",
    Outcome.CALLBACK: "CB",
    Outcome.CONFUSED: "CD",
    Outcome.NOT_INTERESTED: "NI",
    Outcome.NO_ANSWER: "NA",
    Outcome.BUSY: "B",
    Outcome.BAD_NUMBER: "BPN",
    Outcome.DNC: "DNCA",
    Outcome.DO_NOT_CALL: "DNCA",
    Outcome.FAILED: "N",
    Outcome.UNKNOWN: "N",
}
"""What a result would set; whether it may is for `may_be_written` to say: a transfer is no sale, its ACA stays out."""

CONVOSO_FIELD: Final[Mapping[str, str]] = {
    "transcript": "call_transcript",
    "summary": "call_summary",
    "talk_seconds": "call_duration",
    "answered_by": "answered_by",
    "recording_url": "recording_url",
    "plan_type": "plan_type",
    "member_count": "member_count",
    "postal_code": "postal_code",
    "state": "state",
    "age": "age",
    "first_name": "first_name",
    "last_name": "last_name",
    "call_ended_by": "call_ended_by",
    "transferred_to": "transferred_to",
}
"""Our names of what is known of a call -> Convoso's fields of a lead. What is not listed is not sent."""

_LONGEST_TRANSCRIPT: Final = 32_000
_LONGEST_TEXT: Final = 2_000
_LONGEST_REASON: Final = 250
_US_PREFIX: Final = "+1"
_ALL_CAMPAIGNS: Final = "0"


def codes_with(chosen: Mapping[str, str]) -> dict[Outcome, str]:
    """The table, with the codes that LEADLINE_CONVOSO_STATUSES chose. Raises SettingsError for an unknown outcome."""
    codes = dict(STATUS_OF_OUTCOME)
    for name, code in chosen.items():
        try:
            codes[Outcome(name.upper())] = code.upper()
        except ValueError:
            known = ", ".join(Outcome)
            raise SettingsError.about("LEADLINE_CONVOSO_STATUSES", f"{name!r} is no outcome; {known} are") from None
    return codes


def result_form(news: CallNews, codes: Mapping[Outcome, str], statuses: StatusTable) -> dict[str, str]:
    """The form of `leads/update` for how a call came out; empty if there is nothing to tell but who is meant."""
    told = {
        convoso: value
        for ours, convoso in CONVOSO_FIELD.items()
        if (value := loose_json.text(news.fields.get(ours), _longest(ours)))
    }
    code = codes[news.outcome]
    if not news.keeps_status and may_be_written(code, news.outcome, statuses):
        told["status"] = code
    if not told:
        return {}
    who = {"lead_id": news.crm_lead_id, "phone_number": national_form(news.phone_number)}
    return who | ({"list_id": news.crm_list_id} if news.crm_list_id else {}) | told


def suppression_form(phone_number: PhoneNumber, reason: str) -> dict[str, str]:
    """The form of `dnc/insert` for all campaigns; only of a US number the country's digits are told apart."""
    form = {"phone_number": national_form(phone_number), "campaign_id": _ALL_CAMPAIGNS}
    if phone_number.startswith(_US_PREFIX):
        form["phone_code"] = "1"
    said = loose_json.text(reason, _LONGEST_REASON)
    return form | ({"reason": said} if said else {})


def _longest(name: str) -> int:
    return _LONGEST_TRANSCRIPT if name == "transcript" else _LONGEST_TEXT
