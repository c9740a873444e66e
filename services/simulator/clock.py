"""Business time of the simulated world: moved and sped up on request, the wall clock otherwise."""

import math
from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class ClockSetting(BaseModel):
    """`PUT /simulator/clock`: business = business_at + (wall - real_at) * speed. Speed 0 stands still."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    real_at: AwareDatetime
    business_at: AwareDatetime
    speed: float = Field(default=1.0, ge=0, le=100_000)


class ClockView(BaseModel):
    """What the clock shows."""

    real_at: datetime
    business_at: datetime
    speed: float


class Clock:
    """Two clocks as epoch seconds. Not thread-safe; one per process."""

    def __init__(self, wall: Callable[[], float]) -> None:
        """Start on the wall clock."""
        self._wall = wall
        self._real_at = 0.0
        self._business_at = 0.0
        self._speed = 1.0

    def real_now(self) -> float:
        """Wall time."""
        return self._wall()

    def now(self) -> float:
        """Business time."""
        return self._business(self._wall())

    def set(self, setting: ClockSetting) -> None:
        """Move the clock, backwards too: whether that is allowed is the caller's to judge."""
        self._real_at = setting.real_at.timestamp()
        self._business_at = setting.business_at.timestamp()
        self._speed = setting.speed

    def business_under(self, setting: ClockSetting) -> float:
        """What business time would be now if `setting` held."""
        elapsed = self._wall() - setting.real_at.timestamp()
        return setting.business_at.timestamp() + elapsed * setting.speed

    def real_seconds_until(self, business: float) -> float:
        """Real seconds until a business instant; infinite if the clock stands still before it."""
        left = business - self.now()
        if left <= 0:
            return 0.0
        return left / self._speed if self._speed else math.inf

    def view(self) -> ClockView:
        """Both clocks, read at one instant."""
        real = self._wall()
        return ClockView(real_at=instant(real), business_at=instant(self._business(real)), speed=self._speed)

    def _business(self, real: float) -> float:
        return self._business_at + (real - self._real_at) * self._speed


def instant(epoch: float) -> datetime:
    """Epoch seconds as an aware UTC instant."""
    return datetime.fromtimestamp(epoch, UTC)


def iso(epoch: float) -> str:
    """Epoch seconds as the provider prints instants: UTC, milliseconds, `Z`."""
    return instant(epoch).isoformat(timespec="milliseconds").replace("+00:00", "Z")
