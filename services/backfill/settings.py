"""What a backfill reads."""

from typing import ClassVar

from leadline.runtime.settings import ProcessSettings
from leadline.runtime.settings.access_parts import QueueClientPart
from leadline.runtime.settings.crm_parts import BackfillOptionsPart, BackfillPart, ConvosoPart
from leadline.runtime.settings.parts import BlandPart, CallingPart, ObservabilityPart
from leadline.runtime.settings.trace_parts import TracingPart


class BackfillSettings(ProcessSettings):
    """Settings of `python -m services.backfill`. The calling time zone is that of plain dates."""

    process: ClassVar[str] = "backfill"

    queue: QueueClientPart
    bland: BlandPart
    convoso: ConvosoPart
    calling: CallingPart
    backfill: BackfillPart
    options: BackfillOptionsPart
    observability: ObservabilityPart
    tracing: TracingPart
