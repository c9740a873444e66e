"""Whole runs against a queue-service on the wire: what is recorded, what is asked, who holds the run."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from leadline.clients.queue_http import QueueRefused
from leadline.contracts.backfill import BackfillState, Candidate
from leadline.crm.port import CrmRefused, CrmUnreachable
from leadline.domain.crm import CrmStanding
from leadline.telephony.port import ProviderRefused, ProviderUnreachable
from services.backfill.errors import CrmTokenRefused, RunBusy, RunLost, ToldToStop
from tests.services.backfill.conftest import Scene
from tests.services.backfill.fake_history import HOUR, PERSON, START, FakeHistory, calls, listed
from tests.services.backfill.fake_queue import FakeQueue

NUMBER = "+15615550123"


def candidate(number: int, *, ask_crm: bool = True) -> Candidate:
    return Candidate(lead_id=UUID(int=number), phone_number=f"+1561555{number:04}", ask_crm=ask_crm)


class TestRecording:
    """From rows to bodies."""

    async def test_every_call_of_the_range_is_recorded_once(self, scene: Scene) -> None:
        scene.history.add(calls(1500, seconds_apart=4.0))
        outcome = await scene.run()
        assert len(scene.queue.bodies) == 1500
        assert outcome.windows_done == 2
        assert not outcome.failed
        assert scene.queue.state is BackfillState.FINISHED

    async def test_details_are_read_only_where_the_row_does_not_tell(self, scene: Scene) -> None:
        scene.history.add([listed("nobody"), listed("person", **PERSON), listed("unclear", answered_by=None)])
        await scene.run()
        assert sorted(scene.history.details_asked) == ["person", "unclear"]
        assert scene.queue.bodies["person"]["detailed"]
        assert scene.queue.proofs == {"nobody": False, "person": True, "unclear": True}

    async def test_details_are_read_where_the_call_may_be_ours(self, scene: Scene) -> None:
        scene.history.add([listed("a"), listed("b"), listed("c")])
        scene.queue.doubtful, scene.queue.doubtful_late = {"a"}, {"a", "b"}
        await scene.run()
        assert sorted(scene.history.details_asked) == ["a", "b"]
        assert scene.queue.proofs == {"a": True, "b": True, "c": False}

    async def test_a_call_whose_details_are_gone_stands_as_its_row(self, scene: Scene) -> None:
        scene.history.add([listed("person", **PERSON), listed("ours", **PERSON)])
        scene.history.gone = {"person", "ours"}
        scene.queue.doubtful_late = {"ours"}
        await scene.run()
        assert "detailed" not in scene.queue.bodies["person"]
        assert scene.queue.proofs == {"person": False, "ours": True}

    async def test_what_is_known_is_neither_read_nor_sent(self, scene: Scene) -> None:
        scene.history.add([listed("old", **PERSON), listed("new")])
        scene.queue.bodies["old"] = {}
        outcome = await scene.run()
        assert scene.history.details_asked == []
        assert sum(scene.queue.group_sizes) == 1
        assert outcome.counters["known"] == 1

    async def test_large_bodies_go_in_several_requests(self, scene: Scene) -> None:
        words = "x" * 1_500_000
        scene.history.add([listed(f"call-{n}", summary=words, **PERSON) for n in range(5)])
        await scene.run()
        assert len(scene.queue.bodies) == 5
        assert max(scene.queue.group_sizes) == 2

    async def test_a_window_with_too_many_calls_is_halved(self, scene: Scene) -> None:
        scene.history.add(calls(90, seconds_apart=60.0))
        outcome = await scene.run(backfill_window_calls=20)
        assert len(scene.queue.bodies) == 90
        assert outcome.windows_done == len(scene.queue.windows) > 2


class TestFailedWindows:
    """The run goes on, and says what is missing."""

    async def test_a_window_that_cannot_be_read_is_missing_and_nobody_is_decided(self, scene: Scene) -> None:
        scene.history.add([listed("first"), listed("second", START + HOUR + timedelta(minutes=1))])
        scene.history.failures = [ProviderUnreachable("Bland answered 503: busy")] * 4
        scene.queue.candidates = [candidate(1)]
        outcome = await scene.run()
        assert [(w.starts_at, w.problem) for w in outcome.failed] == [(START, "Bland answered 503: busy")]
        assert list(scene.queue.bodies) == ["second"]
        assert scene.queue.decisions == []
        assert scene.queue.state is BackfillState.INCOMPLETE

    async def test_the_same_command_reads_only_what_is_missing_and_decides(self, scene: Scene) -> None:
        await self.test_a_window_that_cannot_be_read_is_missing_and_nobody_is_decided(scene)
        scene.history.asked.clear()
        outcome = await scene.run()
        assert {asked[0] for asked in scene.history.asked} == {START}
        assert not outcome.failed
        assert set(scene.queue.bodies) == {"first", "second"}
        assert len(scene.queue.decisions) == 1

    async def test_details_that_cannot_be_read_fail_their_window(self, scene: Scene) -> None:
        scene.history.add([listed("person", **PERSON)])
        scene.history.details_failures["person"] = [ProviderUnreachable("Bland answered 500: oops")] * 4
        outcome = await scene.run()
        assert [window.problem for window in outcome.failed] == ["Bland answered 500: oops"]

    async def test_a_refused_key_ends_the_run_and_leaves_it_to_be_resumed(self, scene: Scene) -> None:
        scene.history.failures = [ProviderRefused("Bland refuses our key")]
        with pytest.raises(ProviderRefused):
            await scene.run()
        assert set(scene.queue.windows.values()) == {""}
        await scene.run()
        assert scene.queue.state is BackfillState.FINISHED


class TestDeciding:
    """The CRM's word, or none."""

    async def test_the_crm_is_asked_only_where_its_word_matters(self, scene: Scene) -> None:
        scene.queue.candidates = [candidate(n, ask_crm=n % 2 == 1) for n in range(1, 251)]
        scene.crm.standings["+15615550003"] = CrmStanding.DNC
        await scene.run()
        assert len(scene.queue.decisions) == 250
        assert len(scene.crm.asked) == 125
        learned = {d.lead_id.int: d.learned for d in scene.queue.decisions}
        third = learned[3]
        assert third is not None
        assert third.standing is CrmStanding.DNC
        assert learned[2] is None

    async def test_the_queue_service_learns_what_statuses_mean(self, scene: Scene) -> None:
        await scene.run()
        assert scene.queue.statuses is not None
        assert [(s.code, s.success) for s in scene.queue.statuses.statuses] == [("SALE", True)]

    async def test_a_refused_token_stops_before_anybody_is_decided(self, scene: Scene) -> None:
        scene.history.add([listed("a")])
        scene.queue.candidates = [candidate(1)]
        scene.crm.error = CrmRefused("Convoso refuses our token")
        with pytest.raises(CrmTokenRefused):
            await scene.run()
        assert set(scene.queue.bodies) == {"a"}
        assert scene.queue.decisions == []
        scene.crm.error = None
        await scene.run()
        assert len(scene.queue.decisions) == 1

    async def test_a_crm_that_does_not_answer_leaves_the_word_to_its_standings(self, scene: Scene) -> None:
        scene.queue.candidates = [candidate(1)]
        scene.crm.error = CrmUnreachable("Convoso does not answer")
        await scene.run()
        assert len(scene.queue.decisions) == 1

    async def test_without_a_crm_statuses_are_not_asked_for(self, scene: Scene) -> None:
        scene.has_crm = False
        scene.crm.error = CrmRefused("no token")
        await scene.run()
        assert scene.queue.statuses is None


