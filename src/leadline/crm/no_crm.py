"""The CRM of a process that has no token: it knows nothing, permits nothing and takes nothing."""

from typing import Final, Self

from leadline.contracts.crm import Learned, SendResult
from leadline.crm.port import CallNews, CrmRefused, Told
from leadline.domain.crm import CrmStanding, CrmStatus
from leadline.domain.ids import PhoneNumber

_NO_TOKEN: Final = "no CRM token is set (LEADLINE_CONVOSO_AUTH_TOKEN)"  # noqa: S105 -- a sentence about a token


class NoCrm:
    """Implements `leadline.crm.port.Crm`."""

    async def __aenter__(self) -> Self:
        """Nothing to open."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to close."""

    async def close(self) -> None:
        """Nothing to close."""

    async def standing(self, phone_number: PhoneNumber, *, within_seconds: float | None = None) -> Learned:  # noqa: ARG002 -- the port's signature
        """Unknown."""
        return Learned(standing=CrmStanding.UNKNOWN, problem=_NO_TOKEN)

    async def tell_result(self, news: CallNews) -> Told:  # noqa: ARG002 -- the port's signature
        """Later, once there is a token."""
        return Told(SendResult.LATER, _NO_TOKEN)

    async def suppress(self, phone_number: PhoneNumber, reason: str) -> Told:  # noqa: ARG002 -- the port's signature
        """Later, once there is a token."""
        return Told(SendResult.LATER, _NO_TOKEN)

    async def statuses(self) -> list[CrmStatus]:
        """None can be read. Raises CrmRefused."""
        raise CrmRefused(_NO_TOKEN)
