"""What can stop all dialling: the operator's and the provider's pauses, and a database that is not the one it was."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from leadline.domain.ids import CampaignName
from leadline.store.connection import Connection, fetch_one

READ_GATE: Final = """
SELECT business_now() AS now, coalesce((SELECT speed FROM clock), 1.0) AS speed,
       g.held_since, g.held_reason, g.account_paused_at, g.account_pause_reason, g.account_pause_automatic,
       g.system_identifier <> (SELECT system_identifier FROM pg_control_system()) AS other_system,
       g.timeline <> cluster_timeline() AS other_timeline,
       (SELECT coalesce(jsonb_object_agg(campaign, pause_reason), '{}') FROM campaign_switches) AS paused_campaigns
FROM dispatch_gate g
"""


@dataclass(frozen=True, slots=True)
class Gate:
    """The switches as they stand. `now` and `held_since` are business time."""

    now: datetime
    speed: float
    held_since: datetime | None
    held_reason: str | None
    account_paused: bool
    account_pause_reason: str | None
    account_pause_automatic: bool
    failover: bool
    """This is another cluster or timeline than the one that dispatch was permitted on."""
    paused_campaigns: Mapping[CampaignName, str]

    @property
    def open(self) -> bool:
        """Whether anything may be dialled at all."""
        return not (self.failover or self.held_since or self.account_paused)


async def read_gate(conn: Connection) -> Gate:
    """Read every switch. A send mark reads it after its locks."""
    row = await fetch_one(conn, READ_GATE)
    return Gate(
        now=row["now"],
        speed=row["speed"],
        held_since=row["held_since"],
        held_reason=row["held_reason"],
        account_paused=row["account_paused_at"] is not None,
        account_pause_reason=row["account_pause_reason"],
        account_pause_automatic=row["account_pause_automatic"],
        failover=row["other_system"] or row["other_timeline"],
        paused_campaigns=row["paused_campaigns"],
    )


HOLD_DISPATCH: Final = """
UPDATE dispatch_gate SET held_since = coalesce(held_since - interval '1 millisecond', $1), held_reason = $2,
    system_identifier = (SELECT system_identifier FROM pg_control_system()), timeline = cluster_timeline()
WHERE system_identifier <> (SELECT system_identifier FROM pg_control_system()) OR timeline <> cluster_timeline()
"""


async def hold_dispatch(conn: Connection, now: datetime, reason: str) -> bool:
    """Stop all dialling until it is released and remember the cluster as it is now; False if that was known already.

    A failover during a hold moves its beginning by a hair: whoever was reconciling sees that it must begin again, and
    still reads all that the first one needed.
    """
    return await conn.execute(HOLD_DISPATCH, now, reason) == "UPDATE 1"


RELEASE_DISPATCH: Final = "UPDATE dispatch_gate SET held_since = NULL, held_reason = NULL"


async def release_dispatch(conn: Connection) -> None:
    """Let dialling go on after a hold."""
    await conn.execute(RELEASE_DISPATCH)


PAUSE_ACCOUNT: Final = """
UPDATE dispatch_gate SET account_paused_at = $1, account_pause_reason = $2, account_pause_automatic = $3
WHERE account_paused_at IS NULL OR (account_pause_automatic AND NOT $3)
"""


async def pause_account(conn: Connection, now: datetime, reason: str, *, automatic: bool) -> bool:
    """Pause the provider account; True if that changed anything. An operator's pause overrides an automatic one."""
    return await conn.execute(PAUSE_ACCOUNT, now, reason, automatic) == "UPDATE 1"


RESUME_ACCOUNT: Final = """
UPDATE dispatch_gate SET account_paused_at = NULL, account_pause_reason = NULL, account_pause_automatic = false
WHERE account_paused_at IS NOT NULL AND (account_pause_automatic OR NOT $1)
"""


async def resume_account(conn: Connection, *, only_automatic: bool) -> bool:
    """Resume the account; the sweep may only lift a pause that no operator set."""
    return await conn.execute(RESUME_ACCOUNT, only_automatic) == "UPDATE 1"


PAUSE_CAMPAIGN: Final = """
INSERT INTO campaign_switches (campaign, paused_at, pause_reason, automatic) VALUES ($1, $2, $3, $4)
ON CONFLICT (campaign) DO NOTHING
"""


async def pause_campaign(
    conn: Connection, campaign: CampaignName, now: datetime, reason: str, *, automatic: bool
) -> bool:
    """Pause a campaign; False if it was paused already (the first reason stands)."""
    return await conn.execute(PAUSE_CAMPAIGN, campaign, now, reason, automatic) == "INSERT 0 1"


RESUME_CAMPAIGN: Final = "DELETE FROM campaign_switches WHERE campaign = $1"


async def resume_campaign(conn: Connection, campaign: CampaignName) -> bool:
    """Resume a campaign; False if it was not paused."""
    return await conn.execute(RESUME_CAMPAIGN, campaign) == "DELETE 1"
