"""Facts and campaigns for tests of the rules: everything has a harmless default, a test names what it is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from leadline.domain.campaign import Campaign, LegalProfile
from leadline.domain.facts import LeadFacts, NumberFacts
from leadline.domain.ids import CampaignName, LeadId, PhoneNumber
from leadline.domain.lead import LeadStatus
from leadline.domain.rules.hours import parse_calling_hours

NEW_YORK = ZoneInfo("America/New_York")
FLORIDA_NUMBER = PhoneNumber("+15615550123")
WEEKDAYS_11_TO_20 = "Mon-Fri 11:00-20:00"
ALWAYS = "Mon-Sun 00:00-24:00"


def at(text: str, zone: str = "America/New_York") -> datetime:
    """The UTC instant of a wall time (`2026-01-05 11:00`), New York's if nothing is said."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def a_campaign(hours: str = WEEKDAYS_11_TO_20, zone: str = "America/New_York", **changes: Any) -> Campaign:
    campaign = Campaign(name=CampaignName("awhealth"), hours=parse_calling_hours(hours, zone))
    return replace(campaign, **changes)


def an_open_campaign(**changes: Any) -> Campaign:
    """Calls at any time and under no law: for rules that hours would only hide."""
    return a_campaign(ALWAYS, **{"legal_profile": LegalProfile.NONE, **changes})


def a_lead(**changes: Any) -> LeadFacts:
    lead = LeadFacts(id=LeadId(UUID(int=1)), campaign=CampaignName("awhealth"), status=LeadStatus.PENDING, state="FL")
    return replace(lead, **changes)


def a_number(**changes: Any) -> NumberFacts:
    return replace(NumberFacts(phone_number=FLORIDA_NUMBER), **changes)


ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Phoenix",
    "America/Adak",
    "Pacific/Honolulu",
    "Pacific/Guam",
    "America/Havana",  # the clock changes at midnight
    "Australia/Lord_Howe",  # by half an hour
    "Africa/Casablanca",  # summer time is the normal time
    "America/Santiago",  # summer begins at 24:00
    "Asia/Kathmandu",
)
"""Zones with every kind of trouble."""

instants = st.datetimes(
    min_value=datetime(2025, 6, 1),  # noqa: DTZ001 -- Hypothesis wants it naive and adds the zone
    max_value=datetime(2027, 6, 1),  # noqa: DTZ001 -- as above
    timezones=st.just(UTC),
)


@st.composite
def hours_texts(draw: st.DrawFn) -> str:
    """Calling hours as somebody may write them, from never-quite to always."""
    entries = []
    for _ in range(draw(st.integers(1, 3))):
        first, last = draw(st.sampled_from(DAYS)), draw(st.sampled_from(DAYS))
        opens = draw(st.integers(0, 95)) * 15
        closes = draw(st.integers(opens // 15 + 1, 96)) * 15
        entries.append(f"{first}-{last} {_clock(opens)}-{_clock(closes)}")
    return ", ".join(entries)


DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
