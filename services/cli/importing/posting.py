"""Posts what was staged: first whom not to call, then the leads of whoever said stop, then all others."""

import json
from collections.abc import Iterator
from typing import Final

from leadline.clients.queue_imports import ImportQueue
from leadline.contracts.imports import (
    ImportedLead,
    ImportRequest,
    ImportResult,
    NumberEntry,
    NumbersKind,
    NumbersRequest,
)
from leadline.legacy.clock import HostClock
from leadline.legacy.facts import BAD_NUMBER, DNC, UNCLEAR, Quarantined, Record, Wish
from leadline.legacy.merging import merge
from leadline.legacy.reading import read_row
from leadline.runtime.groups import in_groups, in_sized_groups
from services.cli.bulk_progress import Tell
from services.cli.importing.quarantine import QuarantineFile
from services.cli.importing.report import Report
from services.cli.importing.staging import StagedNumber, Staging

SOURCE: Final = "import-queue"
GROUP: Final = 250
"""Records in one request: one transaction of the queue-service, of which dialers wait for no long one."""
_MOST_BYTES: Final = 4 * 1024 * 1024

_KINDS: Final = {
    "blocked_leads": NumbersKind.BLOCKED_LEADS,
    "suppressed": NumbersKind.SUPPRESSED,
    "bad_numbers": NumbersKind.BAD_NUMBER,
}


async def post_all(
    client: ImportQueue,
    staged: Staging,
    report: Report,
    quarantine: QuarantineFile,
    tell: Tell,
    campaign: str | None,
) -> None:
    """Post everything, in groups; `report` counts what was answered. May be stopped anywhere, and begun again."""
    for name, kind in _KINDS.items():
        await _post_list(client, staged, report, name, kind, tell)
    clock = report.clock.clock if report.clock else HostClock()
    leads = merged_leads(staged, clock, campaign)
    for group in in_sized_groups(leads, lambda lead: len(lead.model_dump_json()), most=GROUP, most_bytes=_MOST_BYTES):
        request = ImportRequest(source=SOURCE, leads=group, dry_run=report.dry_run)
        answer = await client.import_leads(request)
        for lead, record in zip(group, answer.records, strict=True):
            report.note_lead(record)
            if record.result is ImportResult.QUARANTINED:
                problem = record.problem or "not taken by the queue-service"
                report.quarantined_leads[problem] += 1
                quarantine.add({"file": None, "reason": problem, "lead": lead.model_dump(mode="json")})
        tell(len(group))


async def _post_list(
    client: ImportQueue, staged: Staging, report: Report, name: str, kind: NumbersKind, tell: Tell
) -> None:
    entries = (NumberEntry(phone_number=who, reason=reason) for who, reason in staged.listed(name))
    for group in in_groups(entries, GROUP):
        request = NumbersRequest(kind=kind, source=SOURCE, numbers=group, dry_run=report.dry_run)
        answer = await client.import_numbers(request)
        report.lists[name].update(result.value for result in answer.results)
        tell(len(group))


def merged_leads(staged: Staging, clock: HostClock, campaign: str | None) -> Iterator[ImportedLead]:
    """One lead for each number and campaign. `campaign` is that of rows which name none."""
    for number in staged.numbers():
        of_campaign: dict[str, list[Record]] = {}
        for row in number.rows:
            read = read_row(row.shape, json.loads(row.row), row.key, clock)
            # It could be read when it was staged, and that does not depend on the clock.
            assert not isinstance(read, Quarantined)
            of_campaign.setdefault(read.campaign or campaign or "", []).append(read)
        wishes = _wishes_of_lists(number)
        for name, records in sorted(of_campaign.items()):
            yield merge(records, wishes).model_copy(update={"campaign": name or None})


def _wishes_of_lists(number: StagedNumber) -> list[Wish]:
    given = ((number.suppressed, DNC), (number.bad, BAD_NUMBER), (number.unclear, UNCLEAR))
    return [wish for is_given, wish in given if is_given]
