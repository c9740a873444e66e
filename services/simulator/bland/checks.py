"""Checks of single fields: what is wrong with a value, in words that follow the field's name."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Check = Callable[[object], str | None]
"""None if nothing is wrong."""

_LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_ONE_LABEL: Final = re.compile(r"[a-z0-9-]+")
"""A name without a dot is a machine nearby: a Service of our own namespace."""


def text(longest: int = 100_000, shortest: int = 1) -> Check:
    """A string of some length."""

    def check(value: object) -> str | None:
        if not isinstance(value, str):
            return "must be a string"
        return None if shortest <= len(value) <= longest else f"must have {shortest} to {longest} characters"

    return check


def boolean(value: object) -> str | None:
    """True or false, not a word for it."""
    return None if isinstance(value, bool) else "must be a boolean"


def number(least: float, most: float, *, above: bool = False) -> Check:
    """A finite number in [least, most]; with `above`, in (least, most]."""

    def check(value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "must be a number"
        if not least <= value <= most or (above and value == least):
            return f"must be {'above' if above else 'at least'} {least:g} and at most {most:g}"
        return None

    return check


def one_of(*words: str) -> Check:
    """One of a few words."""
    return lambda value: None if value in words else f"must be one of {', '.join(words)}"


def matching(pattern: str, complaint: str) -> Check:
    """A string of one shape."""
    compiled = re.compile(pattern)
    return lambda value: None if isinstance(value, str) and compiled.fullmatch(value) else complaint


def mapping(value: object) -> str | None:
    """Any object."""
    return None if isinstance(value, dict) else "must be an object"


def array(item: Check | None = None, most: int = 1000) -> Check:
    """A list, its items checked one by one."""

    def check(value: object) -> str | None:
        if not isinstance(value, list):
            return "must be an array"
        if len(value) > most:
            return f"must have at most {most} items"
        found = next((wrong for entry in value if item and (wrong := item(entry))), None)
        return f"item {found}" if found else None

    return check


def either(*checks: Check) -> Check:
    """Whatever satisfies one of the checks; the first one words the complaint."""

    def check(value: object) -> str | None:
        found = [each(value) for each in checks]
        return None if None in found else found[0]

    return check


def object_of(fields: Mapping[str, Check]) -> Check:
    """An object with these fields at most."""
    return lambda value: (
        "; ".join(field_complaints(value, fields)) or None if isinstance(value, dict) else mapping(value)
    )


def field_complaints(body: Mapping[str, Any], fields: Mapping[str, Check]) -> list[str]:
    """What is wrong with the fields of an object; none of them is required."""
    wrong = [f"Additional properties are not allowed ('{name}' was unexpected)" for name in body if name not in fields]
    for name, check in fields.items():
        if name in body and (complaint := check(body[name])):
            wrong.append(f"{name}: {complaint}")
    return wrong


def zone(value: object) -> str | None:
    """A name of the IANA time zone database."""
    try:
        ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "must be an IANA time zone"
    return None


def start_time(value: object) -> str | None:
    """The provider's own form of an instant."""
    return None if read_start_time(value) else "must look like YYYY-MM-DD HH:MM:SS -HH:MM"


def read_start_time(value: object) -> datetime | None:
    """The instant of a `start_time`; None if it is none."""
    try:
        return datetime.strptime(str(value), "%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        return None


def webhook(value: object) -> str | None:
    """An https URI, or plain http to a machine nearby."""
    # Bland wants https. Plain http is taken for loopback and for a Service of our own namespace: the gateways of
    # `leadline up`, of tests and of the chart have no certificate, and nothing sent there leaves the place.
    complaint = "must be a valid https URI"
    try:
        uri = urlsplit(value) if isinstance(value, str) else None
    except ValueError:
        return complaint
    if uri is None or not uri.hostname:
        return complaint
    nearby = uri.hostname in _LOOPBACK_HOSTS or _ONE_LABEL.fullmatch(uri.hostname) is not None
    plain = uri.scheme == "http" and nearby
    return None if uri.scheme == "https" or plain else complaint
