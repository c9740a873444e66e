"""What the CRM says of a number: its standing, by the account's own statuses. Nothing learned is no permission."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from leadline.domain.outcome import DEFAULT_FINAL_OUTCOMES, Outcome


class CrmStanding(StrEnum):
    """Whether the CRM lets a number be called, from the strictest to the only one that is a permission."""

    DNC = "dnc"
    SALE = "sale"
    ACA = "aca"
    FINAL = "final"
    UNKNOWN = "unknown"
    """Not learned: no answer, a status that the account does not list, or no lead at all."""
    OPEN = "open"


_STRICTNESS: Final = {standing: rank for rank, standing in enumerate(CrmStanding)}

FINAL_STANDINGS: Final = frozenset({CrmStanding.DNC, CrmStanding.SALE, CrmStanding.ACA, CrmStanding.FINAL})


class ClearanceMode(StrEnum):
    """Before which dials the CRM is asked."""

    OFF = "off"
    """There is no CRM."""
    AFTER_TRANSFER = "after_transfer"
    """For a number of which a call was transferred: an agent may have sold meanwhile."""
    EVERY_DIAL = "every_dial"


@dataclass(frozen=True, slots=True)
class CrmStatus:
    """One status of the account, as the CRM lists it."""

    code: str
    """The abbreviation, in capitals: what leads carry."""
    name: str
    final: bool = False
    success: bool = False
    dnc: bool = False

    @property
    def standing(self) -> CrmStanding:
        """What a lead in this status may expect."""
        if self.dnc:
            return CrmStanding.DNC
        if self.success:
            return CrmStanding.ACA if self.code == Outcome.ACA else CrmStanding.SALE
        return CrmStanding.FINAL if self.final else CrmStanding.OPEN


_ENDING: Final = DEFAULT_FINAL_OUTCOMES | {Outcome.BAD_NUMBER}

StatusTable = Mapping[str, CrmStatus]
"""The account's statuses by code."""


def standing_of(code: str, statuses: StatusTable) -> CrmStanding:
    """What a status code means; a code that the account does not list means nothing known."""
    status = statuses.get(code.strip().upper())
    return status.standing if status is not None else CrmStanding.UNKNOWN


def strictest(standings: Iterable[CrmStanding]) -> CrmStanding:
    """The strictest of several leads of one number; UNKNOWN if there is none."""
    return min(standings, key=_STRICTNESS.__getitem__, default=CrmStanding.UNKNOWN)


def may_be_written(code: str, outcome: Outcome, statuses: StatusTable) -> bool:
    """Whether a result may set this status.

    A status that would be read back as the end of the lead is written for an outcome that ends it alone, and one that
    the account does not list never: else our own word would come back to us as an agent's.
    """
    status = statuses.get(code)
    if status is None:
        return False
    return status.standing is CrmStanding.OPEN or outcome in _ENDING


def clearance_needed(mode: ClearanceMode, *, was_transferred: bool) -> bool:
    """Whether the CRM must have cleared a number before its send mark."""
    match mode:
        case ClearanceMode.EVERY_DIAL:
            return True
        case ClearanceMode.AFTER_TRANSFER:
            return was_transferred
        case ClearanceMode.OFF:
            return False
