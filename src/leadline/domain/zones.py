"""Where the person called may be: time zones from the number and from the state field.

Every source of evidence gives a set; the union is where the person may be, and a call must be legal in all of it.
"""

from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from leadline.domain.ids import PhoneNumber
from leadline.domain.phone import number_zones
from leadline.domain.wall_clock import zone_named

_EASTERN: Final = "America/New_York"
_CENTRAL: Final = "America/Chicago"
_MOUNTAIN: Final = "America/Denver"
_PACIFIC: Final = "America/Los_Angeles"

_ZONES_OF_STATES: Final[dict[str, tuple[str, ...]]] = {
    "AL": (_CENTRAL,),
    "AK": ("America/Anchorage", "America/Adak"),
    "AZ": ("America/Phoenix", _MOUNTAIN),
    "AR": (_CENTRAL,),
    "CA": (_PACIFIC,),
    "CO": (_MOUNTAIN,),
    "CT": (_EASTERN,),
    "DE": (_EASTERN,),
    "DC": (_EASTERN,),
    "FL": (_EASTERN, _CENTRAL),
    "GA": (_EASTERN,),
    "HI": ("Pacific/Honolulu",),
    "ID": ("America/Boise", _PACIFIC),
    "IL": (_CENTRAL,),
    "IN": (_EASTERN, _CENTRAL),
    "IA": (_CENTRAL,),
    "KS": (_CENTRAL, _MOUNTAIN),
    "KY": (_EASTERN, _CENTRAL),
    "LA": (_CENTRAL,),
    "ME": (_EASTERN,),
    "MD": (_EASTERN,),
    "MA": (_EASTERN,),
    "MI": (_EASTERN, _CENTRAL),
    "MN": (_CENTRAL,),
    "MS": (_CENTRAL,),
    "MO": (_CENTRAL,),
    "MT": (_MOUNTAIN,),
    "NE": (_CENTRAL, _MOUNTAIN),
    "NV": (_PACIFIC, _MOUNTAIN),
    "NH": (_EASTERN,),
    "NJ": (_EASTERN,),
    "NM": (_MOUNTAIN,),
    "NY": (_EASTERN,),
    "NC": (_EASTERN,),
    "ND": (_CENTRAL, _MOUNTAIN),
    "OH": (_EASTERN,),
    "OK": (_CENTRAL,),
    "OR": (_PACIFIC, "America/Boise"),
    "PA": (_EASTERN,),
    "RI": (_EASTERN,),
    "SC": (_EASTERN,),
    "SD": (_CENTRAL, _MOUNTAIN),
    "TN": (_EASTERN, _CENTRAL),
    "TX": (_CENTRAL, _MOUNTAIN),
    "UT": (_MOUNTAIN,),
    "VT": (_EASTERN,),
    "VA": (_EASTERN,),
    "WA": (_PACIFIC,),
    "WV": (_EASTERN,),
    "WI": (_CENTRAL,),
    "WY": (_MOUNTAIN,),
}
"""Every clock in force in a state (49 CFR part 71; Navajo Nation in AZ, West Wendover in NV), one zone for each."""

_ZONES_OF_TERRITORIES: Final[dict[str, tuple[str, ...]]] = {
    "AS": ("Pacific/Pago_Pago",),
    "GU": ("Pacific/Guam",),
    "MP": ("Pacific/Saipan",),
    "PR": ("America/Puerto_Rico",),
    "VI": ("America/St_Thomas",),
}

ALL_US_ZONES: Final = frozenset(zone for zones in _ZONES_OF_STATES.values() for zone in zones)
"""Where a person of unknown place may be: the states. Territories have area codes of their own, all known."""

_NO_ZONES: Final[frozenset[str]] = frozenset()
_ZONES: Final = {code: frozenset(zones) for code, zones in (_ZONES_OF_STATES | _ZONES_OF_TERRITORIES).items()}

_NAMES: Final = {
    "ALABAMA": "AL",
    "ALASKA": "AK",
    "ARIZONA": "AZ",
    "ARKANSAS": "AR",
    "CALIFORNIA": "CA",
    "COLORADO": "CO",
    "CONNECTICUT": "CT",
    "DELAWARE": "DE",
    "DISTRICT OF COLUMBIA": "DC",
    "WASHINGTON DC": "DC",
    "FLORIDA": "FL",
    "GEORGIA": "GA",
    "HAWAII": "HI",
    "IDAHO": "ID",
    "ILLINOIS": "IL",
    "INDIANA": "IN",
    "IOWA": "IA",
    "KANSAS": "KS",
    "KENTUCKY": "KY",
    "LOUISIANA": "LA",
    "MAINE": "ME",
    "MARYLAND": "MD",
    "MASSACHUSETTS": "MA",
    "MICHIGAN": "MI",
    "MINNESOTA": "MN",
    "MISSISSIPPI": "MS",
    "MISSOURI": "MO",
    "MONTANA": "MT",
    "NEBRASKA": "NE",
    "NEVADA": "NV",
    "NEW HAMPSHIRE": "NH",
    "NEW JERSEY": "NJ",
    "NEW MEXICO": "NM",
    "NEW YORK": "NY",
    "NORTH CAROLINA": "NC",
    "NORTH DAKOTA": "ND",
    "OHIO": "OH",
    "OKLAHOMA": "OK",
    "OREGON": "OR",
    "PENNSYLVANIA": "PA",
    "RHODE ISLAND": "RI",
    "SOUTH CAROLINA": "SC",
    "SOUTH DAKOTA": "SD",
    "TENNESSEE": "TN",
    "TEXAS": "TX",
    "UTAH": "UT",
    "VERMONT": "VT",
    "VIRGINIA": "VA",
    "WASHINGTON": "WA",
    "WEST VIRGINIA": "WV",
    "WISCONSIN": "WI",
    "WYOMING": "WY",
    "AMERICAN SAMOA": "AS",
    "GUAM": "GU",
    "NORTHERN MARIANA ISLANDS": "MP",
    "PUERTO RICO": "PR",
    "VIRGIN ISLANDS": "VI",
    "US VIRGIN ISLANDS": "VI",
}


def state_code(text: str | None) -> str | None:
    """The two-letter code of a US state or territory written as code or name in any case; None if it is none."""
    words = " ".join((text or "").upper().replace(".", "").split())
    code = _NAMES.get(words, words)
    return code if code in _ZONES else None


def state_zones(state: str | None) -> frozenset[str]:
    """Every zone of a US state or territory; empty if the text names none."""
    code = state_code(state)
    return _ZONES[code] if code else _NO_ZONES


@lru_cache(maxsize=65536)
def possible_zones(phone: PhoneNumber, state: str | None) -> frozenset[str]:
    """Every zone in which the person may be; all zones of the states if nothing is known, never none."""
    evidence = (number_zones(phone), state_zones(state))
    return _NO_ZONES.union(*evidence) or ALL_US_ZONES


def callback_zone(phone: PhoneNumber, state: str | None, campaign_zone: ZoneInfo) -> ZoneInfo:
    """The zone of a time that the person named: the number's or else the state's if it is one, else the campaign's."""
    for zones in (number_zones(phone), state_zones(state)):
        if len(zones) == 1:
            return zone_named(next(iter(zones)))
    return campaign_zone
