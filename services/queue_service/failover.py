"""A database that is not the one it was: dispatch is held until the provider's history is reconciled."""

from leadline.runtime.logging import get_logger
from leadline.store import gate
from leadline.store.changes import Changes
from leadline.store.connection import Connection
from leadline.store.gate import Gate
from leadline.store.records import Alarm, Audit
from services.queue_service.counting.committed import counted
from services.queue_service.policy import Policy

REASON = "the database is another system or timeline than before"
log = get_logger(__name__)


async def hold_after_failover(conn: Connection, policy: Policy, state: Gate) -> Gate:
    """Hold all dispatch, say so once, and return the switches as they are then. Whoever meets the failover does it.

    The sweep reconciles from the instant of the hold backwards, so it is not put off until a dialer asks for leads.
    """
    async with counted(conn, policy):
        if await gate.hold_dispatch(conn, state.now, REASON):
            changes = Changes(now=state.now, actor="queue-service")
            changes.audit.append(Audit("dispatch_held", REASON))
            changes.alarms.append(Alarm("dispatch_held", details={"reason": REASON}))
            await changes.flush(conn)
            log.error("dispatch_held", reason="failover")
    return await gate.read_gate(conn)
