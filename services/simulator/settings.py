"""What the simulator reads."""

from typing import ClassVar

from leadline.runtime.settings import ProcessSettings
from leadline.runtime.settings.parts import (
    ListenPart,
    ObservabilityPart,
    SimulatedPlan,
    SimulatedWorldPart,
    SimulatorPart,
)

__all__ = ["Plan", "SimulatedWorldPart", "SimulatorSettings"]

Plan = SimulatedPlan


class SimulatorSettings(ProcessSettings):
    """Settings of `python -m services.simulator`."""

    process: ClassVar[str] = "simulator"

    listen: ListenPart
    simulator: SimulatorPart
    world: SimulatedWorldPart
    observability: ObservabilityPart
