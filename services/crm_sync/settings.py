"""What the CRM's sync reads."""

from typing import ClassVar

from leadline.runtime.settings import ProcessSettings
from leadline.runtime.settings.access_parts import QueueClientPart
from leadline.runtime.settings.crm_parts import ConvosoPart, CrmSyncPart
from leadline.runtime.settings.parts import DrainPart, ListenPart, ObservabilityPart
from leadline.runtime.settings.trace_parts import TracingPart


class CrmSyncSettings(ProcessSettings):
    """Settings of `python -m services.crm_sync`. Without Convoso's token it does not start: it could do nothing."""

    process: ClassVar[str] = "crm-sync"

    queue: QueueClientPart
    convoso: ConvosoPart
    sync: CrmSyncPart
    drain: DrainPart
    listen: ListenPart
    observability: ObservabilityPart
    tracing: TracingPart
