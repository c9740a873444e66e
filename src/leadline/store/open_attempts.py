"""Open attempts: the table whose primary key is the phone number, and which therefore is promise 1."""

from collections.abc import Sequence
from typing import Final

from leadline.domain.ids import AttemptId, PhoneNumber
from leadline.store.connection import Connection, fetch_one
from leadline.store.records import Deadline

TAKE_NUMBERS: Final = """
INSERT INTO open_attempts (phone_number, attempt_id, deadline_at)
SELECT phone_number, attempt_id, clock_timestamp() + make_interval(secs => $3)
FROM unnest($1::text[], $2::uuid[]) AS t(phone_number, attempt_id)
ORDER BY phone_number
ON CONFLICT (phone_number) DO NOTHING
RETURNING attempt_id
"""


async def take_numbers(
    conn: Connection, wanted: Sequence[tuple[PhoneNumber, AttemptId]], lease_seconds: float
) -> set[AttemptId]:
    """Take numbers for new attempts; returns those that got theirs. The attempts' rows follow in the transaction."""
    if not wanted:
        return set()
    rows = await conn.fetch(TAKE_NUMBERS, [w[0] for w in wanted], [w[1] for w in wanted], lease_seconds)
    return {AttemptId(row["attempt_id"]) for row in rows}


FREE_NUMBERS: Final = "DELETE FROM open_attempts WHERE attempt_id = ANY($1::uuid[])"


async def free_numbers(conn: Connection, attempt_ids: Sequence[AttemptId]) -> None:
    """Closed attempts let go of their numbers."""
    if attempt_ids:
        await conn.execute(FREE_NUMBERS, sorted(attempt_ids))


RETAKE_NUMBERS: Final = """
INSERT INTO open_attempts (phone_number, attempt_id, deadline_at)
SELECT phone_number, attempt_id, 'infinity' FROM unnest($1::text[], $2::uuid[]) AS t(phone_number, attempt_id)
"""


async def retake_numbers(conn: Connection, retaken: Sequence[tuple[PhoneNumber, AttemptId]]) -> None:
    """A late truth opens a closed attempt again. The caller saw the number free under its lock."""
    if retaken:
        await conn.execute(RETAKE_NUMBERS, [r[0] for r in retaken], [r[1] for r in retaken])


SET_DEADLINES: Final = """
UPDATE open_attempts o SET
    deadline_at = clock_timestamp() + make_interval(secs => c.seconds),
    quiet_until = coalesce(clock_timestamp() + make_interval(secs => c.quiet_seconds), o.quiet_until)
FROM unnest($1::uuid[], $2::float8[], $3::float8[]) AS c(attempt_id, seconds, quiet_seconds)
WHERE o.attempt_id = c.attempt_id
"""


async def set_deadlines(conn: Connection, deadlines: Sequence[Deadline]) -> None:
    """Give open attempts a new deadline, in real time from now."""
    if deadlines:
        await conn.execute(
            SET_DEADLINES,
            [d.attempt_id for d in deadlines],
            [d.seconds for d in deadlines],
            [d.quiet_seconds for d in deadlines],
        )


LIST_EXPIRED: Final = """
SELECT o.attempt_id, o.phone_number FROM open_attempts o JOIN attempts a ON a.id = o.attempt_id
WHERE o.deadline_at <= clock_timestamp() AND a.state IN ('leased', 'sending')
ORDER BY o.deadline_at LIMIT $1
"""


async def list_expired(conn: Connection, limit: int) -> dict[AttemptId, PhoneNumber]:
    """Leases that ran out and marked attempts past their send time, the oldest first."""
    rows = await conn.fetch(LIST_EXPIRED, limit)
    return {AttemptId(row["attempt_id"]): PhoneNumber(row["phone_number"]) for row in rows}


NOTE_ASKED: Final = """
UPDATE open_attempts SET
    asked_seconds = asked_seconds + CASE WHEN c.answered AND asked_at IS NOT NULL
        THEN extract(epoch FROM clock_timestamp() - asked_at) ELSE 0 END,
    asked_at = CASE WHEN c.answered THEN clock_timestamp() END
FROM unnest($1::uuid[], $2::boolean[]) AS c(attempt_id, answered)
WHERE open_attempts.attempt_id = c.attempt_id
"""


async def note_asked(conn: Connection, asked: Sequence[tuple[AttemptId, bool]]) -> None:
    """The provider was asked about these and answered, or not: only time between two answers counts."""
    if asked:
        await conn.execute(NOTE_ASKED, [a[0] for a in asked], [a[1] for a in asked])


COUNT_IN_HAND: Final = """
SELECT count(*) FILTER (WHERE a.state = 'leased') AS leased, count(*) FILTER (WHERE a.state <> 'leased') AS sent
FROM open_attempts o JOIN attempts a ON a.id = o.attempt_id
"""


async def count_in_hand(conn: Connection) -> tuple[int, int]:
    """(leased, sent): open attempts before and after their send mark, over all dialers."""
    row = await fetch_one(conn, COUNT_IN_HAND)
    return int(row["leased"]), int(row["sent"])
