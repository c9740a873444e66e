"""What the sweep reads."""

from typing import ClassVar

from leadline.runtime.settings import ProcessSettings
from leadline.runtime.settings.access_parts import QueueClientPart
from leadline.runtime.settings.parts import BlandPart, ObservabilityPart, SweepPart
from leadline.runtime.settings.trace_parts import TracingPart


class SweepSettings(ProcessSettings):
    """Settings of `python -m services.sweep`."""

    process: ClassVar[str] = "sweep"

    queue: QueueClientPart
    bland: BlandPart
    sweep: SweepPart
    observability: ObservabilityPart
    tracing: TracingPart


class DryRunSettings(ProcessSettings):
    """Settings of `python -m services.sweep --dry-run`: Bland is not asked."""

    process: ClassVar[str] = "sweep"

    queue: QueueClientPart
    sweep: SweepPart
    observability: ObservabilityPart
