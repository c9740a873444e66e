"""Invented people for `--demo`: 555-01xx numbers over real area codes, as lists that are bought hold them.

The n-th person is the same every time. Some have moved and kept their number (the state field differs from the area
code), some states lie in two time zones, some fields are blank, and the same thing is written in many ways.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from services.cli.up.places import AREAS, CAPITALS, FIRST_AREAS, STATE_NAMES

_SEED = 19
_LINES = 100
"""555-0100 to 555-0199 are kept for fiction."""
_OFTEN = {"808": 3, "907": 3}
"""Hawaii and Alaska, where calling hours are hardest to keep: more of them than of other codes."""
_MOVED_SHARE = 0.08
_BLANK_STATE_SHARE = 0.05
_FORM_SHARE = 0.4

_FIRST_NAME_WORDS = (
    "Maria James Linda Robert Carmen Walter Denise Luis Gloria Harold Keiko Samuel Ruth Andre Teresa Vernon Joyce "
    "Minh Brenda Otis Rosa Clifford Aisha Eugene Wanda Pedro Irene Dale"
)
_LAST_NAME_WORDS = (
    "Alvarez Johnson Nguyen Baker Kahale Whitfield Romero O'Neill Tanaka Brooks Fischer Delgado Hawkins Petrov "
    "Lindqvist Carter Begay Moreau Singh Holloway Ortiz Kowalski Freeman Yazzie"
)
_FIRST_NAMES = _FIRST_NAME_WORDS.split()
_LAST_NAMES = _LAST_NAME_WORDS.split()
_STREETS = ("Oak Street", "Maple Avenue", "2nd Street", "Church Road", "Lakeview Drive", "Main Street", "Hill Road")
_SOURCES = ("facebook", "google", "spring-mailer", "radio")


@dataclass(frozen=True, slots=True)
class Person:
    """One sample lead: the body as a sender would write it."""

    phone_number: str
    """E.164."""
    state: str | None
    """The state field as two letters, whatever way the body writes it; None if it is blank."""
    as_form: bool
    """Sent as a form rather than as JSON."""
    body: dict[str, str]


def people(first: int, count: int) -> Iterator[Person]:
    """Persons number `first` to `first + count - 1` of MOST_PEOPLE; each has a number of its own."""
    for n in range(first, min(first + count, MOST_PEOPLE)):
        yield _person(n)


def _person(n: int) -> Person:
    dice = random.Random(f"{_SEED}|{n}")  # noqa: S311 -- a simulation, not a secret
    national = _number(n)
    state = _state(dice, n, _HOME[national[:3]])
    return Person(f"+1{national}", state, dice.random() < _FORM_SHARE, _body(dice, n, national, state))


def _number(n: int) -> str:
    # One area code after the other, line by line: a demo of twenty people already spans the country.
    lap, place = divmod(n, len(_ORDER))
    area, nth = _ORDER[place]
    line = ((lap * _OFTEN.get(area, 1) + nth) * 37 + int(area)) % _LINES  # 37 and 100 are coprime: no line twice
    return f"{area}555{100 + line:04d}"


def _state(dice: random.Random, n: int, home: str) -> str | None:
    if n == _FIRST_MOVED or dice.random() < _MOVED_SHARE:
        return dice.choice([state for state in AREAS if state != home])
    return None if dice.random() < _BLANK_STATE_SHARE else home


def _body(dice: random.Random, n: int, national: str, state: str | None) -> dict[str, str]:
    first, last = dice.choice(_FIRST_NAMES), dice.choice(_LAST_NAMES)
    city, postal_code = CAPITALS[state] if state else ("", "")
    return {
        "phone_number": _written_number(dice, national),
        "lead_id": str(410_000 + n),
        "list_id": dice.choice(("1029", "1031", "1044")),
        "first_name": first if dice.random() < 0.95 else "",
        "last_name": last,
        "state": _written_state(dice, state),
        "postal_code": postal_code,
        "city": city,
        "address1": f"{dice.randint(1, 980)} {dice.choice(_STREETS)}" if state else "",
        "email": f"{first}.{last}.{n}@example.com".lower().replace("'", ""),
        "age": str(dice.randint(50, 79)),
        "status": "NEW",
        "utm_source": dice.choice(_SOURCES),
    }


def _written_number(dice: random.Random, national: str) -> str:
    area, exchange, line = national[:3], national[3:6], national[6:]
    return dice.choice(
        (
            national,
            f"+1{national}",
            f"1{national}",
            f"({area}) {exchange}-{line}",
            f"{area}-{exchange}-{line}",
            f"+1 {area}.{exchange}.{line}",
        )
    )


def _written_state(dice: random.Random, state: str | None) -> str:
    if state is None:
        return ""
    return dice.choice((state, state, state, state.lower(), STATE_NAMES[state]))


def _order() -> list[tuple[str, int]]:
    """Area codes, each with its how-manieth turn: first those with something to them, then the others well mixed."""
    others = [(code, 0) for codes in AREAS.values() for code in codes if code not in FIRST_AREAS]
    others += [(code, nth) for code, turns in _OFTEN.items() for nth in range(1, turns)]
    random.Random(_SEED).shuffle(others)  # noqa: S311 -- see above
    return [*((code, 0) for code in FIRST_AREAS), *others]


_HOME = {code: state for state, codes in AREAS.items() for code in codes}
_ORDER = _order()
_FIRST_MOVED = 4
"""So that the smallest demo has somebody who moved."""
MOST_PEOPLE = len(_ORDER) * (_LINES // max(_OFTEN.values()))
"""Beyond it, numbers would come again."""
