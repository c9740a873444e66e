"""Leads with their past, in groups of one transaction; one bad record does not keep the others out."""

from collections.abc import Sequence

from leadline.contracts.imports import ImportedRecord, ImportRequest, ImportResult
from leadline.domain.errors import LeadlineError
from leadline.domain.ids import PhoneNumber
from leadline.runtime.logging import get_logger
from leadline.runtime.postgres import is_unavailable
from leadline.store import phones
from leadline.store.connection import Connection
from services.queue_service.importing.checking import check
from services.queue_service.importing.rounds import Checked, take_round
from services.queue_service.service import QueueService

log = get_logger(__name__)


async def import_leads(service: QueueService, request: ImportRequest, actor: str) -> list[ImportedRecord]:
    """Take the records of a request; answers in its order.

    All in one transaction; if that fails, each record in its own, and those that fail again are quarantined. Raises
    only what says that the database is away; the same request may then be sent again.
    """
    answers: dict[int, ImportedRecord] = {}
    good: list[Checked] = []
    for place_in_request, said in enumerate(request.leads):
        try:
            good.append((place_in_request, check(service.policy, said)))
        except LeadlineError as error:
            answers[place_in_request] = _quarantined(str(error))
    try:
        answers |= await _import(service, request, good, actor)
    except Exception as error:
        if is_unavailable(error):
            raise
        log.warning("import_group_failed", error=type(error).__name__, records=len(good))
        for checked in good:
            answers |= await _import_alone(service, request, checked, actor)
    in_order = [answers[place_in_request] for place_in_request in range(len(request.leads))]
    return [_without_id(answer) for answer in in_order] if request.dry_run else in_order


def _without_id(answer: ImportedRecord) -> ImportedRecord:
    """A lead that a dry run made is there no more."""
    made = answer.result is ImportResult.TAKEN
    return answer.model_copy(update={"lead_id": None}) if made else answer


async def _import_alone(
    service: QueueService, request: ImportRequest, checked: Checked, actor: str
) -> dict[int, ImportedRecord]:
    try:
        return await _import(service, request, [checked], actor)
    except Exception as error:
        if is_unavailable(error):
            raise
        log.warning("import_record_failed", error=repr(error))
        problem = f"It could not be stored ({type(error).__name__}); the queue-service's log says more."
        return {checked[0]: _quarantined(problem)}


def _quarantined(problem: str) -> ImportedRecord:
    return ImportedRecord(result=ImportResult.QUARANTINED, problem=problem)


async def _import(
    service: QueueService, request: ImportRequest, records: Sequence[Checked], actor: str
) -> dict[int, ImportedRecord]:
    async def work(conn: Connection) -> dict[int, ImportedRecord]:
        wanted = [record.phone_number for _, record in records]
        await phones.ensure_phones(conn, wanted)
        await phones.lock_phones(conn, wanted)
        answers: dict[int, ImportedRecord] = {}
        for one_per_number in _rounds(records):
            answers |= await take_round(conn, service.policy, request.source, one_per_number, actor)
        return answers

    return await service.carry_out(work, dry_run=request.dry_run) if records else {}


def _rounds(records: Sequence[Checked]) -> list[list[Checked]]:
    """Records in order, so that no number comes twice in one round: the second sees what the first did."""
    rounds: list[list[Checked]] = []
    seen: dict[PhoneNumber, int] = {}
    for checked in records:
        number = checked[1].phone_number
        turn = seen.get(number, 0)
        seen[number] = turn + 1
        if turn == len(rounds):
            rounds.append([])
        rounds[turn].append(checked)
    return rounds
