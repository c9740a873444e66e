"""The outcome of a call, derived from its evidence: the spec's table, top down, first row that fits. Pure and total."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from leadline.domain.call_result import CallResult
from leadline.domain.outcome import Outcome
from leadline.domain.rules.bad_numbers import is_bad_number, is_do_not_call
from leadline.domain.rules.outcome_names import known_names, normal_name
from leadline.domain.rules.stop_phrases import stop_phrase_in

_LONGEST_EVIDENCE: Final = 200
_LONG_DIGITS: Final = re.compile(r"\+?\d(?:[\s().-]{0,2}\d){6,}")
_MACHINES: Final = ("voicemail", "voice_mail", "machine", "answering_machine")
_MACHINE_TAGS: Final = ("voicemail", "voice_mail", "answering_machine")
_BUSY: Final = frozenset({"busy", "user_busy", "line_busy"})
_NO_ANSWER: Final = frozenset({"no_answer", "noanswer", "not_answered", "unanswered"})
_FAILED: Final = frozenset({"failed", "failure", "canceled", "cancelled", "error"})
_TOOK_PLACE: Final = frozenset({"completed", "complete"})


@dataclass(frozen=True, slots=True)
class Derived:
    """An outcome with the row of the table and the evidence that made it."""

    outcome: Outcome
    row: int
    evidence: str
    """For people; holds no phone number and of the person's words only the phrase that decided."""
    callback_at_text: str = ""
    """What was said about when to call, as sent, whatever the outcome; `callback.usable_callback` judges it."""


def derive(result: CallResult, names: Mapping[str, Outcome]) -> Derived:
    """The outcome of one call. `names` are the account's own disposition and tag names, beside the default ones."""
    evidence = _Evidence(result, known_names(names))
    for row, outcome_of in _ROWS:
        found = outcome_of(evidence)
        if found is not None:
            outcome, why = found
            return Derived(outcome, row, _printable(why), result.callback_requested_at)
    return Derived(Outcome.UNKNOWN, 11, "nothing tells", result.callback_requested_at)


def _printable(evidence: str) -> str:
    """Evidence as it may be stored and shown: no control characters, no surrogates, no telephone number."""
    text = "".join(letter if letter.isprintable() else " " for letter in evidence[:_LONGEST_EVIDENCE])
    return _LONG_DIGITS.sub("******", text)


_Found = tuple[Outcome, str] | None


class _Evidence:
    """One call's evidence with its words normalised once."""

    def __init__(self, result: CallResult, names: Mapping[str, Outcome]) -> None:
        self.result = result
        self._names = names
        self.status = normal_name(result.status)
        self.answered_by = normal_name(result.answered_by)

    @cached_property
    def took_place(self) -> bool:
        """Whether there was a call to its end; the status knows better than the flag, which may mean `processed`."""
        if self.status in _TOOK_PLACE:
            return True
        if self.status in _FAILED | _BUSY | _NO_ANSWER:
            return False
        return self.result.completed

    @cached_property
    def human(self) -> bool:
        """Whether a person was on the line."""
        return self.answered_by == "human" or any(
            letter.isalnum() for line in self.result.person_lines for letter in line
        )

    def named(self, *wanted: Outcome, variables: bool = False) -> _Found:
        """The first wanted outcome that a disposition, a tag or (if asked) a variable names."""
        for outcome in wanted:
            for kind, name in self._sources(variables=variables):
                if self._names.get(normal_name(name)) is outcome:
                    return outcome, f"{kind} {name.strip()}"
        return None

    def _sources(self, *, variables: bool) -> Iterator[tuple[str, str]]:
        yield from (("disposition", name) for name in self.result.dispositions)
        if variables:
            yield from (("variable", name) for name in self.result.variable_dispositions)
        yield from (("tag", name) for name in self.result.tags)


def _do_not_call(e: _Evidence) -> _Found:
    named = e.named(Outcome.DO_NOT_CALL, Outcome.DNC, variables=True)
    if named is not None:
        return Outcome.DO_NOT_CALL, named[1]
    for line in e.result.person_lines:
        phrase = stop_phrase_in(line)
        if phrase is not None:
            return Outcome.DO_NOT_CALL, f"the person said: {phrase}"
    if not e.took_place and is_do_not_call(e.result.error_message):
        return Outcome.DO_NOT_CALL, f"error {e.result.error_message}"
    return None


def _sale(e: _Evidence) -> _Found:
    return e.named(Outcome.SALE, Outcome.ACA, variables=True)


def _not_interested(e: _Evidence) -> _Found:
    return e.named(Outcome.NOT_INTERESTED)


def _transferred(e: _Evidence) -> _Found:
    if e.result.transfer_state.strip().upper() == "MERGED":
        return Outcome.TRANSFERRED, "warm transfer merged"
    return None


def _bad_number(e: _Evidence) -> _Found:
    if not e.took_place and is_bad_number(e.result.error_message):
        return Outcome.BAD_NUMBER, f"error {e.result.error_message}"
    return None


def _voicemail(e: _Evidence) -> _Found:
    if e.answered_by.startswith(_MACHINES):
        return Outcome.VOICEMAIL, f"answered by {e.result.answered_by}"
    for tag in e.result.tags:
        if any(words in normal_name(tag) for words in _MACHINE_TAGS):
            return Outcome.VOICEMAIL, f"tag {tag.strip()}"
    return e.named(Outcome.VOICEMAIL)


def _not_reached(e: _Evidence) -> _Found:
    for words, outcome in ((_BUSY, Outcome.BUSY), (_NO_ANSWER, Outcome.NO_ANSWER)):
        if e.status in words:
            return outcome, f"status {e.result.status}"
        if e.answered_by in words:
            return outcome, f"answered by {e.result.answered_by}"
    return e.named(Outcome.BUSY, Outcome.NO_ANSWER)


def _callback(e: _Evidence) -> _Found:
    if e.result.callback_requested:
        return Outcome.CALLBACK, "variable callback_requested"
    return e.named(Outcome.CALLBACK)


def _failed(e: _Evidence) -> _Found:
    if e.status in _FAILED:
        return Outcome.FAILED, f"status {e.result.status}"
    if not e.took_place and e.result.error_message.strip():
        return Outcome.FAILED, f"error {e.result.error_message}"
    return e.named(Outcome.FAILED)


def _confused(e: _Evidence) -> _Found:
    return (Outcome.CONFUSED, "a person spoke") if e.human else e.named(Outcome.CONFUSED)


_ROWS: Final[tuple[tuple[int, Callable[[_Evidence], _Found]], ...]] = (
    (1, _do_not_call),
    (2, _sale),
    (3, _not_interested),
    (4, _transferred),
    (5, _bad_number),
    (6, _voicemail),
    (7, _not_reached),
    (8, _callback),
    (9, _failed),
    (10, _confused),
)
