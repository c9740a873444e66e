"""Time alone: leases that ran out are released, marked attempts that nobody reported become unknown."""

from leadline.domain.attempt import AttemptState
from leadline.store import open_attempts, phones
from leadline.store.changes import Changes
from leadline.store.clock import get_clock
from leadline.store.connection import Connection
from leadline.store.decisions import about_attempt
from leadline.store.happenings import LeaseExpired
from leadline.store.numbers import load_numbers
from leadline.store.records import Deadline
from services.queue_service.policy import Policy
from services.queue_service.reporting import FOREVER_SECONDS, release_lead
from services.queue_service.settle import move_attempt


async def expire(conn: Connection, policy: Policy, limit: int) -> dict[str, int]:
    """Bring up to `limit` overdue attempts to a legal state, inside the caller's transaction; counts by kind."""
    listed = await open_attempts.list_expired(conn, limit)
    free = await phones.lock_free_phones(conn, list(listed.values()))
    changes = Changes(now=(await get_clock(conn)).now, actor="queue-service")
    counters = {"leases_expired": 0, "sends_silent": 0}
    for number in (await load_numbers(conn, list(free))).values():
        attempt = number.open_attempt
        if attempt is None or not attempt.overdue:
            continue
        if attempt.state is AttemptState.LEASED:
            move_attempt(changes, attempt, AttemptState.RELEASED, close_reason="lease_expired")
            changes.happened.append(LeaseExpired())
            release_lead(changes, policy, number, attempt, cause="lease_expired")
            counters["leases_expired"] += 1
        elif attempt.state is AttemptState.SENDING:
            move_attempt(changes, attempt, AttemptState.UNKNOWN, close_reason="silence")
            changes.deadlines.append(Deadline(attempt.id, FOREVER_SECONDS))
            counters["sends_silent"] += 1
        lead, planned = number.leads[attempt.lead_id], attempt.state is AttemptState.RELEASED
        details = {"state": attempt.state}
        changes.decided.append(about_attempt("attempt_expired", "expire", lead, attempt, details, planned=planned))
    await changes.flush(conn)
    return counters
