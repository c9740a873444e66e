"""Row 4: an answer that says nothing sure is looked up, and never asked for a second time."""

from tests.support.phones import fresh_phone
from tests.support.simulated import step
from tests.support.system import System

ACCEPTED = (
    "accept_then_reset",
    "accept_then_500",
    "accept_then_400",
    "accept_then_html",
    "accept_no_id",
    "accept_then_drip",
    "accept_then_hang",
)
NOT_ACCEPTED = ("reset_before_accept", "hang_before_accept", "redirect_307")
LONGER_THAN_ANYBODY_WAITS_SECONDS = 30


async def _spoilt_leads(system: System, kinds: tuple[str, ...]) -> dict[str, str]:
    """A lead for each fault; no webhook tells of its call. By fault, its number."""
    phones = {kind: fresh_phone() for kind in kinds}
    for kind, phone in phones.items():
        await system.simulator.fault("webhook", "never", phone_number=phone)
        await system.simulator.fault("create", kind, phone_number=phone, seconds=LONGER_THAN_ANYBODY_WAITS_SECONDS)
    await system.add_leads(list(phones.values()))
    return phones


async def test_row_04_accepted_and_the_response_lost_or_spoilt(system: System) -> None:
    phones = await _spoilt_leads(system, ACCEPTED)
    async with system.dialer():
        for phone in phones.values():
            await system.until_state(phone, "unknown")
        for kind, phone in phones.items():
            ended = await system.sweep_until_state(phone, "ended")
            (post,) = await system.simulator.posts(phone)
            assert post["answer"] == kind
            assert (str(ended["id"]), ended["call_id"]) == (post["attempt_id"], post["call_id"]), kind
            assert (ended["outcome"], (await system.lead(phone)).attempts) == ("NO_ANSWER", 1), kind
    await system.assert_promises()


async def test_row_04_not_accepted_and_no_sure_answer(system: System) -> None:
    phones = await _spoilt_leads(system, NOT_ACCEPTED)
    async with system.dialer():
        for phone in phones.values():
            await system.until_state(phone, "unknown")
        for kind, phone in phones.items():
            await system.sweep_until_state(phone, "not_placed")
            (post,) = await system.simulator.posts(phone)
            assert (post["answer"], post["call_id"]) == (kind, None)
            assert (await system.lead(phone)).attempts == 0, kind
    await system.assert_promises()


async def test_row_04_found_while_it_is_ringing(system: System) -> None:
    phone = fresh_phone()
    await system.simulator.script(phone, step("CONFUSED", seconds=600))
    await system.simulator.fault("create", "accept_then_500", phone_number=phone)
    async with system.dialer():
        await system.add_lead(phone)
        await system.until_state(phone, "unknown")
        found = await system.sweep_until_state(phone, "placed")
        (post,) = await system.simulator.posts(phone)
        assert found["call_id"] == post["call_id"]
        await system.suppress(phone)
        ended = await system.until_state(phone, "ended")
    assert ended["id"] == found["id"]
    await system.assert_promises()
