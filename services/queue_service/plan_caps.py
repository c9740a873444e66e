"""How much of the provider's plan is used, for people and figures. What may be sent is the send mark's own count."""

from dataclasses import dataclass
from datetime import datetime

from leadline.store import pace
from leadline.store.connection import Connection
from services.queue_service.policy import Policy


@dataclass(frozen=True, slots=True)
class CapUse:
    """One cap of the plan."""

    cap: str
    """`concurrent`, `hour` or `day`."""
    used: int
    limit: int


async def read_caps(conn: Connection, policy: Policy, now: datetime, speed: float, sent: int) -> list[CapUse]:
    """The caps that the plan has. `sent`: open attempts with a send mark; one that is only leased is no call."""
    if not policy.caps.any:
        return []
    in_hour, in_day = await pace.count_sent(conn, now, policy.lease_seconds, speed)
    caps = (
        ("concurrent", sent, policy.caps.concurrent),
        ("hour", in_hour, policy.caps.per_hour),
        ("day", in_day, policy.caps.per_day),
    )
    return [CapUse(cap, used, limit) for cap, used, limit in caps if limit is not None]
