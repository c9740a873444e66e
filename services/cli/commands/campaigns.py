"""`leadline campaigns ...`: which there are, and their pause switches."""

from typing import Annotated

import typer

from leadline.contracts.operators import CampaignView, Reason
from services.cli.options import AsJson, Why, checked_reason, examples
from services.cli.printing import RED, console, moment, print_json, table, text
from services.cli.talking import talk

app = typer.Typer(help="Campaigns: whether they may call now, and their pause switches.")

Name = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="Name of the campaign.", show_default=False)]


@app.command("list", epilog=examples("leadline campaigns list", "leadline campaigns list --json"))
def list_campaigns(*, as_json: AsJson = False) -> None:
    """List campaigns with their calling hours as they stand now."""
    campaigns = talk(lambda client: client.list_campaigns())
    if as_json:
        print_json(campaigns)
    else:
        _print_table(campaigns.campaigns)


@app.command(epilog=examples("leadline campaigns pause awhealth --reason 'script is being rewritten'"))
def pause(campaign: Name, *, reason: Why, as_json: AsJson = False) -> None:
    """Lease no lead of a campaign until it is resumed; calls that run go on."""
    why = Reason(reason=checked_reason(reason))
    _print_one(talk(lambda client: client.pause_campaign(campaign, why)), as_json=as_json)


@app.command(epilog=examples("leadline campaigns resume awhealth --reason 'new script is live'"))
def resume(campaign: Name, *, reason: Why, as_json: AsJson = False) -> None:
    """End a campaign's pause, an automatic one included."""
    why = Reason(reason=checked_reason(reason))
    _print_one(talk(lambda client: client.resume_campaign(campaign, why)), as_json=as_json)


def _print_one(campaign: CampaignView, *, as_json: bool) -> None:
    if as_json:
        print_json(campaign)
    else:
        _print_table([campaign])


def _print_table(campaigns: list[CampaignView]) -> None:
    made = table("campaign", "calling hours", "paused")
    for campaign in campaigns:
        opens = "never opens again" if campaign.next_opening_at is None else f"opens {moment(campaign.next_opening_at)}"
        paused = text(campaign.pause_reason or "paused", RED) if campaign.paused else text("no")
        made.add_row(text(campaign.campaign), "open" if campaign.window_open else opens, paused)
    console().print(made)
