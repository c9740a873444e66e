"""What Bland's answer to `POST /v1/calls` means: pure, total, by message and code before status.

Sources: the vendor's error catalogue for `POST /v1/calls` and both of its error envelopes,
`{status, message, errors[]}` and `{data: null, errors: [{error, message}]}`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from leadline.contracts.leases import RejectionClass
from leadline.domain.ids import CallId
from leadline.runtime import loose_json
from leadline.runtime.http.answers import retry_after_seconds
from leadline.runtime.http.provider_figures import AnswerClass, class_of_status
from leadline.telephony.port import Doubt, PlaceAnswer, Placed, Rejected

_LONGEST_MESSAGE: Final = 500
_CALL_ID: Final = re.compile(r"[!-~]{1,128}")

_UNCERTAIN: Final = re.compile(r"unable to queue", re.IGNORECASE)
_SAME_NUMBER: Final = re.compile(r"same (phone )?number|every \d+ seconds", re.IGNORECASE)
_DNC: Final = re.compile(r"\bdnc\b|do.not.call list", re.IGNORECASE)
_OUR_OWN_NUMBER: Final = re.compile(
    r"transfer|\bsms\b|caller.?id|voicemail|webhook"
    r"|[\"'`]from[\"'`]|\bfrom[ _](phone[ _])?number|invalid from\b|\bfrom must",
    re.IGNORECASE,
)
_BAD_NUMBER: Final = re.compile(
    r"blacklisted|destination[_ ]blocked|blocked destination|call_unpaid_intl_block"
    r"|invalid (phone[_ ])?number|phone[_ ]number (is )?(invalid|not valid)",
    re.IGNORECASE,
)
_CAPACITY: Final = re.compile(r"rate.?limit|call_rl_|concurren|too many requests", re.IGNORECASE)
_ACCOUNT: Final = re.compile(
    r"auth_failure|no billing record|insufficient balance|account (was |is )?flagged", re.IGNORECASE
)

_CLASSES: Final = (
    (_DNC, AnswerClass.DNC),
    (re.compile(r"auth_failure", re.IGNORECASE), AnswerClass.UNAUTHORIZED),
    (re.compile(r"no billing record|insufficient balance", re.IGNORECASE), AnswerClass.PAYMENT_REQUIRED),
    (re.compile(r"account (was |is )?flagged", re.IGNORECASE), AnswerClass.FORBIDDEN),
    (_CAPACITY, AnswerClass.RATE_LIMITED),
    (re.compile(r"not found|\bno call\b|does not exist", re.IGNORECASE), AnswerClass.NOT_FOUND),
)
_ACCOUNT_STATUSES: Final = frozenset({401, 402, 403})
_CAMPAIGN_STATUSES: Final = frozenset({404, 418, 422})
_STATED_CAUSE_STATUSES: Final = frozenset({400, 422})


def classify_answer(status: int, headers: Mapping[str, str], body: bytes) -> PlaceAnswer:
    """Say what a complete answer means.

    Args:
        headers: case-insensitive; only `Retry-After` and `Date` are read.
        body: read to its end, within a bound; one that was cut reads as unreadable.
    """
    decoded = loose_json.loads(body)
    envelope = decoded if isinstance(decoded, dict) else {}
    if 200 <= status < 300:
        call_id = _call_id(envelope)
        return Placed(call_id) if call_id else Doubt("no_call_id", status)
    if status < 400 or status >= 500:
        return Doubt("redirect" if 300 <= status < 400 else f"http_{status}", status)
    causes = list(_causes(envelope))
    stated = "; ".join(dict.fromkeys(causes))
    rejection = _rejection(status, stated)
    if rejection is None:
        return Doubt(_doubt_reason(status, stated), status)
    message = (stated or f"HTTP {status}")[:_LONGEST_MESSAGE]
    retry_after = retry_after_seconds(headers) if rejection is RejectionClass.CAPACITY else None
    return Rejected(rejection, message, status, retry_after)


def answer_class(status: int, body: bytes) -> AnswerClass:
    """What an answer to any request comes to, for figures: nothing is decided by it."""
    said = class_of_status(status)
    if not 400 <= status < 500 or status in _ACCOUNT_STATUSES:
        return said
    stated = stated_cause(body)
    return next((named for words, named in _CLASSES if words.search(stated)), said)


def stated_cause(body: bytes) -> str:
    """Everything an error envelope says, as one line; empty if it says nothing."""
    decoded = loose_json.loads(body)
    return "; ".join(dict.fromkeys(_causes(decoded)))[:_LONGEST_MESSAGE] if isinstance(decoded, dict) else ""


def _call_id(envelope: Mapping[str, Any]) -> CallId | None:
    data = envelope.get("data")
    for holder in (envelope, data if isinstance(data, dict) else {}):
        found = loose_json.text(holder.get("call_id"))
        if _CALL_ID.fullmatch(found):
            return CallId(found)
    return None


def _causes(envelope: Mapping[str, Any]) -> Iterator[str]:
    for key in ("status", "error", "code", "message"):
        found = loose_json.text(envelope.get(key), _LONGEST_MESSAGE)
        if found and found.lower() not in {"error", "success"}:
            yield found
    for error in loose_json.items(envelope.get("errors")):
        parts = [error.get(key) for key in ("error", "code", "message", "path")] if isinstance(error, dict) else [error]
        yield from filter(None, (loose_json.text(part, _LONGEST_MESSAGE) for part in parts))


def _rejection(status: int, stated: str) -> RejectionClass | None:
    """Whom the refusal concerns; None if it does not prove that there is no call."""
    if status in _ACCOUNT_STATUSES:
        return RejectionClass.ACCOUNT
    if _SAME_NUMBER.search(stated) or _UNCERTAIN.search(stated):
        return None
    if status == 429:
        return _by_cause(stated) or RejectionClass.CAPACITY
    if status in _STATED_CAUSE_STATUSES and stated:
        return _by_cause(stated) or RejectionClass.CAMPAIGN
    return RejectionClass.CAMPAIGN if status in _CAMPAIGN_STATUSES else None


def _by_cause(stated: str) -> RejectionClass | None:
    if _DNC.search(stated):
        return RejectionClass.DNC
    # A complaint about our own `from` or transfer number must never end the lead.
    if _BAD_NUMBER.search(stated) and not _OUR_OWN_NUMBER.search(stated):
        return RejectionClass.BAD_NUMBER
    if _ACCOUNT.search(stated):
        return RejectionClass.ACCOUNT
    if _CAPACITY.search(stated):
        return RejectionClass.CAPACITY
    return None


def _doubt_reason(status: int, stated: str) -> str:
    if _SAME_NUMBER.search(stated):
        return "same_number_rule"
    return "unable_to_queue" if _UNCERTAIN.search(stated) else f"http_{status}"
