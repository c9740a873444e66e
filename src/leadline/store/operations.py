"""Operation ids: a repeated request is answered as the first was."""

from typing import Any, Final

from leadline.domain.errors import LeadlineError
from leadline.store.connection import Connection, fetch_one


class OperationConflict(LeadlineError):
    """The same operation id came with another body."""

    code = "idempotency_conflict"


CLAIM_OPERATION: Final = """
INSERT INTO operations (caller, operation_id, body_sha256, answer) VALUES ($1, $2, $3, 'null')
ON CONFLICT (caller, operation_id) DO UPDATE SET body_sha256 = EXCLUDED.body_sha256, answer = 'null',
    created_at = clock_timestamp()
WHERE operations.created_at < clock_timestamp() - make_interval(secs => $4)
RETURNING true
"""
FIND_OPERATION: Final = "SELECT body_sha256, answer FROM operations WHERE caller = $1 AND operation_id = $2"


async def claim_operation(
    conn: Connection, caller: str, operation_id: str, body_sha256: bytes, *, kept_seconds: float
) -> dict[str, Any] | None:
    """Begin an operation, or return the answer it was given (waits for one that is in flight).

    Returns None if the operation is ours to do in this transaction. Raises OperationConflict on another body.
    """
    if await conn.fetchval(CLAIM_OPERATION, caller, operation_id, body_sha256, kept_seconds):
        return None
    row = await fetch_one(conn, FIND_OPERATION, caller, operation_id)
    if row["body_sha256"] != body_sha256:
        raise OperationConflict(
            f"the Idempotency-Key {operation_id!r} was used for another request: send a new key for a new request"
        )
    answer: dict[str, Any] = row["answer"]
    return answer


FINISH_OPERATION: Final = "UPDATE operations SET answer = $3 WHERE caller = $1 AND operation_id = $2"


async def finish_operation(conn: Connection, caller: str, operation_id: str, answer: dict[str, Any]) -> None:
    """Keep the answer, in the transaction that did the work."""
    await conn.execute(FINISH_OPERATION, caller, operation_id, answer)


FORGET_OPERATIONS: Final = """
DELETE FROM operations WHERE created_at < clock_timestamp() - make_interval(secs => $1)
"""


async def forget_operations(conn: Connection, older_than_seconds: float) -> int:
    """Delete answers that nobody can ask for any more; returns how many."""
    return int((await conn.execute(FORGET_OPERATIONS, older_than_seconds)).rsplit(" ", 1)[1])
