"""Telephone numbers that no other test of this process uses, so that tests can share one running system."""

import itertools

_numbers = itertools.count()
_FIRST = 5_000_000


def fresh_phone() -> str:
    """A valid number in Florida's area code 561: one time zone, New York's."""
    return f"+1561{_FIRST + next(_numbers) % 4_000_000:07d}"


def fresh_phones(count: int) -> list[str]:
    """Several of them."""
    return [fresh_phone() for _ in range(count)]
