"""What of a list of calls is news, and for which of it the provider's details must be read first."""

from collections.abc import Sequence

from leadline.contracts.backfill import HistoryCall, Sifted
from leadline.domain.attempt import AttemptState
from leadline.domain.ids import PhoneNumber
from leadline.domain.phone import normalise_any
from leadline.store import backfill
from leadline.store.connection import Connection, Row
from services.queue_service.backfilling.history import could_be
from services.queue_service.backfilling.recording import find_known


async def sift(conn: Connection, calls: Sequence[HistoryCall]) -> Sifted:
    """Divide calls, each named once. What is said here may change before they are recorded, and is judged anew then."""
    known = await find_known(conn, [call.call_id for call in calls])
    news = {call.call_id: call for call in calls if call.call_id not in known}
    numbers = {call.call_id: normalise_any(call.phone_number) for call in news.values()}
    wanted = sorted({number for number in numbers.values() if number is not None})
    doubtful: dict[PhoneNumber, list[Row]] = {}
    for row in await backfill.list_without_call(conn, wanted):
        doubtful.setdefault(PhoneNumber(row["phone_number"]), []).append(row)
    ours = {
        call_id
        for call_id, call in news.items()
        if (number := numbers[call_id]) is not None and any(_could_be(row, call) for row in doubtful.get(number, ()))
    }
    return Sifted(
        new=[call_id for call_id in news if call_id not in ours],
        needs_details=[call_id for call_id in news if call_id in ours],
    )


def _could_be(row: Row, call: HistoryCall) -> bool:
    return could_be(AttemptState(row["state"]), row["marked_at"], call.created_at)
