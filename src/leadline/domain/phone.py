"""Telephone numbers: the one door through which a text becomes a `PhoneNumber`, and the only user of `phonenumbers`.

Whatever is compared, stored or locked is E.164; the national form is only for providers that leave out the +1.
"""

import re
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType
from phonenumbers.timezone import time_zones_for_geographical_number

from leadline.domain.errors import InvalidPhoneNumber, RefusedPhoneNumber
from leadline.domain.ids import PhoneNumber

US: Final = "US"
US_TERRITORIES: Final = frozenset({"AS", "GU", "MP", "PR", "VI"})
"""Countries of their own in the numbering plan, part of the United States for those who call."""

_LONGEST_TEXT: Final = 64
_NANP_PREFIX: Final = len("+1561555")
_UNKNOWN_ZONE: Final = "Etc/Unknown"
_FLOAT_TAIL: Final = re.compile(r"\.0+$")
"""A spreadsheet turned the number into a decimal: `5615550123.0`."""

_CALLED_TYPES: Final = frozenset(
    {PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.VOIP}
)
_REFUSED_WORDS: Final = {
    PhoneNumberType.TOLL_FREE: "a toll-free number",
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
    PhoneNumberType.SHARED_COST: "a shared-cost number",
    PhoneNumberType.PERSONAL_NUMBER: "a personal forwarding number without a place",
    PhoneNumberType.PAGER: "a pager",
    PhoneNumberType.UAN: "a company's access number",
    PhoneNumberType.VOICEMAIL: "a voicemail access number",
}


def parse_phone_number(text: str, countries: frozenset[str] = frozenset({US})) -> PhoneNumber:
    """The number as E.164. A text without a country code is read as a number of the US (else of the only country).

    `countries` are ISO codes; US includes its territories. Raises InvalidPhoneNumber if the text is no number that can
    be dialled, RefusedPhoneNumber if it is one that Leadline does not call.
    """
    number = _parsed(text, US if US in countries or not countries else min(countries))
    if number is None:
        raise InvalidPhoneNumber("The text is no telephone number; send it as +15615550123 or (561) 555-0123.")
    if number.extension:
        raise InvalidPhoneNumber("The number has an extension, which cannot be dialled; send the direct number.")
    _refuse_what_is_not_called(number, countries)
    return _e164(number)


@lru_cache(maxsize=8192)
def normalise_any(text: str) -> PhoneNumber | None:
    """Any valid number of any country and kind as E.164, for what providers send; None if it is none."""
    number = _parsed(text, US)
    return None if number is None else _e164(number)


def national_form(phone: PhoneNumber) -> str:
    """The digits without +1 (`5615550123`); numbers of other countries keep their country code."""
    return phone.removeprefix("+1") if phone.startswith("+1") else phone.removeprefix("+")


def masked(phone: str) -> str:
    """The number as logs may show it (`+1******0123`): never more than its first and its last four digits."""
    return f"{phone[:2]}******{phone[-4:]}" if len(phone) >= len("+1234567890") else "******"


def number_zones(phone: PhoneNumber) -> frozenset[str]:
    """IANA zones of the place that the number was given out for; empty if it has none."""
    if phone.startswith("+1"):
        return _nanp_zones(phone[:_NANP_PREFIX])
    return _foreign_zones(phone)


def _parsed(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    if len(text) > _LONGEST_TEXT:
        return None
    try:
        number = phonenumbers.parse(_FLOAT_TAIL.sub("", text.strip()), region)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


def _refuse_what_is_not_called(number: phonenumbers.PhoneNumber, countries: frozenset[str]) -> None:
    kind = phonenumbers.number_type(number)
    if kind not in _CALLED_TYPES:
        words = _REFUSED_WORDS.get(kind, "a number of a kind that is not called")
        raise RefusedPhoneNumber(f"The number is {words}; Leadline calls only people's own lines.")
    country = phonenumbers.region_code_for_number(number) or "unknown"
    if country not in countries and not (country in US_TERRITORIES and US in countries):
        allowed = ", ".join(sorted(countries))
        raise RefusedPhoneNumber(f"The number belongs to country {country}; this installation calls only {allowed}.")


def _e164(number: phonenumbers.PhoneNumber) -> PhoneNumber:
    return PhoneNumber(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


@lru_cache(maxsize=65536)
def _nanp_zones(prefix: str) -> frozenset[str]:
    """Zones by area code and exchange. A prefix that only the whole plan knows (500, a new area code) has no place."""
    digits = prefix.removeprefix("+1")
    if not digits.isdecimal():
        return frozenset()
    found = _zones_of(phonenumbers.PhoneNumber(country_code=1, national_number=int(digits.ljust(10, "0"))))
    return frozenset() if found == _whole_plan() else found


@lru_cache(maxsize=1)
def _whole_plan() -> frozenset[str]:
    return _zones_of(phonenumbers.PhoneNumber(country_code=1, national_number=1_000_000_000))


@lru_cache(maxsize=4096)
def _foreign_zones(phone: str) -> frozenset[str]:
    try:
        return _zones_of(phonenumbers.parse(phone, None))
    except phonenumbers.NumberParseException:
        return frozenset()


def _zones_of(number: phonenumbers.PhoneNumber) -> frozenset[str]:
    return frozenset(time_zones_for_geographical_number(number)) - {_UNKNOWN_ZONE}
