"""The Convoso client: what a number's leads say, how a call came out, who must not be called."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Self

from pydantic import SecretStr

from leadline.contracts.crm import Learned, SendResult
from leadline.crm.convoso_answers import SaidNo, merged, read_statuses
from leadline.crm.convoso_data import codes_with, result_form, suppression_form
from leadline.crm.convoso_http import SEARCHING, ConvosoHttp
from leadline.crm.convoso_search import MOST_LEADS, find_all, learned_from
from leadline.crm.no_crm import NoCrm
from leadline.crm.port import CallNews, CrmError, CrmNonsense, CrmUnreachable, Told
from leadline.domain.crm import CrmStanding, CrmStatus, StatusTable
from leadline.domain.ids import PhoneNumber
from leadline.domain.phone import national_form
from leadline.runtime.logging import get_logger
from leadline.runtime.settings.crm_parts import ConvosoPart

log = get_logger(__name__)

_LEADS_PER_PAGE: Final = 200
_STATUSES_PER_PAGE: Final = 100
_MOST_STATUSES: Final = 5000
_ALREADY_ON_THE_LIST: Final = "6008"
_NO_LEAD_ID: Final = "the lead has no id of Convoso's"


def convoso_from(part: ConvosoPart) -> "ConvosoClient | NoCrm":
    """The CRM that the settings name: without a token one that knows nothing. To be called inside a running loop.

    Raises:
        SettingsError: LEADLINE_CONVOSO_STATUSES names an outcome that there is not.
    """
    if part.convoso_auth_token is None or not part.convoso_auth_token.get_secret_value():
        return NoCrm()
    return ConvosoClient(part, part.convoso_auth_token)


class ConvosoClient:
    """Implements `leadline.crm.port.Crm`. Make it inside a running loop; close it, or use `async with`.

    The account's statuses are read with the first question and stay as they are until `statuses` reads them anew.
    """

    def __init__(self, part: ConvosoPart, auth_token: SecretStr) -> None:
        """Open a session. Raises SettingsError as `convoso_from`."""
        self._codes = codes_with(part.convoso_statuses)
        self._unlisted_is_open = part.convoso_unlisted == "call"
        self._http = ConvosoHttp(part, auth_token)
        self._statuses: StatusTable | None = None
        self._loading = asyncio.Lock()
        self._loads_failed = 0
        self._last_failure: CrmError = CrmUnreachable("Convoso was not asked yet")

    async def __aenter__(self) -> Self:
        """Nothing to wait for."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()

    async def standing(self, phone_number: PhoneNumber, *, within_seconds: float | None = None) -> Learned:
        """The strictest word of all leads of a number, `unknown` with the reason if there is none. Never raises."""
        until = None if within_seconds is None else asyncio.get_running_loop().time() + within_seconds
        try:
            async with asyncio.timeout(within_seconds):
                return await self._standing(phone_number, until)
        except TimeoutError:
            problem = f"Convoso did not answer within {within_seconds} s"
        except CrmError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 -- whatever went wrong, the number is not cleared
            problem = _defect("ask", error)
        return Learned(standing=CrmStanding.UNKNOWN, problem=problem[:500])

    async def _standing(self, phone_number: PhoneNumber, until: float | None) -> Learned:
        statuses = await self._known_statuses(until)
        found = await find_all(
            self._asking(until),
            SEARCHING,
            {"phone_number": national_form(phone_number)},
            page_rows=_LEADS_PER_PAGE,
            most_rows=MOST_LEADS,
        )
        return learned_from(phone_number, found, statuses, unlisted_is_open=self._unlisted_is_open)

    async def tell_result(self, news: CallNews) -> Told:
        """Update a lead with how a call came out; with nothing to tell, nothing is asked. Never raises."""
        if not news.crm_lead_id:
            return Told(SendResult.REFUSED, _NO_LEAD_ID)

        async def send() -> None:
            form = result_form(news, self._codes, await self._known_statuses(None))
            if form:
                await self._http.ask("leads/update", form)

        return await _told(send)

    async def suppress(self, phone_number: PhoneNumber, reason: str) -> Told:
        """Put a number on the account's DNC list, for all campaigns; it may be there already. Never raises."""

        async def send() -> None:
            try:
                await self._http.ask("dnc/insert", suppression_form(phone_number, reason))
            except SaidNo as error:
                if error.said_code != _ALREADY_ON_THE_LIST:
                    raise

        return await _told(send)

    async def statuses(self) -> list[CrmStatus]:
        """Read the account's statuses. What was read before stays in force if that fails.

        Raises:
            CrmError: they could not be read, or there is none.
        """
        return list((await self._read_statuses(None)).values())

    async def _read_statuses(self, until: float | None) -> StatusTable:
        found = await find_all(
            self._asking(until), "status/search", {}, page_rows=_STATUSES_PER_PAGE, most_rows=_MOST_STATUSES
        )
        table = merged(read_statuses(found.rows))
        if not table or not found.complete:
            raise CrmNonsense("Convoso lists no status that can be read, or too many")
        self._statuses = table
        return table

    async def _known_statuses(self, until: float | None) -> StatusTable:
        """What was read last; read now if nothing was. Who waited while another one failed at it, fails with him."""
        failed_before, statuses = self._loads_failed, self._statuses
        if statuses is None:
            async with self._loading:
                if self._loads_failed != failed_before:
                    raise self._last_failure
                statuses = self._statuses or await self._read_first_statuses(until)
        return statuses

    async def _read_first_statuses(self, until: float | None) -> StatusTable:
        try:
            return await self._read_statuses(until)
        except CrmError as error:
            self._loads_failed += 1
            self._last_failure = error
            raise

    def _asking(self, until: float | None) -> Callable[[str, Mapping[str, str]], Awaitable[Mapping[str, Any]]]:
        return lambda path, form: self._http.ask(path, form, until)


async def _told(send: Callable[[], Awaitable[None]]) -> Told:
    """What became of sending something: only a no to the message itself is `refused`; all else may pass."""
    try:
        await send()
    except SaidNo as error:
        return Told(SendResult.REFUSED, str(error))
    except CrmUnreachable as error:
        return Told(SendResult.LATER, str(error), error.retry_after_seconds)
    except CrmError as error:
        return Told(SendResult.LATER, str(error))
    except Exception as error:  # noqa: BLE001 -- one message must not end the process that sends them all
        return Told(SendResult.LATER, _defect("tell", error))
    return Told(SendResult.SENT)


def _defect(what: str, error: Exception) -> str:
    # Neither the error's text nor its traceback: both may hold the form, and with it the token.
    log.error("convoso_client_failed", what=what, error=type(error).__name__)
    return f"the client of Convoso failed: {type(error).__name__}"
