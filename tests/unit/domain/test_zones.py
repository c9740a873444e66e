"""Where a person may be: every zone of every state, and all of them if nothing is known."""

import re
from zoneinfo import ZoneInfo

import pytest

from leadline.domain.ids import PhoneNumber
from leadline.domain.phone import number_zones
from leadline.domain.zones import ALL_US_ZONES, callback_zone, possible_zones, state_code, state_zones

MIAMI = PhoneNumber("+13055550123")
ALASKA = PhoneNumber("+19075550123")
NOWHERE = PhoneNumber("+15005550006")
STATES = re.findall(
    r"\w\w",
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR "
    "PA RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP PR VI",
)


def test_every_state_and_territory_has_zones_that_exist() -> None:
    assert len(STATES) == 56
    for state in STATES:
        assert state_zones(state), state
        for zone in state_zones(state):
            ZoneInfo(zone)


@pytest.mark.parametrize(
    ("state", "zones"),
    [
        ("FL", {"America/New_York", "America/Chicago"}),
        ("TN", {"America/New_York", "America/Chicago"}),
        ("KY", {"America/New_York", "America/Chicago"}),
        ("IN", {"America/New_York", "America/Chicago"}),
        ("MI", {"America/New_York", "America/Chicago"}),
        ("TX", {"America/Chicago", "America/Denver"}),
        ("KS", {"America/Chicago", "America/Denver"}),
        ("NE", {"America/Chicago", "America/Denver"}),
        ("ND", {"America/Chicago", "America/Denver"}),
        ("SD", {"America/Chicago", "America/Denver"}),
        ("OR", {"America/Los_Angeles", "America/Boise"}),
        ("ID", {"America/Los_Angeles", "America/Boise"}),
        ("NV", {"America/Los_Angeles", "America/Denver"}),
        ("AK", {"America/Anchorage", "America/Adak"}),
        ("AZ", {"America/Phoenix", "America/Denver"}),
        ("HI", {"Pacific/Honolulu"}),
        ("NY", {"America/New_York"}),
        ("PR", {"America/Puerto_Rico"}),
        ("GU", {"Pacific/Guam"}),
        ("AS", {"Pacific/Pago_Pago"}),
    ],
)
def test_states_with_two_clocks_list_both(state: str, zones: set[str]) -> None:
    assert state_zones(state) == zones


@pytest.mark.parametrize(
    ("text", "code"),
    [("fl", "FL"), (" Fl. ", "FL"), ("Florida", "FL"), ("new  york", "NY"), ("D.C.", "DC"), ("ZZ", None), ("", None)],
)
def test_a_state_may_be_written_as_code_or_name(text: str, code: str | None) -> None:
    assert state_code(text) == code
    assert state_code(None) is None


def test_possible_zones_are_those_of_number_and_state_together() -> None:
    assert possible_zones(MIAMI, None) == {"America/New_York"}
    assert possible_zones(MIAMI, "FL") == {"America/New_York", "America/Chicago"}
    assert possible_zones(MIAMI, "hawaii") == {"America/New_York", "Pacific/Honolulu"}
    assert possible_zones(MIAMI, "Ontario") == {"America/New_York"}


def test_unknown_is_everywhere_and_never_nowhere() -> None:
    assert possible_zones(NOWHERE, None) == ALL_US_ZONES
    assert possible_zones(NOWHERE, "HI") == {"Pacific/Honolulu"}
    assert {"America/New_York", "Pacific/Honolulu", "America/Adak", "America/Phoenix"} <= ALL_US_ZONES


def test_callback_zone_is_the_numbers_else_the_states_else_the_campaigns() -> None:
    campaign = ZoneInfo("America/Denver")
    assert callback_zone(MIAMI, "CA", campaign).key == "America/New_York"
    assert callback_zone(ALASKA, "CA", campaign).key == "America/Los_Angeles"
    assert callback_zone(ALASKA, "TX", campaign).key == "America/Denver"
    assert callback_zone(NOWHERE, None, campaign) is campaign


def test_every_zone_that_an_american_number_may_have_can_be_loaded() -> None:
    prefixes = (PhoneNumber(f"+1{npa}{nxx}0100") for npa in range(200, 1000) for nxx in (200, 283, 555, 762))
    for zone in {zone for phone in prefixes for zone in number_zones(phone)}:
        ZoneInfo(zone)
