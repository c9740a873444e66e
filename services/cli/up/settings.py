"""Settings of `leadline up`: what was given, completed by what it makes for itself.

Everything is checked at once and before anything starts, also what only the children will read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from leadline.contracts.campaign_file import CampaignsError
from leadline.contracts.campaigns import CampaignConfig, load_campaigns
from leadline.domain.ids import CampaignName
from leadline.runtime.settings import ProcessSettings, load
from leadline.runtime.settings.access_parts import QueueServerPart, ServiceAccountsPart
from leadline.runtime.settings.crm_parts import BackfillPart, ConvosoPart, CrmPart, CrmSyncPart
from leadline.runtime.settings.parts import (
    BlandCallPart,
    BlandPart,
    CadencePart,
    CallingPart,
    CampaignsFilePart,
    DatabasePart,
    DataDirPart,
    DialerPart,
    DrainPart,
    GatewayPart,
    LeasePart,
    ListenPart,
    ObservabilityPart,
    PacePart,
    PublicPart,
    SimulatorPart,
    SweepPart,
    UpPart,
)
from leadline.runtime.settings.scale_parts import ScalePart
from services.cli.up.crm import CONVOSO_URL, crm_defaults
from services.cli.up.errors import UpRefused
from services.cli.up.folder import DataFolder
from services.cli.up.given import is_given, unless_given
from services.cli.up.options import is_loopback
from services.simulator.settings import SimulatedWorldPart

CALLERS = ("gateway", "dialer", "sweep", "crm-sync", "backfill", "operator")
"""Who has a token of its own at the queue-service."""
API_KEY_NAME = "up"
SIMULATOR_API_KEY = "LEADLINE_SIMULATOR_API_KEY"
SIMULATOR_SECRET = "LEADLINE_SIMULATOR_WEBHOOK_SECRET"  # noqa: S105 -- the name of a setting
_API_KEYS = "LEADLINE_GATEWAY_API_KEYS"
_BASE_URL = "LEADLINE_BLAND_BASE_URL"
_BLAND_KEY = "LEADLINE_BLAND_API_KEY"
_WEBHOOK_SECRETS = "LEADLINE_BLAND_WEBHOOK_SECRETS"
_PUBLIC_URL = "LEADLINE_PUBLIC_URL"
_QUEUE_TOKENS = "LEADLINE_QUEUE_TOKENS"
_DATABASE_URL = "LEADLINE_DATABASE_URL"
_MADE_LATER = "http://127.0.0.1:1"
"""Stands for a URL whose port is not chosen yet, while the settings are checked."""


class UpSettings(ProcessSettings):
    """All settings of all processes, but for the database."""

    process: ClassVar[str] = "up"

    listen: ListenPart
    queue: QueueServerPart
    accounts: ServiceAccountsPart
    gateway: GatewayPart
    bland: BlandPart
    public: PublicPart
    cadence: CadencePart
    calling: CallingPart
    campaigns: CampaignsFilePart
    dialling: BlandCallPart
    pace: PacePart
    lease: LeasePart
    scale: ScalePart
    dialer: DialerPart
    drain: DrainPart
    sweep: SweepPart
    crm: CrmPart
    convoso: ConvosoPart
    crm_sync: CrmSyncPart
    backfill: BackfillPart
    simulator: SimulatorPart
    world: SimulatedWorldPart
    observability: ObservabilityPart
    up: UpPart


@dataclass(frozen=True, slots=True)
class Configured:
    """Everything `up` goes by."""

    settings: UpSettings
    campaigns: Mapping[CampaignName, CampaignConfig]
    environ: Mapping[str, str]
    """The given settings and the made ones, from which the children's environments are taken."""
    tokens: Mapping[str, str]
    """Token by caller."""
    api_key: str | None
    """A key that the gateway takes; None if it was only given digests."""
    made: Mapping[str, str]
    """Secrets made just now: they are printed this one time."""
    own_simulator: bool
    """Whether the simulated Bland is a child of ours."""
    own_convoso: bool
    """Whether that child is our Convoso too."""
    database_url: SecretStr | None
    """None: an embedded PostgreSQL."""

    @property
    def simulated(self) -> bool:
        """Whether no real call can come of this: Bland's base URL is on this machine."""
        return self.own_simulator or is_loopback(self.settings.bland.bland_base_url)

    @property
    def has_crm(self) -> bool:
        """Whether Convoso is asked and told, a real or a simulated one."""
        return self.settings.crm.crm != "none"

    @property
    def makes_public_url(self) -> bool:
        """Whether Bland calls back the gateway on this machine, wherever that listens."""
        return self.settings.public.public_url == _MADE_LATER


def data_dir(environ: Mapping[str, str], asked: Path | None) -> Path:
    """The data folder: the option's, else the setting's. Raises SettingsError for any setting that is wrong."""
    return asked or load(DataDirPart, environ).data_dir


