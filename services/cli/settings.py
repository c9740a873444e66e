"""What the commands for a chart's pods read."""

from typing import ClassVar

from leadline.runtime.settings import ProcessSettings
from leadline.runtime.settings.access_parts import QueueAddressPart, QueueClientPart, SmokePart
from leadline.runtime.settings.parts import ObservabilityPart


class WaitSettings(ProcessSettings):
    """Settings of `leadline wait-for-queue`."""

    process: ClassVar[str] = "wait-for-queue"

    queue: QueueAddressPart
    observability: ObservabilityPart


class SmokeSettings(ProcessSettings):
    """Settings of `leadline smoke`. The token is an operator's."""

    process: ClassVar[str] = "smoke"

    queue: QueueClientPart
    smoke: SmokePart
