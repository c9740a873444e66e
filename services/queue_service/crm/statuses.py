"""What the account's status codes mean, as the CRM listed them last."""

from typing import Final

from leadline.domain.crm import CrmStatus, StatusTable
from leadline.store import crm_statuses
from leadline.store.connection import Connection


def _dnc(code: str) -> CrmStatus:
    return CrmStatus(code, "Do not call", final=True, dnc=True)


# Not of the family: DNCNFD says that the carrier knows no such number, which nobody's wish is.
_STOP_CODES: Final = (
    *("DNC", "DNCA", "DNCC", "DNCDEC", "DNCL", "DNCLCC", "DNCQ", "DNCRT", "DNCW"),
    *("DO_NOT_CALL", "STOP"),
)
BUILT_IN: Final[StatusTable] = {
    **{code: _dnc(code) for code in _STOP_CODES},
    "SALE": CrmStatus("SALE", "Sale", final=True, success=True),
    "ACA": CrmStatus("ACA", "ACA sale", final=True, success=True),
    "NI": CrmStatus("NI", "Not interested", final=True),
}
"""What ends a lead before the CRM listed its statuses, and for a code that it does not list."""


async def read_statuses(conn: Connection) -> StatusTable:
    """The account's statuses over the built-in ones."""
    return {**BUILT_IN, **{status.code.upper(): status for status in await crm_statuses.list_statuses(conn)}}
