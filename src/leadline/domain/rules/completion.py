"""What a call means beyond the lead's next date: that the lead or its number is done, or that the number rests."""

from datetime import datetime
from typing import Final

from leadline.domain.campaign import Campaign
from leadline.domain.facts import NumberFacts
from leadline.domain.lead import CompletionReason
from leadline.domain.outcome import STOP_OUTCOMES, Outcome
from leadline.domain.rules.caps import is_sold

_REASONS: Final = {
    Outcome.SALE: CompletionReason.SALE,
    Outcome.ACA: CompletionReason.ACA,
    Outcome.NOT_INTERESTED: CompletionReason.NOT_INTERESTED,
}


def completion_reason(outcome: Outcome, campaign: Campaign) -> CompletionReason | None:
    """Why an outcome ends the lead; None if the lead goes on. A stop ends it whatever the settings say."""
    if outcome in STOP_OUTCOMES:
        return CompletionReason.DNC
    if outcome is Outcome.BAD_NUMBER:
        return CompletionReason.BAD_NUMBER
    if outcome not in campaign.final_outcomes:
        return None
    return _REASONS.get(outcome, CompletionReason.FINAL_OUTCOME)


def number_completion(number: NumberFacts, campaign: Campaign) -> CompletionReason | None:
    """Why the number ends every lead that has it; None if it does not."""
    if number.suppression_reason is not None:
        return CompletionReason.DNC
    if number.bad_number_reason is not None:
        return CompletionReason.BAD_NUMBER
    if number.sold_outcome is not None and is_sold(number, campaign):
        return completion_reason(number.sold_outcome, campaign)
    return None


def rest_until_after(
    outcome: Outcome | None, ended_at: datetime, campaign: Campaign, *, inbound: bool = False
) -> datetime | None:
    """Until when the number rests after a call, over all campaigns; None if it need not."""
    transfer = ended_at + campaign.transfer_rest if outcome is Outcome.TRANSFERRED else None
    if not inbound:
        return transfer
    return max(ended_at + campaign.inbound_rest, transfer or ended_at)
