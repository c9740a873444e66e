"""Names that providers and accounts give to outcomes, and which outcome each means."""

import re
from collections.abc import Mapping
from typing import Final

from leadline.domain.outcome import STOP_OUTCOMES, Outcome

MAPPABLE_OUTCOMES: Final = frozenset(Outcome) - {Outcome.TRANSFERRED, Outcome.BAD_NUMBER, Outcome.UNKNOWN}
"""Outcomes that a name may mean. A transfer and a bad number need evidence that no tag is."""

_SEPARATORS: Final = re.compile(r"[\W_]+")
_APOSTROPHES: Final = re.compile("['\N{RIGHT SINGLE QUOTATION MARK}]")


def normal_name(text: str) -> str:
    """A name as names are compared: case, spaces, underscores and hyphens do not matter."""
    return _SEPARATORS.sub("_", _APOSTROPHES.sub("", text).casefold()).strip("_")


_KNOWN: Final[Mapping[Outcome, str]] = {
    Outcome.DO_NOT_CALL: """do_not_call dont_call dnc do_not_contact dont_contact do_not_call_list dnc_list dnc_request
        add_to_dnc dnc_requested do_not_call_requested remove_from_list stop_calling never_call opt_out opted_out
        unsubscribe unsubscribed""",
    Outcome.SALE: "sale sold sale_made",
    Outcome.ACA: "aca",
    Outcome.NOT_INTERESTED: "not_interested no_interest decline declined",
    Outcome.VOICEMAIL: "voicemail voice_mail left_voicemail voicemail_left answering_machine answer_machine machine",
    Outcome.CALLBACK: """callback call_back callback_requested call_back_requested callback_scheduled
        call_back_scheduled callback_later call_back_later schedule_callback schedule_call_back""",
}

DEFAULT_NAMES: Final[Mapping[str, Outcome]] = {
    name: outcome for outcome, names in _KNOWN.items() for name in names.split()
}
"""Leadline's own names and Bland's built-in dispositions, in normal form, as far as the spec gives them a meaning."""

_STOP_NAMES: Final = {name: outcome for name, outcome in DEFAULT_NAMES.items() if outcome in STOP_OUTCOMES}


def known_names(account_names: Mapping[str, Outcome]) -> Mapping[str, Outcome]:
    """The default names with the account's own, which win, except that no account can unlearn what stop means."""
    if not account_names:
        return DEFAULT_NAMES
    own = {normal_name(name): outcome for name, outcome in account_names.items() if outcome in MAPPABLE_OUTCOMES}
    return {**DEFAULT_NAMES, **own, **_STOP_NAMES}
