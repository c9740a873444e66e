"""Telephone numbers, read on our own: the ledger must not inherit a mistake of what it judges."""

import re
from typing import Final

_SEPARATORS: Final = re.compile(r"[\s().-]+")
_NANP: Final = re.compile(r"\+1[2-9]\d{2}[2-9]\d{6}")
_E164: Final = re.compile(r"\+[1-9]\d{7,14}")


def e164(text: object) -> str | None:
    """The number in E.164, a US number also without `+1`; None if it is no number."""
    if not isinstance(text, str):
        return None
    digits = _SEPARATORS.sub("", text)
    if not digits.startswith("+"):
        digits = f"+1{digits}" if len(digits) == 10 else f"+{digits}"
    fits = _NANP if digits.startswith("+1") else _E164
    return digits if fits.fullmatch(digits) else None


def e164_or_raise(text: str) -> str:
    """The same for pydantic. Raises ValueError if the text is no number."""
    number = e164(text)
    if number is None:
        raise ValueError("must be a telephone number such as +15615550123")
    return number
