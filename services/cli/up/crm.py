"""Which CRM a run has: the simulated Convoso beside a simulated Bland of our own, a given one, or none."""

from collections.abc import Callable, Mapping
from typing import Final

from leadline.runtime.settings import load
from leadline.runtime.settings.crm_parts import ConvosoPart, CrmPart
from services.cli.up.errors import UpRefused
from services.cli.up.given import is_given, unless_given
from services.cli.up.options import is_loopback

CRM: Final = "LEADLINE_CRM"
CONVOSO_URL: Final = "LEADLINE_CONVOSO_BASE_URL"
CONVOSO_TOKEN: Final = "LEADLINE_CONVOSO_AUTH_TOKEN"  # noqa: S105 -- the name of a setting
CONVOSO_PACE: Final = "LEADLINE_CONVOSO_REQUESTS_PER_SECOND"
SIMULATOR_CONVOSO_TOKEN: Final = "LEADLINE_SIMULATOR_CONVOSO_TOKEN"  # noqa: S105 -- the name of a setting
SIMULATED_PATH: Final = "/convoso/v1"
"""Where the simulator has its Convoso."""


def crm_defaults(
    environ: Mapping[str, str], make_secret: Callable[[str], str], *, made_later: str, simulated: bool, own: bool
) -> dict[str, str]:
    """Settings to add for the CRM.

    `simulated`: Bland is on this machine; `own`: it is a child of ours, and with it a Convoso at `made_later`.

    Raises UpRefused if a real Convoso would be told of invented calls, or has no token; SettingsError.
    """
    asked = load(CrmPart, environ).crm if is_given(environ, CRM) else None
    if asked == "none":
        return {}
    here = is_given(environ, CONVOSO_URL) and is_loopback(_base_url(environ))
    if is_given(environ, CONVOSO_TOKEN):
        if simulated and not here:
            msg = (
                f"{CONVOSO_TOKEN} is set and Bland is simulated: a real Convoso would be told of invented calls;"
                f" unset it, or set Bland's key too, or {CRM}=none"
            )
            raise UpRefused(msg)
        return {CRM: "convoso"}
    if here or (own and not is_given(environ, CONVOSO_URL)):
        token = environ.get(SIMULATOR_CONVOSO_TOKEN, "").strip() or make_secret("simulated-convoso-token")
        found = {CRM: "convoso", CONVOSO_TOKEN: token, **unless_given(environ, CONVOSO_PACE, "0")}
        return found if here else {**found, CONVOSO_URL: made_later}
    if asked is not None:
        msg = f"{CRM}={asked} and {CONVOSO_TOKEN} is not set: nothing could be learned or told; set it, or {CRM}=none"
        raise UpRefused(msg)
    return {}


def _base_url(environ: Mapping[str, str]) -> str:
    return load(ConvosoPart, environ).convoso_base_url
