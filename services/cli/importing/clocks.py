"""Finds by how much the files' clock was wrong: the provider knows when some of the calls were."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from leadline.domain.ids import CallId
from leadline.legacy.clock import ClockSample, HostClock, find_clock
from leadline.runtime.settings import load
from leadline.runtime.settings.parts import BlandPart
from leadline.telephony.bland import BlandClient
from leadline.telephony.port import ProviderError, ProviderRefused
from services.cli.exits import wrong_usage

AUTO: Final = "auto"
MOST_LOOK_UPS: Final = 20
_MOST_OFFSET_SECONDS: Final = 20 * 3600
_MOST_FAILURES: Final = 3
_KEY_NAMES: Final = ("LEADLINE_BLAND_API_KEY", "LEADLINE_BLAND_API_KEY_FILE")


@dataclass(frozen=True, slots=True)
class FoundClock:
    """The clock, and how it is known."""

    clock: HostClock
    how: str
    """For people."""


def given_offset(text: str) -> int | None:
    """The seconds of `--clock-offset`; None for `auto`. Raises CliError."""
    if text.strip().lower() == AUTO:
        return None
    try:
        seconds = int(text)
    except ValueError:
        raise wrong_usage(f"--clock-offset {text}: is neither auto nor a number of seconds such as 18000") from None
    if abs(seconds) > _MOST_OFFSET_SECONDS:
        raise wrong_usage(f"--clock-offset {text}: must lie between -{_MOST_OFFSET_SECONDS} and {_MOST_OFFSET_SECONDS}")
    return seconds


def find(given: int | None, samples: list[tuple[str, datetime]], environ: Mapping[str, str] = os.environ) -> FoundClock:
    """The given clock; else the one that the provider's calls prove; else the usual one, taken as approximate.

    Raises SettingsError if the provider's settings are wrong. A provider that does not answer is no error.
    """
    if given is not None:
        return FoundClock(HostClock(given, proven=True), "given")
    usual = HostClock()
    if not samples:
        return FoundClock(usual, "assumed: no row has a call by that clock")
    if not any(environ.get(name, "").strip() for name in _KEY_NAMES):
        return FoundClock(usual, "assumed: set LEADLINE_BLAND_API_KEY to have it proven")
    known = asyncio.run(_look_up(load(BlandPart, environ), samples))
    clock = find_clock(known)
    if clock is not None:
        return FoundClock(clock, f"proven by {len(known)} calls that the provider knows")
    why = f"{len(known)} calls contradict each other" if known else "the provider knows none of the calls"
    return FoundClock(usual, f"assumed: {why}")


async def _look_up(settings: BlandPart, samples: list[tuple[str, datetime]]) -> list[ClockSample]:
    """One call after the other; given up when the provider refuses us, or fails again and again."""
    known: list[ClockSample] = []
    failures = 0
    async with BlandClient(
        base_url=settings.bland_base_url,
        api_key=settings.bland_api_key.get_secret_value(),
        timeout_seconds=settings.bland_timeout_seconds,
    ) as bland:
        for call_id, written in samples[:MOST_LOOK_UPS]:
            try:
                sample = await _sample(bland, call_id, written)
            except ProviderRefused:
                break
            except ProviderError:
                failures += 1
                if failures == _MOST_FAILURES:
                    break
                continue
            known += [sample] if sample else []
    return known


async def _sample(bland: BlandClient, call_id: str, written: datetime) -> ClockSample | None:
    details = await bland.details(CallId(call_id))
    if details is None:
        return None
    said = details.parsed
    started_at = said.result.started_at or said.created_at
    if started_at is None:
        return None
    length = timedelta(seconds=said.result.talk_seconds or 0)
    return ClockSample(written, started_at, said.result.ended_at or started_at + length)
