"""What can be asked from here: the provider, the CRM, the gateway, and where the provider posts results to."""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from leadline.crm.convoso import convoso_from
from leadline.crm.no_crm import NoCrm
from leadline.crm.port import CrmError, CrmRefused
from leadline.runtime import loose_json
from leadline.runtime.http.answers import read_bounded
from leadline.runtime.settings import load
from leadline.runtime.settings.crm_parts import ConvosoPart
from leadline.runtime.settings.parts import BlandPart
from leadline.telephony.bland import BlandClient
from leadline.telephony.port import ProviderError, ProviderRefused
from services.cli.doctor.finding import Finding, not_seen, odd, well, wrong

LOW_BALANCE_DOLLARS: Final = 20.0
"""At ten cents a minute some two hundred minutes."""
ANSWER_SECONDS: Final = 10.0
CALLBACK_PATH: Final = "/webhooks/bland-callback"
_MOST_BYTES: Final = 2 * 1024 * 1024
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

Examination = Callable[[Mapping[str, str]], Awaitable[Finding]]


def examinations() -> Iterator[Examination]:
    """All of them, in the order in which they are shown."""
    yield provider
    yield crm
    yield gateway
    yield webhook


async def provider(environ: Mapping[str, str]) -> Finding:
    """Bland's `GET /v1/me`: the key, the account, the balance."""
    if not _is_set(environ, "LEADLINE_BLAND_API_KEY"):
        return not_seen(
            "provider",
            "LEADLINE_BLAND_API_KEY is not set here",
            "run it where it is: kubectl exec deploy/<release>-dialer",
        )
    part = load(BlandPart, environ)
    began = time.perf_counter()
    try:
        async with BlandClient(
            base_url=part.bland_base_url,
            api_key=part.bland_api_key.get_secret_value(),
            timeout_seconds=min(part.bland_timeout_seconds, ANSWER_SECONDS),
        ) as bland:
            account = await bland.me()
    except ProviderRefused as error:
        then = "mend key or balance in Bland's console; `leadline sweep` resumes an account that was paused for it"
        return wrong("provider", str(error), then)
    except ProviderError as error:
        return wrong("provider", str(error), f"is {part.bland_base_url} right, and does this machine reach it?")
    says = f"Bland answers for our key ({(time.perf_counter() - began) * 1000:.0f} ms)"
    if account.balance_dollars is None:
        return well("provider", says)
    says += f", balance ${account.balance_dollars:,.2f}"
    if account.balance_dollars < LOW_BALANCE_DOLLARS:
        return odd("provider", says, "top it up: Bland answers 402 when it is used up, and all dialling pauses")
    return well("provider", says)


async def crm(environ: Mapping[str, str]) -> Finding:
    """Convoso's list of statuses: the token works, and codes can be told apart."""
    if not _is_set(environ, "LEADLINE_CONVOSO_AUTH_TOKEN"):
        return not_seen(
            "crm",
            "LEADLINE_CONVOSO_AUTH_TOKEN is not set here",
            "nothing, unless there is a Convoso: it is the dialer's",
        )
    client = convoso_from(load(ConvosoPart, environ))
    if isinstance(client, NoCrm):
        return not_seen("crm", "LEADLINE_CONVOSO_AUTH_TOKEN is empty", "nothing, unless there is a Convoso")
    try:
        async with client:
            statuses = await client.statuses()
    except CrmRefused as error:
        return wrong("crm", str(error), "mend LEADLINE_CONVOSO_AUTH_TOKEN; whoever needs its word is held until then")
    except CrmError as error:
        return wrong("crm", str(error), "is LEADLINE_CONVOSO_BASE_URL right? Whoever needs its word is held until then")
    return well("crm", f"Convoso answers for our token: {len(statuses)} statuses")


async def gateway(environ: Mapping[str, str]) -> Finding:
    """The door as it looks from here."""
    url = environ.get("LEADLINE_GATEWAY_URL", "").strip()
    if not url:
        return not_seen("gateway", "LEADLINE_GATEWAY_URL is not set here", "set it to examine the gateway too")
    problem = await _look(url)
    if problem:
        return wrong("gateway", problem, "does the gateway run, and is LEADLINE_GATEWAY_URL right?")
    return well("gateway", f"answers at {url}")


async def webhook(environ: Mapping[str, str]) -> Finding:
    """The address that Bland is told to post results to."""
    url = environ.get("LEADLINE_PUBLIC_URL", "").strip()
    if not url:
        return not_seen(
            "webhook", "LEADLINE_PUBLIC_URL is not set here", "run it where it is: kubectl exec deploy/<release>-dialer"
        )
    problem = await _look(url)
    if problem:
        then = "results come only by the sweep, minutes late: mend Ingress or DNS, or LEADLINE_PUBLIC_URL"
        return wrong("webhook", problem, then)
    host = urlsplit(url).hostname or ""
    simulated = (urlsplit(environ.get("LEADLINE_BLAND_BASE_URL", "")).hostname or "") in _LOOPBACK
    if host in _LOOPBACK and not simulated:
        return wrong("webhook", f"{url} is this machine alone", "set LEADLINE_PUBLIC_URL to what Bland reaches")
    return well("webhook", f"{url}{CALLBACK_PATH} is ours, as seen from here")


async def _look(url: str) -> str | None:
    """What is wrong with a gateway's address; None if a gateway of ours answers there."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"{url.rstrip('/')}/openapi.json", allow_redirects=False) as response,
        ):
            status, content = response.status, await read_bounded(response, _MOST_BYTES) or b""
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        return f"nobody answers at {url} ({str(error) or type(error).__name__})"
    document = _document(content) if status == 200 else {}
    if CALLBACK_PATH not in loose_json.mapping(document.get("paths")):
        return f"{url} is no gateway of Leadline's (HTTP {status})"
    return None


def _document(content: bytes) -> Mapping[str, object]:
    try:
        return loose_json.mapping(loose_json.loads(content))
    except ValueError:
        return {}


def _is_set(environ: Mapping[str, str], name: str) -> bool:
    return bool(environ.get(name, "").strip() or environ.get(f"{name}_FILE", "").strip())