class TestHolding:
    """One at a time."""

    async def test_a_second_copy_leaves_with_a_clear_word(self, scene: Scene) -> None:
        scene.queue.take_away()
        with pytest.raises(RunBusy, match="somebody-else holds it"):
            await scene.run(wait=False)

    async def test_a_second_copy_waits_until_the_first_is_gone(self, scene: Scene) -> None:
        scene.queue.take_away(1.0)
        scene.history.add([listed("a")])
        await scene.run(lease_seconds=1)
        assert set(scene.queue.bodies) == {"a"}
        assert scene.queue.asked["runs"] > 1

    async def test_a_run_that_is_lost_is_left_at_once(self, scene: Scene) -> None:
        def lose(queue: FakeQueue, route: str) -> None:
            if route == "calls":
                queue.take_away()

        scene.history.add(calls(10))
        scene.queue.before = lose
        with pytest.raises(RunLost):
            await scene.run()
        assert scene.queue.bodies == {}
        assert scene.queue.holder == "somebody-else"

    async def test_a_run_is_kept_while_the_provider_lets_us_wait(self, scene: Scene) -> None:
        scene.history.failures = [ProviderUnreachable("503")]
        scene.history.add([listed("a")])
        await scene.run(lease_seconds=1, backfill_retry_seconds="1.5")
        assert scene.queue.asked["sift"] >= 3
        assert scene.queue.state is BackfillState.FINISHED

    async def test_a_run_that_is_lost_while_waiting_is_left_at_once(self, scene: Scene) -> None:
        def lose(queue: FakeQueue, route: str) -> None:
            if route == "sift":
                queue.take_away()

        scene.queue.before = lose
        scene.history.failures = [ProviderUnreachable("503")]
        with pytest.raises(RunLost):
            await scene.run(lease_seconds=1, backfill_retry_seconds="3600")

    async def test_an_order_to_stop_gives_the_run_back(self, scene: Scene) -> None:
        def stop(_: FakeHistory) -> None:
            scene.stop.set()

        scene.history.add(calls(10))
        scene.history.before_page = stop
        with pytest.raises(ToldToStop):
            await scene.run(lease_seconds=3600)
        scene.history.before_page = None
        scene.stop = asyncio.Event()
        await scene.run(lease_seconds=1)
        assert len(scene.queue.bodies) == 10

    async def test_an_order_to_stop_ends_a_request_that_hangs(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def hang(_: object) -> None:
            scene.stop.set()
            await asyncio.sleep(3600)

        monkeypatch.setattr("services.backfill.holding.STOP_WITHIN_SECONDS", 0.05)
        monkeypatch.setattr(scene.crm, "standing", hang)
        scene.queue.candidates = [candidate(1)]
        with pytest.raises(ToldToStop):
            await scene.run()
        assert scene.queue.decisions == []

    async def test_a_run_that_was_deciding_goes_on_deciding(self, scene: Scene) -> None:
        await scene.run()
        scene.queue.state = BackfillState.DECIDING
        scene.queue.candidates = [candidate(1)]
        scene.history.asked.clear()
        await scene.run()
        assert scene.history.asked == []
        assert len(scene.queue.decisions) == 1


class TestDryRun:
    """Everything is tried and nothing kept."""

    async def test_calls_of_one_number_are_tried_together_and_nothing_is_recorded(self, scene: Scene) -> None:
        scene.history.add(
            listed(f"call-{n:04}", START + timedelta(seconds=n), to=f"+1561555{n % 300:04}") for n in range(1200)
        )
        outcome = await scene.run(dry_run=True)
        assert scene.queue.bodies == {}
        assert scene.queue.begun is None
        assert scene.queue.decisions == []
        assert set(scene.queue.asked) == {"runs", "sift", "calls"}
        assert outcome.counters["recorded"] == outcome.listed == 1200
        seen: dict[str, int] = {}
        for number, request in enumerate(scene.queue.tried):
            for body in request.bodies:
                to = body.split('"to": "')[1][:12]
                assert seen.setdefault(to, number) == number

    async def test_details_are_read_where_they_are_needed(self, scene: Scene) -> None:
        scene.history.add([listed("a"), listed("b"), listed("person", **PERSON)])
        scene.queue.doubtful, scene.queue.doubtful_late = {"a"}, {"a", "b"}
        outcome = await scene.run(dry_run=True)
        assert sorted(scene.history.details_asked) == ["a", "b", "person"]
        assert outcome.counters["recorded"] == 3

    async def test_windows_that_cannot_be_read_are_told(self, scene: Scene) -> None:
        scene.history.failures = [ProviderUnreachable("503")] * 4
        outcome = await scene.run(dry_run=True)
        assert [window.problem for window in outcome.failed] == ["503"]
        assert outcome.windows_done == 1

    async def test_too_full_windows_are_halved(self, scene: Scene) -> None:
        scene.history.add(calls(90, seconds_apart=60.0))
        outcome = await scene.run(dry_run=True, backfill_window_calls=20)
        assert outcome.counters["recorded"] == 90
        assert outcome.windows_done > 2


async def test_a_range_of_which_nothing_is_listed_yet_is_refused(scene: Scene) -> None:
    scene.queue.now = START
    with pytest.raises(QueueRefused, match="surely listed"):
        await scene.run()


async def test_an_end_in_the_future_is_moved_back(scene: Scene) -> None:
    scene.queue.now = START + HOUR
    outcome = await scene.run(until=START + 5 * HOUR)
    assert outcome.ends_at == START + HOUR
