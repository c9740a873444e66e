"""Legal hours: when the law of the person's place allows a call.

Federal: 8:00 to 21:00 at the called party's location (47 CFR 64.1200(c)(1)); as the place is never certain, a call
must be legal in every zone in which the person may be.
"""

from functools import lru_cache
from typing import Final, assert_never

from leadline.domain.campaign import Campaign, LegalProfile
from leadline.domain.facts import LeadFacts, NumberFacts
from leadline.domain.rules.hours import CallingHours, parse_calling_hours
from leadline.domain.rules.windows import AllOf, Windows
from leadline.domain.wall_clock import zone_named
from leadline.domain.zones import possible_zones

FEDERAL: Final = "Mon-Sun 08:00-21:00"
"""Federal hours on the wall clock of the person called."""


@lru_cache(maxsize=512)
def federal_hours(zone: str) -> CallingHours:
    """Federal hours in one IANA zone."""
    return parse_calling_hours(FEDERAL, zone_named(zone))


@lru_cache(maxsize=4096)
def legal_hours(profile: LegalProfile, zones: frozenset[str]) -> Windows:
    """When the profile allows a call to a person who may be in any of the zones."""
    match profile:
        case LegalProfile.NONE:
            return AllOf(())
        case LegalProfile.FEDERAL:
            return AllOf(tuple(federal_hours(zone) for zone in sorted(zones)))
        case _:
            assert_never(profile)


@lru_cache(maxsize=4096)
def _both(hours: CallingHours, profile: LegalProfile, zones: frozenset[str]) -> Windows:
    return AllOf((hours, legal_hours(profile, zones)))


def zones_of(lead: LeadFacts, number: NumberFacts) -> frozenset[str]:
    """Every zone in which the lead's person may be."""
    return possible_zones(number.phone_number, lead.state)


def callable_hours(lead: LeadFacts, number: NumberFacts, campaign: Campaign) -> Windows:
    """When both the campaign's calling hours and the law allow a call."""
    return _both(campaign.hours, campaign.legal_profile, zones_of(lead, number))