def bland_base_url(environ: Mapping[str, str]) -> str:
    """Where calls would be placed, before anything is made; a simulator of our own is on this machine."""
    if not is_given(environ, _BLAND_KEY) and not is_given(environ, _BASE_URL):
        return _MADE_LATER
    # Only the URL is asked for: a key that is missing is reported later, with every other mistake.
    return load(BlandPart, {**environ, **unless_given(environ, _BLAND_KEY, "-")}).bland_base_url


def configure(environ: Mapping[str, str], folder: DataFolder) -> Configured:
    """Complete and check all settings. Raises SettingsError or UpRefused, each with one line."""
    secrets = _Secrets(folder)
    own_simulator = bland_base_url(environ) == _MADE_LATER
    full = dict(environ)
    simulated = _is_simulated(environ)
    full |= _simulated_defaults(environ, secrets, own=own_simulator) if simulated else {}
    full |= crm_defaults(environ, secrets.get, made_later=_MADE_LATER, simulated=simulated, own=own_simulator)
    if not is_given(environ, _API_KEYS):
        full[_API_KEYS] = f"{API_KEY_NAME}:{secrets.get('gateway-api-key')}"
    accepted = _accepted_tokens(environ, secrets)
    full |= {_QUEUE_TOKENS: ",".join(f"{name}:{token}" for name, token in accepted)}
    full.pop(f"{_QUEUE_TOKENS}_FILE", None)
    settings = load(UpSettings, full)
    return Configured(
        settings=settings,
        campaigns=_campaigns(settings),
        environ=full,
        tokens=dict(reversed(accepted)),  # of two tokens the first is shown
        api_key=_plain_api_key(full),
        made=secrets.made,
        own_simulator=own_simulator,
        own_convoso=full.get(CONVOSO_URL) == _MADE_LATER,
        database_url=_database_url(full),
    )


class _Secrets:
    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self.made: dict[str, str] = {}

    def get(self, name: str) -> str:
        value, is_new = self._folder.key(name)
        if is_new:
            self.made[name] = value
        return value


def _is_simulated(environ: Mapping[str, str]) -> bool:
    return is_loopback(bland_base_url(environ))


def _simulated_defaults(environ: Mapping[str, str], secrets: _Secrets, *, own: bool) -> dict[str, str]:
    """What a real Bland account would give us, made for one on this machine."""
    full = unless_given(environ, _PUBLIC_URL, _MADE_LATER)
    if own:
        full[_BASE_URL] = _MADE_LATER
    if not is_given(environ, _BLAND_KEY):
        full[_BLAND_KEY] = environ.get(SIMULATOR_API_KEY, "").strip() or secrets.get("simulated-bland-api-key")
    if not is_given(environ, _WEBHOOK_SECRETS):
        full[_WEBHOOK_SECRETS] = environ.get(SIMULATOR_SECRET, "").strip() or secrets.get("bland-webhook-secret")
    return full


def _accepted_tokens(environ: Mapping[str, str], secrets: _Secrets) -> list[tuple[str, str]]:
    """Name and token: those that were given, and one that we make for every caller that has none."""
    given: list[tuple[str, str]] = []
    if is_given(environ, _QUEUE_TOKENS):
        pairs = load(QueueServerPart, environ).queue_tokens
        given = [(pair.name, pair.token.get_secret_value()) for pair in pairs]
    own = environ.get("LEADLINE_QUEUE_TOKEN", "").strip()
    if own and not any(name == "operator" or token == own for name, token in given):
        given.append(("operator", own))  # what the command line shows in this shell is to be taken
    names = {name for name, _ in given}
    return given + [(name, secrets.get(f"queue-token-{name}")) for name in CALLERS if name not in names]


def _campaigns(settings: UpSettings) -> dict[CampaignName, CampaignConfig]:
    try:
        return load_campaigns(settings.cadence, settings.calling, settings.dialling, settings.campaigns.campaigns_file)
    except CampaignsError as error:
        raise UpRefused(str(error)) from None


def _plain_api_key(environ: Mapping[str, str]) -> str | None:
    text = environ.get(_API_KEYS, "").strip()
    if not text:
        text = Path(environ[f"{_API_KEYS}_FILE"].strip()).read_text(encoding="utf-8")
    secrets = [item.partition(":")[2].strip() for item in text.split(",")]
    return next((secret for secret in secrets if secret and not secret.lower().startswith("sha256:")), None)


def _database_url(environ: Mapping[str, str]) -> SecretStr | None:
    if not is_given(environ, _DATABASE_URL):
        return None
    url = load(DatabasePart, environ).database_url
    here = is_loopback(url.get_secret_value()) or not urlsplit(url.get_secret_value()).hostname  # a Unix socket
    if _is_simulated(environ) and not here:
        msg = (
            f"{_DATABASE_URL} is not on this machine and Bland is simulated: its leads would be taken for called;"
            " unset it, or set Bland's key and base URL too"
        )
        raise UpRefused(msg)
    return url
