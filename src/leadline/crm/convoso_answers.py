"""What Convoso's answers mean: pure and total, and where they prove nothing, no permission.

Convoso says no inside HTTP 200 (`{"success": false, "code": 6001, "text": "No such Lead"}`) and prints totals as
numbers or as texts. Sources: the vendor's help pages on `leads/search`, `status/search` and error codes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from leadline.crm.port import CrmError, CrmNonsense, CrmRefused, CrmUnreachable
from leadline.domain.crm import CrmStatus
from leadline.domain.ids import PhoneNumber
from leadline.domain.phone import normalise_any
from leadline.runtime import loose_json
from leadline.runtime.http.provider_figures import AnswerClass, class_of_status

_LONGEST_CAUSE: Final = 200
_LONGEST_CODE: Final = 64
_LONGEST_ID: Final = 128
_LONGEST_NAME: Final = 200
_MOST_ROWS: Final = 1e9
_MANY_DIGITS: Final = re.compile(r"\d{7,}")
_TOKEN_CODES: Final = frozenset({"401", "403"})
_TOKEN_WORDS: Final = re.compile(r"forbidden|unauthori[sz]ed|auth[_ ]?token", re.IGNORECASE)
_LATER_CODES: Final = re.compile(r"429|5\d\d")
_LATER_WORDS: Final = re.compile(r"rate.?limit|too many requests", re.IGNORECASE)
_REFUSING_STATUSES: Final = frozenset({400, 422})
"""With these, as with 200, Convoso may say an error code."""
_STATUS_CODES: Final = re.compile(r"401|403|404|429|5\d\d")
_CLASSES: Final = (
    (re.compile(r"already exists", re.IGNORECASE), AnswerClass.OK),  # it is as was asked for
    (re.compile(r"forbidden", re.IGNORECASE), AnswerClass.FORBIDDEN),
    (_TOKEN_WORDS, AnswerClass.UNAUTHORIZED),
    (_LATER_WORDS, AnswerClass.RATE_LIMITED),
    (re.compile(r"\bdnc\b|do.not.call", re.IGNORECASE), AnswerClass.DNC),
    (re.compile(r"\bno such\b|not found", re.IGNORECASE), AnswerClass.NOT_FOUND),
)
_NO_WORDS: Final = frozenset({"", "n", "no", "f", "false", "0", "0.0", "off"})
_FLAGS: Final = ("final", "success", "dnc")


class SaidNo(CrmError):
    """Convoso understood the request and refuses it."""

    code = "crm_said_no"

    def __init__(self, said_code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.said_code = said_code
        """Convoso's own error code, such as 6001."""


@dataclass(frozen=True, slots=True)
class Said:
    """What Convoso said to one request, not judged yet."""

    status: int
    """Of HTTP."""
    envelope: Mapping[str, Any]
    code: str
    cause: str
    """Code and text in one line, without numbers of people and without the secret; empty if it says nothing."""

    @property
    def answer_class(self) -> AnswerClass:
        """What it comes to, for figures: nothing is decided by it."""
        plain = class_of_status(self.status)
        if plain is AnswerClass.OK and loose_json.flag(self.envelope.get("success")):
            return AnswerClass.OK
        if not (200 <= self.status < 300 or self.status in _REFUSING_STATUSES):
            return plain
        if "success" not in self.envelope:
            return AnswerClass.UNREADABLE
        if _STATUS_CODES.fullmatch(self.code):
            return class_of_status(int(self.code))
        return next((named for words, named in _CLASSES if words.search(self.cause)), AnswerClass.BAD_REQUEST)

    def answer(self, retry_after_seconds: float | None = None) -> Mapping[str, Any]:
        """As `read_answer`."""
        cause = self.cause or "without a cause"
        if self.status == 429 or self.status >= 500:
            raise CrmUnreachable(f"Convoso answered {self.status}: {cause}", retry_after_seconds)
        if self.status in {401, 403}:
            raise CrmRefused(f"Convoso refuses our token: {self.status} {cause}")
        if "success" not in self.envelope or not (200 <= self.status < 300 or self.status in _REFUSING_STATUSES):
            raise CrmNonsense(f"Convoso answered {self.status} in a shape that cannot be read")
        if not loose_json.flag(self.envelope["success"]):
            raise _refusal(self.code, cause, retry_after_seconds)
        if self.status >= 300:
            raise CrmNonsense(f"Convoso answered {self.status} and calls it a success")
        return self.envelope


def decode(status: int, raw: bytes, *, secret: str = "") -> Said:
    """Take in an answer that was read to its end; `secret` is kept out of all errors, should Convoso repeat it."""
    decoded = loose_json.loads(raw)
    envelope = decoded if isinstance(decoded, dict) else {}
    code = loose_json.text(envelope.get("code"), _LONGEST_CODE)
    return Said(status, envelope, code, _cause(envelope, code, secret))


