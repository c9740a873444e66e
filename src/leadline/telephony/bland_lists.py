"""Bland's lists of calls: paging of `GET /v1/calls` and the shape of `/v1/calls/active`.

Facts: index paging `from` (inclusive) and `to` (exclusive), newest first unless `ascending`; there is no `page`
parameter and unknown parameters are ignored in silence; the number filter is exact and numbers may be listed with or
without +1; `start_date` is inclusive; the answer is `{total_count, count, calls[]}`, and a bare array has been seen.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from leadline.domain.ids import CallId, PhoneNumber
from leadline.domain.phone import national_form, normalise_any
from leadline.runtime import loose_json
from leadline.telephony.port import FoundCalls, ListedCall, ProviderNonsense

PAGE_CALLS: Final = 1000
MOST_PAGES: Final = 20
MOST_HISTORY_PAGES: Final = 200
_LONGEST_ID: Final = 128

ListPage = Callable[[Mapping[str, str]], Awaitable[object]]
"""Asks for one page: the query's parameters in, the decoded body out."""


async def find_calls(list_page: ListPage, phone_number: PhoneNumber, since: datetime) -> FoundCalls:
    """All calls to a number since an instant, without an end: the call looked for may be younger than the question.

    Raises:
        ProviderError: a page could not be read.
    """
    found: dict[CallId, ListedCall] = {}
    complete = True
    for spelling in number_spellings(phone_number):
        complete &= await _page_through(list_page, {"to_number": spelling}, since, found, MOST_PAGES)
    return FoundCalls(tuple(call for call in found.values() if _same_number(call.to_number, phone_number)), complete)


async def list_history(list_page: ListPage, since: datetime) -> FoundCalls:
    """All calls of the account since an instant.

    Raises:
        ProviderError: a page could not be read.
    """
    found: dict[CallId, ListedCall] = {}
    complete = await _page_through(list_page, {}, since, found, MOST_HISTORY_PAGES)
    return FoundCalls(tuple(found.values()), complete)


def number_spellings(phone_number: PhoneNumber) -> tuple[str, ...]:
    """The number with and without its country code: the filter is exact, and Bland lists either."""
    return tuple(dict.fromkeys((phone_number, national_form(phone_number))))


async def _page_through(
    list_page: ListPage, query: Mapping[str, str], since: datetime, found: dict[CallId, ListedCall], most_pages: int
) -> bool:
    """Page through one list into `found`; whether the provider's own count agrees that this was all."""
    listed: set[CallId] = set()
    for page_number in range(most_pages):
        start = page_number * PAGE_CALLS
        body = await list_page(
            {
                **query,
                "start_date": since.astimezone(UTC).isoformat(timespec="seconds"),
                "ascending": "true",
                "from": str(start),
                "to": str(start + PAGE_CALLS),
                "limit": str(PAGE_CALLS),
            }
        )
        rows = list_rows(body)
        calls = list(_calls(rows))
        fresh = {call.call_id for call in calls} - listed
        found.update((call.call_id, call) for call in calls)
        listed |= fresh
        total = loose_json.number(body.get("total_count")) if isinstance(body, dict) else None
        if len(rows) < PAGE_CALLS or not fresh:
            # Without a total nothing says that the list is whole, and absence from it would prove nothing.
            return len(calls) == len(rows) and total is not None and len(listed) >= total
    return False


def list_rows(body: object) -> list[object]:
    """The rows of one page.

    Raises:
        ProviderNonsense: there is no list.
    """
    rows = body.get("calls") if isinstance(body, dict) else body
    if not isinstance(rows, list):
        raise ProviderNonsense("Bland's list of calls has no `calls`")
    return rows


def active_calls(body: object) -> list[ListedCall]:
    """The calls of `GET /v1/calls/active`: `{data: [...], errors: null}`.

    Raises:
        ProviderNonsense: there is no list, or a row without a call id (a list with holes proves nothing).
    """
    rows = body.get("data") if isinstance(body, dict) else body
    if not isinstance(rows, list):
        raise ProviderNonsense("Bland's list of active calls has no `data`")
    calls = list(_calls(rows))
    if len(calls) != len(rows):
        raise ProviderNonsense("Bland's list of active calls has rows without a call id")
    return calls


def _calls(rows: list[object]) -> Iterator[ListedCall]:
    for row in rows:
        if not isinstance(row, dict):
            continue
        call_id = loose_json.text(row.get("call_id") or row.get("c_id"))
        if 0 < len(call_id) <= _LONGEST_ID:
            yield ListedCall(
                call_id=CallId(call_id),
                to_number=loose_json.text(row.get("to"), 64),
                from_number=loose_json.text(row.get("from"), 64),
                created_at=loose_json.instant(row.get("created_at") or row.get("start_time") or row.get("timestamp")),
            )


def same_number(spelt: str, phone_number: PhoneNumber) -> bool:
    """Whether a provider's spelling means this number."""
    return normalise_any(spelt) == phone_number


def _same_number(spelt: str, phone_number: PhoneNumber) -> bool:
    """A call listed without a readable number was asked for by number, so it stays."""
    return normalise_any(spelt) in {None, phone_number}
