"""One type for telephone numbers, made at the border: every spelling of a number is one number."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.domain.errors import InvalidPhoneNumber, RefusedPhoneNumber
from leadline.domain.ids import PhoneNumber
from leadline.domain.phone import masked, national_form, normalise_any, number_zones, parse_phone_number


@pytest.mark.parametrize(
    "text",
    [
        "+15615550123",
        "15615550123",
        "5615550123",
        "(561) 555-0123",
        "+1 561-555-0123",
        " 561.555.0123 ",
        "tel:+1-561-555-0123",
        "5615550123.0",
        "011 1 561 555 0123",
        "\uff15\uff16\uff11\uff15\uff15\uff15\uff10\uff11\uff12\uff13",
    ],
)
def test_every_spelling_is_one_number(text: str) -> None:
    assert parse_phone_number(text) == "+15615550123"
    assert normalise_any(text) == "+15615550123"


@pytest.mark.parametrize(
    "text", ["", "12345", "abc", "+1", "561555012", "+15555550123", "+11115550123", "\0", "\ud800", "5" * 1000, "0"]
)
def test_what_is_no_number_is_invalid(text: str) -> None:
    with pytest.raises(InvalidPhoneNumber):
        parse_phone_number(text)
    assert normalise_any(text) is None


def test_an_extension_cannot_be_dialled() -> None:
    with pytest.raises(InvalidPhoneNumber, match="extension"):
        parse_phone_number("561-555-0123 ext. 45")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("+18005551212", "toll-free"),
        ("+18885551212", "toll-free"),
        ("+19005551212", "premium"),
        ("+15005550006", "personal"),
        ("+442071838750", "country GB"),
        ("+14165550133", "country CA"),
        ("+18765550133", "country JM"),
    ],
)
def test_real_numbers_that_are_not_called_are_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(RefusedPhoneNumber, match=why):
        parse_phone_number(text)
    assert normalise_any(text) == text


def test_countries_are_a_setting_and_the_us_includes_its_territories() -> None:
    for territory in ("+17875550123", "+13405550133", "+16715550133"):
        assert parse_phone_number(territory) == territory
    canada = frozenset({"US", "CA"})
    assert parse_phone_number("416 555 0133", canada) == "+14165550133"
    britain = frozenset({"GB"})
    assert parse_phone_number("020 7183 8750", britain) == "+442071838750"
    with pytest.raises(RefusedPhoneNumber):
        parse_phone_number("+15615550123", britain)
    with pytest.raises(RefusedPhoneNumber):
        parse_phone_number("+17875550123", canada - {"US"})


def test_national_form_is_what_bland_may_list() -> None:
    assert national_form(PhoneNumber("+15615550123")) == "5615550123"
    assert national_form(PhoneNumber("+442071838750")) == "442071838750"


@pytest.mark.parametrize(
    ("phone", "shown"),
    [("+15615550123", "+1******0123"), ("+442071838750", "+4******8750"), ("123", "******"), ("", "******")],
)
def test_masked_never_shows_a_number(phone: str, shown: str) -> None:
    assert masked(phone) == shown


@pytest.mark.parametrize(
    ("phone", "zones"),
    [
        ("+15615550123", {"America/New_York"}),
        ("+18502000123", {"America/Chicago"}),
        ("+18505550133", {"America/New_York"}),
        ("+19076550123", {"America/Adak", "America/Anchorage"}),
        ("+16715550133", {"Pacific/Guam"}),
        ("+15005550006", set()),
        ("+442071838750", {"Europe/London"}),
        ("+0", set()),
    ],
)
def test_zones_of_a_number_come_from_area_code_and_exchange(phone: str, zones: set[str]) -> None:
    assert number_zones(PhoneNumber(phone)) == zones


@given(st.text(max_size=80))
def test_any_text_is_a_number_or_an_error_of_ours(text: str) -> None:
    with suppress(InvalidPhoneNumber, RefusedPhoneNumber):
        phone = parse_phone_number(text)
        assert parse_phone_number(phone) == phone


@given(st.from_regex(r"\+?1?[2-9]\d{2}[2-9]\d{6}", fullmatch=True))
def test_a_normalised_number_is_its_own_normal_form(text: str) -> None:
    phone = normalise_any(text)
    if phone is not None:
        assert normalise_any(phone) == phone
        assert not phone.startswith("+1") or normalise_any(national_form(phone)) == phone