def read_answer(
    status: int, raw: bytes, retry_after_seconds: float | None = None, *, secret: str = ""
) -> Mapping[str, Any]:
    """The decoded answer to a request that was done.

    Args:
        status: of HTTP.
        raw: read to its end.
        retry_after_seconds: what the answer's headers asked for.
        secret: kept out of every error, should Convoso repeat it.

    Raises:
        CrmError: CrmUnreachable: later (429, 5xx); CrmRefused: the token is refused; SaidNo: an error code;
            CrmNonsense: the rest.
    """
    return decode(status, raw, secret=secret).answer(retry_after_seconds)


def _refusal(code: str, cause: str, retry_after_seconds: float | None) -> CrmError:
    if code in _TOKEN_CODES or _TOKEN_WORDS.search(cause):
        return CrmRefused(f"Convoso refuses our token: {cause}")
    if _LATER_CODES.fullmatch(code) or _LATER_WORDS.search(cause):
        return CrmUnreachable(f"Convoso said: {cause}", retry_after_seconds)
    return SaidNo(code, f"Convoso said: {cause}")


def _cause(envelope: Mapping[str, Any], code: str, secret: str) -> str:
    """Code and text in one line, without numbers of people."""
    words = next((found for key in ("text", "message", "error") if (found := loose_json.text(envelope.get(key)))), "")
    said = f"{code} {words}".strip()
    said = said.replace(secret, "...") if secret else said
    return _MANY_DIGITS.sub("...", said)[:_LONGEST_CAUSE]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search."""

    rows: tuple[object, ...]
    total: int | None
    """How many there are in all; None if it cannot be read."""


def read_page(answer: Mapping[str, Any]) -> Page:
    """The rows of a search and their total. Raises CrmNonsense if there is no place for rows: that is not `none`."""
    data = answer.get("data")
    if not isinstance(data, dict):
        raise CrmNonsense("Convoso's search has no data")
    rows = data.get("entries")
    if isinstance(rows, dict):
        # PHP prints an array with gaps as an object.
        rows = list(rows.values())
    if not isinstance(rows, list):
        raise CrmNonsense("Convoso's search has no entries")
    total = loose_json.number_between(data.get("total"), 0, _MOST_ROWS)
    return Page(tuple(rows), None if total is None else int(total))


@dataclass(frozen=True, slots=True)
class FoundLead:
    """One lead of the CRM. What could not be read is empty."""

    lead_id: str
    list_id: str
    status: str
    phone_number: PhoneNumber | None


def read_lead(row: object) -> FoundLead:
    """A row of `leads/search`; its id is called `id`, elsewhere in Convoso `lead_id`."""
    fields = row if isinstance(row, dict) else {}
    return FoundLead(
        lead_id=loose_json.text(fields.get("id") or fields.get("lead_id"), _LONGEST_ID),
        list_id=loose_json.text(fields.get("list_id"), _LONGEST_ID),
        status=loose_json.text(fields.get("status"), _LONGEST_CODE),
        phone_number=normalise_any(loose_json.text(fields.get("phone_number"), _LONGEST_CODE)),
    )


def read_statuses(rows: tuple[object, ...]) -> Iterator[CrmStatus]:
    """The statuses of `status/search`. One whose flags say nothing is left out: unlisted, it permits nothing."""
    for row in rows:
        fields = {str(key).lower(): value for key, value in row.items()} if isinstance(row, dict) else {}
        code = loose_json.text(fields.get("status"), _LONGEST_CODE).upper()
        flags = {name: _yes_or_no(fields[name]) for name in _FLAGS if name in fields}
        if code and flags and None not in flags.values():
            yes = {name for name, said in flags.items() if said}
            name = loose_json.text(fields.get("name"), _LONGEST_NAME) or code
            yield CrmStatus(code, name, final="final" in yes, success="success" in yes, dnc="dnc" in yes)


def _yes_or_no(value: object) -> bool | None:
    """What a flag says; nothing at all counts as no, and what is neither as None."""
    if isinstance(value, dict | list):
        return None
    if loose_json.flag(value):
        return True
    return False if loose_json.text(value).lower() in _NO_WORDS else None


def merged(statuses: Iterator[CrmStatus]) -> dict[str, CrmStatus]:
    """Statuses by code; one that is listed twice keeps every flag that either has."""
    table: dict[str, CrmStatus] = {}
    for status in statuses:
        known = table.get(status.code, status)
        table[status.code] = CrmStatus(
            known.code,
            known.name,
            final=known.final or status.final,
            success=known.success or status.success,
            dnc=known.dnc or status.dnc,
        )
    return table
