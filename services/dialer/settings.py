"""The settings of a dialer."""

from typing import ClassVar

from leadline.runtime.settings import ProcessSettings
from leadline.runtime.settings.access_parts import QueueClientPart
from leadline.runtime.settings.crm_parts import ConvosoPart
from leadline.runtime.settings.parts import (
    BlandCallPart,
    BlandPart,
    CadencePart,
    CallingPart,
    CampaignsFilePart,
    DialerPart,
    DrainPart,
    ListenPart,
    ObservabilityPart,
    PublicPart,
)
from leadline.runtime.settings.trace_parts import TracingPart


class DialerSettings(ProcessSettings):
    """Everything a dialer reads."""

    process: ClassVar[str] = "dialer"

    queue: QueueClientPart
    bland: BlandPart
    convoso: ConvosoPart
    public: PublicPart
    dialer: DialerPart
    drain: DrainPart
    cadence: CadencePart
    calling: CallingPart
    campaigns: CampaignsFilePart
    call: BlandCallPart
    listen: ListenPart
    observability: ObservabilityPart
    tracing: TracingPart
