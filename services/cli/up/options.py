"""What `leadline up` is asked for, checked before anything starts. Pure, but for the wall clock it is given."""

import ipaddress
import math
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from services.cli.up.errors import UpRefused
from services.cli.up.people import MOST_PEOPLE

NOW = "now"
LEAST_SPEED = 0.01
GREATEST_SPEED = 10_000.0


@dataclass(frozen=True, slots=True)
class Options:
    """The command line of `up`. Instants are aware."""

    demo: int = 0
    start_at: datetime | None = None
    back_to_wall_clock: bool = False
    """`--start-at now`."""
    speed: float | None = None
    until: datetime | None = None
    as_json: bool = False

    @property
    def pretends(self) -> list[str]:
        """The options given that are for a simulated carrier alone."""
        asked = {
            "--demo": self.demo > 0,
            "--start-at": self.start_at is not None or self.back_to_wall_clock,
            "--speed": self.speed is not None,
            "--until": self.until is not None,
        }
        return [name for name, given in asked.items() if given]


def read_options(*, demo: int, start_at: str | None, speed: float | None, until: str | None, as_json: bool) -> Options:
    """The options as values. Raises UpRefused with one line for what cannot be."""
    if not 0 <= demo <= MOST_PEOPLE:
        msg = f"--demo {demo}: must be 0 to {MOST_PEOPLE} sample leads"
        raise UpRefused(msg)
    if speed is not None and not (math.isfinite(speed) and LEAST_SPEED <= speed <= GREATEST_SPEED):
        msg = f"--speed {speed:g}: must be {LEAST_SPEED:g} to {GREATEST_SPEED:g} (1 is real time)"
        raise UpRefused(msg)
    now = start_at is not None and start_at.strip().lower() == NOW
    options = Options(
        demo=demo,
        start_at=read_instant("--start-at", start_at) if start_at and not now else None,
        back_to_wall_clock=now,
        speed=speed,
        until=read_instant("--until", until) if until else None,
        as_json=as_json,
    )
    if options.until is not None and options.start_at is not None and options.until <= options.start_at:
        msg = f"--until {until} is not after --start-at {start_at}"
        raise UpRefused(msg)
    return options


def read_instant(option: str, text: str) -> datetime:
    """An ISO 8601 instant with its offset. Raises UpRefused."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        msg = f"{option} {text}: is no ISO 8601 time such as 2026-01-05T10:55-05:00"
        raise UpRefused(msg) from None
    if found.tzinfo is None:
        msg = f"{option} {text}: says no offset; write it with one, such as {text}-05:00"
        raise UpRefused(msg)
    return found


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine. A name other than `localhost` is never looked up, so it does not."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_pretending(options: Options, bland_base_url: str) -> None:
    """Raise UpRefused if business time or leads were to be invented while calls are real."""
    if options.pretends and not is_loopback(bland_base_url):
        msg = (
            f"{', '.join(options.pretends)}: only with a simulated Bland, and LEADLINE_BLAND_BASE_URL"
            f" ({bland_base_url}) is not on this machine; unset LEADLINE_BLAND_API_KEY and LEADLINE_BLAND_BASE_URL"
        )
        raise UpRefused(msg)
