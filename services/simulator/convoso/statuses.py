"""The statuses of the simulated account: the codes that the real one has, with the flags such codes have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

_FLAGS: Final[Mapping[str, str]] = {
    "F": "final",
    "S": "success",
    "D": "dnc",
    "B": "callback",
    "C": "contact",
    "V": "voicemail",
}
"""The letters of the table below -> the flags of `status/search`."""

_TABLE: Final = """
SALE|Sale|FSC
ACA|ACA sale|FSC
BASACA|Basic and ACA sale|FSC
DNC|Do not call|FDC
DNCA|Agent: do not call|FDC
DNCC|Do not call, campaign|FD
DNCDEC|Do not call, deceased|FD
DNCL|Do not call, list|FD
DNCLCC|Do not call, litigator|FD
DNCQ|Do not call, queue|FD
DNCRT|Do not call, right party|FD
DNCW|Do not call, wireless|FD
DNCNFD|Number not found|F
NI|Not interested|FC
PIKER|Declined the sale|FC
WRONG|Wrong number|FC
BPN|Bad phone number|F
NOTCOV|Not covered|FC
MGMTNQ|Not qualified|FC
MCAID|Medicaid|FC
MCARE|Medicare|FC
TRICAR|Tricare|FC
CB|Call back|BC
POST|Post date|BC
A|Answering machine|V
AA|Answering machine, automatic|V
AM|Answering machine, message left|V
FRONT|Fronted|C
FRNTRS|Fronter transfer|C
SPA|Spanish|C
TCR|Transferred|C
1095A|Form 1095-A|C
NOTA|No agent available|
BACA|Back to ACA|C
CA|Call again|C
CD|Customer disconnected|C
REQID|Identification requested|C
NA|No answer|
NAIC|No answer, in call|
NRA|No ring answer|
NEW|New lead|
B|Busy|
N|Dead air|
AH|After hours|
DC|Disconnected|
DROP|Dropped|
PDROP|Pre-routing drop|
CALLHU|Caller hung up|
PBXHU|Hung up by the exchange|
CG|Congestion|
CGD|Congestion, dialler|
CGO|Congestion, out of band|
CGT|Congestion, time-out|
AFAX|Fax, automatic|
ERI|Agent error|
INCALL|In call|
DONE|Done|
"""


class StatusRow(BaseModel):
    """One status of `PUT /simulator/convoso/statuses`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: str = Field(min_length=1, max_length=20)
    name: str = ""
    final: bool = False
    success: bool = False
    dnc: bool = False
    callback: bool = False
    contact: bool = False
    voicemail: bool = False

    @property
    def is_final(self) -> bool:
        """Whether a lead in this status is not to be called any more."""
        return self.final or self.success or self.dnc

    def as_listed(self) -> dict[str, str]:
        """As `status/search` prints it: flags are Y and N."""
        flags = {name: "Y" if getattr(self, name) else "N" for name in _FLAGS.values()}
        return {"status": self.status, "name": self.name or self.status} | flags


@dataclass(frozen=True, slots=True)
class Statuses:
    """All statuses of the account."""

    rows: tuple[StatusRow, ...]

    def find(self, code: str) -> StatusRow | None:
        """The status of a code, in any case."""
        return next((row for row in self.rows if row.status == code.upper()), None)

    def is_final(self, code: str) -> bool:
        """Whether a code ends a lead; one that the account does not have ends nothing."""
        row = self.find(code)
        return row is not None and row.is_final


def default_statuses() -> Statuses:
    """What the account has unless a test says otherwise."""
    return Statuses(tuple(_row(*line.split("|")) for line in _TABLE.split("\n") if line))


def _row(status: str, name: str, letters: str) -> StatusRow:
    return StatusRow(status=status, name=name, **{_FLAGS[letter]: True for letter in letters})
