"""The settings of the gateway."""

from typing import ClassVar

from leadline.runtime.settings import ProcessSettings
from leadline.runtime.settings.access_parts import QueueClientPart
from leadline.runtime.settings.parts import DrainPart, GatewayPart, ListenPart, ObservabilityPart
from leadline.runtime.settings.trace_parts import TracingPart


class GatewaySettings(ProcessSettings):
    """Everything the gateway reads. Without a webhook secret it does not start: nobody could be told from Bland."""

    process: ClassVar[str] = "gateway"

    gateway: GatewayPart
    queue: QueueClientPart
    drain: DrainPart
    listen: ListenPart
    observability: ObservabilityPart
    tracing: TracingPart
