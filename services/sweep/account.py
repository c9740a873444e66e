"""An account that the provider's refusal paused is resumed as soon as the provider answers for it again."""

from typing import Final

from leadline.runtime.logging import get_logger
from leadline.telephony.port import ProviderError, ProviderRefused
from services.sweep.counts import Count
from services.sweep.passing import Pass

_REASON: Final = "the provider answers for the account again"
log = get_logger(__name__)


async def probe_account(sweep: Pass) -> None:
    """Ask for the account's own state if it is paused by itself. Raises PassOver and the queue client's errors."""
    if not sweep.plan.account_paused:
        return
    if not sweep.plan.account_pause_automatic:
        sweep.tally.add(Count.ACCOUNT_LEFT_PAUSED)
        return
    verdict = await _probe(sweep)
    log.info("account_probed", verdict=verdict)
    if verdict is Count.ACCOUNT_RESUMED:
        await sweep.telling.resume_account(_REASON)
    if verdict is Count.ACCOUNT_UNREACHABLE:
        sweep.tally.miss(verdict)
    else:
        sweep.tally.add(verdict)


async def _probe(sweep: Pass) -> Count:
    try:
        account = await sweep.asking.me()
    except ProviderRefused:
        return Count.ACCOUNT_REFUSED
    except ProviderError:
        return Count.ACCOUNT_UNREACHABLE
    if account.balance_dollars is not None and account.balance_dollars <= 0:
        return Count.ACCOUNT_WITHOUT_BALANCE
    return Count.ACCOUNT_RESUMED
