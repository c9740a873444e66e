"""The first screen: what runs, where, with which keys, and how to post a lead."""

from collections.abc import Sequence

from leadline.contracts.campaigns import DEFAULT_CAMPAIGN
from leadline.domain.campaign import Campaign
from services.cli.up.clock import BusinessClock
from services.cli.up.figures import full_time, moment
from services.cli.up.folder import DataFolder
from services.cli.up.plan import Plan
from services.cli.up.screen import Screen
from services.cli.up.settings import Configured

_SAMPLE_NUMBER = "5615550123"
_SOON_SECONDS = 60.0
"""Real time that anybody waits without being told."""


def greet(screen: Screen, configured: Configured, plan: Plan, folder: DataFolder, clock: BusinessClock) -> None:
    """Print it; secrets only if they were made just now."""
    screen.heading("Leadline is up")
    screen.facts(_facts(configured, plan, folder, clock))
    if configured.made:
        screen.say("")
        screen.remark("made for this data folder, readable by you alone, printed this once:")
        screen.facts(configured.made)
    screen.say("")
    screen.remark("post a lead as Zapier would:")
    screen.say(curl(configured, plan, folder))
    screen.say("")


def _facts(configured: Configured, plan: Plan, folder: DataFolder, clock: BusinessClock) -> dict[str, str]:
    bland = "simulated: nobody is called" if configured.simulated else "real: who is due is called"
    facts = {
        "gateway": f"{plan.gateway_url}  (leads and Bland's results come in here)",
        "queue-service": f"{plan.queue_url}  (leadline status, leads explain ...)",
        "Bland": f"{plan.bland_url}  ({bland})",
        **_crm(configured, plan),
        "data and logs": f"{folder.path}",
        "metrics": f"{folder.targets}  (for the file_sd_configs of a Prometheus on this machine)",
    }
    if clock.moved:
        zone = configured.campaigns[DEFAULT_CAMPAIGN].rules.hours.zone
        facts["business time"] = f"{full_time(clock.now(), zone)}, {clock.speed:g} times as fast as real time"
    return facts


def _crm(configured: Configured, plan: Plan) -> dict[str, str]:
    if not configured.has_crm:
        return {}
    kind = "simulated" if configured.own_convoso else "who sold or said no is not called; results go there"
    return {"Convoso": f"{plan.crm_url}  ({kind})"}


def curl(configured: Configured, plan: Plan, folder: DataFolder) -> str:
    """A command that posts a lead, ready to be copied; the key itself is not in it."""
    if configured.api_key is None or not folder.key_path("gateway-api-key").exists():
        key = "YOUR_API_KEY"
    else:
        key = f"$(cat {folder.key_path('gateway-api-key')})"
    return (
        f'curl -H "X-Api-Key: {key}" \\\n'
        f"  {plan.gateway_url}/webhooks/{DEFAULT_CAMPAIGN}-outbound \\\n"
        f"  -d phone_number={_SAMPLE_NUMBER} -d lead_id=1 -d list_id=1 -d state=FL"
    )


def opening_hint(campaigns: Sequence[Campaign], clock: BusinessClock, demo: int) -> list[str]:
    """What to tell somebody who asked for a demo while calling hours are closed; nothing if they are open."""
    now = clock.now()
    openings = [opening for c in campaigns if (opening := c.hours.next_opening(now)) is not None]
    if not openings:
        return ["calling hours never open within a year: nobody will be called"]
    opening = min(openings)
    if clock.real_seconds_until(opening) < _SOON_SECONDS:
        return []
    zone = campaigns[0].hours.zone
    start_at = opening.astimezone(zone).isoformat(timespec="minutes")
    return [
        f"calling hours are closed: the next opening is {moment(opening, now, zone)} {opening.astimezone(zone):%Z}",
        f"to watch it now: leadline up --demo {demo} --start-at {start_at} --speed 120",
    ]
