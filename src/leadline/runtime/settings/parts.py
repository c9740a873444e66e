"""Every setting there is. Each process composes the parts that it needs; units stand last in the names."""

import os
import socket
from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator

from leadline.runtime.settings.loader import OLD_PREFIX, Part
from leadline.runtime.settings.types import (
    CommaList,
    HttpUrl,
    Lower,
    NamePairs,
    PostgresUrl,
    SecretDigests,
    SecretList,
    ZoneName,
)

ListenPort = Annotated[int, Field(ge=0, le=65535)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
CountryCode = Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, pattern=r"^[A-Za-z]{2}$")]
OutcomeWord = Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, min_length=1, max_length=64)]
SimulatedPlan = Literal["start", "build", "scale", "enterprise", "agent"]
Share = Annotated[float, Field(ge=0, le=1)]


class DatabasePart(Part):
    """PostgreSQL. Only the queue-service and migrate have these."""

    database_url: PostgresUrl = Field(description="postgresql://user:password@host:5432/database")
    database_pool_size: int = Field(
        default=10,
        ge=2,
        le=200,
        description="Connections of the main pool; events have a pool of their own beside it.",
    )
    database_statement_timeout_seconds: float = Field(
        default=15, gt=0, le=3600, description="Longest time for one statement."
    )
    database_lock_timeout_seconds: float = Field(default=5, gt=0, le=3600, description="Longest wait for one lock.")
    database_statement_cache_size: int = Field(
        default=200,
        ge=0,
        le=10000,
        description="Prepared statements kept for each connection; 0 behind a pooler that cannot keep them.",
    )


class GatewayPart(Part):
    """The public door."""

    gateway_port: ListenPort = Field(default=8080, description="Port of the gateway; 0 takes any free one.")
    gateway_api_keys: SecretDigests = Field(
        min_length=1,
        description="Who may post leads: `name:key` or `name:sha256:<64 hex digits>`; a name may have several keys.",
    )
    bland_webhook_secrets: SecretList = Field(
        min_length=1,
        max_length=2,
        description="Secrets of Bland's webhook signatures: the current one and the one before.",
    )


class ProviderTimePart(Part):
    """How long a provider's answer may take: for who asks it, and for who judges what a silence means."""

    bland_timeout_seconds: float = Field(
        default=15, gt=0, le=120, description="Longest time for one answer of Bland; after it a call is in doubt."
    )


class BlandPart(ProviderTimePart):
    """Bland's API."""

    bland_base_url: HttpUrl = Field(default="https://api.bland.ai", description="Base URL of Bland's API.")
    bland_api_key: SecretStr = Field(min_length=1, description="Bland's API key.")


class PublicPart(Part):
    """What the outside calls us."""

    public_url: HttpUrl = Field(description="Base URL under which Bland reaches the gateway, for its webhooks.")


class DataDirPart(Part):
    """What `leadline up` keeps."""

    data_dir: Path = Field(default=Path(".leadline"), description="Folder of `leadline up`: database, keys it made.")


class CadencePart(Part):
    """The default campaign's cadence and caps, under the names of the system before this one."""

    prefix: ClassVar[str] = OLD_PREFIX

    progressive_intervals: Annotated[tuple[Annotated[float, Field(ge=0, le=525600)], ...], CommaList] = Field(
        default=(0, 1, 5, 10, 30, 60, 120),
        min_length=1,
        description="Minutes to wait before attempt n, counted from the end of the one before; the last value repeats.",
    )
    max_attempts: int = Field(default=8, ge=1, le=1000, description="Attempts that a lead may ever have.")
    max_daily_attempts: int = Field(
        default=8, ge=1, le=1000, description="Attempts that a phone number may have in one day."
    )
    success_outcomes: Annotated[tuple[OutcomeWord, ...], CommaList] = Field(
        default=("SALE", "ACA", "DNC", "DO_NOT_CALL", "NOT_INTERESTED"),
        min_length=1,
        description="Final outcomes: never dialled again.",
    )


class CallingPart(Part):
    """When, by which law and where to the default campaign calls."""

    calling_hours: Word = Field(
        default="Mon-Fri 11:00-20:00",
        description="Days and hours; several comma-separated; `Mon-Sun 00:00-24:00` is always.",
    )
    calling_timezone: ZoneName = Field(default="America/New_York", description="Time zone of the calling hours.")
    blackout_dates: Annotated[tuple[date, ...], CommaList] = Field(
        default=(), description="Dates (YYYY-MM-DD) without calls, in the calling time zone."
    )
    legal_profile: Annotated[Literal["none", "federal"], Lower] = Field(
        default="federal", description="Law of the person called that is applied beside the calling hours."
    )
    countries: Annotated[frozenset[CountryCode], CommaList] = Field(
        default=frozenset({"US"}),
        min_length=1,
        description="Countries whose numbers are called (ISO 3166, two letters).",
    )
    number_spacing_seconds: float = Field(
        default=10,
        ge=10,
        le=86400,
        description="Least time between two calls to one number; Bland itself refuses less than 10.",
    )
    transfer_rest_minutes: float = Field(
        default=30,
        ge=30,
        le=10080,
        description="How long a number rests after TRANSFERRED: the person may still be talking.",
    )


class CampaignsFilePart(Part):
    """Campaigns beside the default one."""

    campaigns_file: Path | None = Field(
        default=None, description="YAML file of campaigns; without it the plain settings make `awhealth`."
    )


class PacePart(Part):
    """How fast calls may start."""

    bland_plan: Annotated[Literal["start", "build", "scale", "enterprise"], Lower] = Field(
        default="enterprise",
        description="Bland's plan, for its caps by hour, day and concurrency; enterprise has none.",
    )
    calls_per_second: int = Field(
        default=5, ge=1, le=10000, description="Most calls started in any second, over all dialers."
    )


class LeasePart(Part):
    """Real-time limits of the dispatch protocol."""

    lease_seconds: float = Field(
        default=30, ge=1, le=600, description="How long a lease holds a number before a send mark."
    )
    send_within_ms: int = Field(
        default=2000, ge=100, le=30000, description="How long after a send mark the request may start."
    )
    report_within_seconds: float = Field(
        default=20,
        ge=0.1,
        le=600,
        description="How long after its send window a sent attempt may stay unreported before it is unknown; "
        "more than LEADLINE_BLAND_TIMEOUT_SECONDS.",
    )
    quiet_seconds: float = Field(
        default=180,
        ge=0,
        le=3600,
        description="How long after its send window an unknown attempt must stay unlisted to be proven absent.",
    )
    unknown_deadline_seconds: float = Field(
        default=86400,
        ge=60,
        le=2592000,
        description="When an unknown attempt is given up and its lead held for an operator.",
    )


class DialerPart(Part):
    """One dialer."""

    dialer_name: Word = Field(
        default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}",
        description="The dialer's name in leases and logs.",
        json_schema_extra={"default_words": "host name and process id"},
    )
    dialer_concurrency: int = Field(
        default=50, ge=1, le=2000, description="Calls that one dialer may have between lease and report."
    )


class DrainPart(Part):
    """Stopping."""

    drain_seconds: float = Field(
        default=20, ge=0, le=600, description="How long a process that was told to stop may finish what it has begun."
    )


class BlandCallPart(Part):
    """How the default campaign dials: what is sent to Bland with each call."""

    bland_pathway_id: Word | None = Field(
        default=None, description="Bland pathway of the default campaign; this or a task."
    )
    bland_task: str | None = Field(
        default=None, max_length=100_000, description="Prompt of the default campaign, instead of a pathway."
    )
    bland_from: Word | None = Field(default=None, description="Number to call from, in E.164 (+1...).")
    bland_voicemail_message: str | None = Field(
        default=None, max_length=5000, description="What is left on a voicemail; without it the call hangs up."
    )
    bland_dispositions: Annotated[tuple[OutcomeWord, ...], CommaList] = Field(
        default=(), description="Dispositions Bland may choose from; without them, Leadline's own outcome names."
    )
    bland_max_duration_minutes: int = Field(default=30, ge=1, le=720, description="Longest call, in minutes.")
    outcome_names: NamePairs = Field(
        default={}, description="The account's own tag and disposition names: `name=OUTCOME`, comma-separated."
    )

    @model_validator(mode="after")
    def _one_script(self) -> Self:
        if self.bland_pathway_id and self.bland_task:
            msg = "LEADLINE_BLAND_PATHWAY_ID and LEADLINE_BLAND_TASK are both set; a call has one of them"
            raise ValueError(msg)
        return self


class ListenPart(Part):
    """The address of every port that a process opens."""

    host: Word = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 in a cluster.")


class SimulatorPart(Part):
    """The simulated provider."""

    simulator_port: ListenPort = Field(default=8090, description="Port of the simulator; 0 takes any free one.")


class SweepPart(Part):
    """Bounds of one pass of the sweep."""

    sweep_concurrency: int = Field(
        default=8, ge=1, le=200, description="Questions to Bland that one pass has in flight at most."
    )
    sweep_plan_limit: int = Field(
        default=500, ge=1, le=5000, description="Late or stuck things of each kind that one pass takes up."
    )
    sweep_max_lookups: int = Field(
        default=5000,
        ge=1,
        le=1_000_000,
        description="Look-ups at Bland in one pass; the reconciliation after a failover is not counted.",
    )
    sweep_pass_seconds: float = Field(
        default=600,
        ge=1,
        le=86400,
        description="After this time a pass asks Bland nothing more, but for a reconciliation; the next one goes on.",
    )


class SimulatedWorldPart(Part):
    """How the simulated provider behaves. Seconds are real time unless the name says business."""

    prefix: ClassVar[str] = "LEADLINE_SIMULATOR_"

    api_key: SecretStr | None = Field(
        default=None, description="The key that callers must show; without it any key will do, but there must be one."
    )
    webhook_secret: SecretStr | None = Field(
        default=None, description="Signs the simulator's webhooks; without it they carry no signature."
    )
    seed: int = Field(default=1, description="Decides how simulated people take calls; the same seed, the same day.")
    plan: Annotated[SimulatedPlan, Lower] = Field(
        default="enterprise", description="The simulated account's plan, whose caps it enforces; enterprise has none."
    )
    same_number_business_seconds: float = Field(
        default=10.0, ge=0, le=86400, description="Least time between two calls to one number; 0 is no such rule."
    )
    calls_per_business_second: float = Field(
        default=0.0, ge=0, le=100_000, description="Most calls accepted in any second; 0 is no limit."
    )
    listing_lag_seconds: float = Field(
        default=0.0, ge=0, le=3600, description="How long after its creation a call appears in the list of calls."
    )
    national_form_share: Share = Field(
        default=0.2, description="Share of calls that the list shows without the +1 of their number."
    )
    retry_after_seconds: int = Field(default=0, ge=0, le=86400, description="`Retry-After` of a 429; 0 sends none.")
    citations_share: Share = Field(
        default=0.0, description="Share of calls whose result is followed by a second webhook with citations."
    )
    balance_dollars: float = Field(
        default=1_000_000.0, ge=0, description="What the account can spend; then calls are refused."
    )
    pathway_ids: Annotated[frozenset[str], CommaList] = Field(
        default=frozenset(), description="Pathways that exist; none named: every one does."
    )
    webhook_attempts: int = Field(default=60, ge=1, le=1000, description="Tries to deliver one webhook.")
    webhook_backoff_seconds: float = Field(
        default=0.2,
        gt=0,
        le=3600,
        description="Wait before the second try of a webhook; doubles with each further one.",
    )
    webhook_backoff_ceiling_seconds: float = Field(
        default=30.0, gt=0, le=3600, description="Longest wait between two tries of a webhook."
    )
    webhook_timeout_seconds: float = Field(
        default=10.0, gt=0, le=600, description="Longest time for the answer to a webhook."
    )
    webhook_concurrency: int = Field(default=64, ge=1, le=1000, description="Webhooks under way at once.")
    convoso_token: SecretStr | None = Field(
        default=None, description="The `auth_token` that the simulated Convoso wants; without it any will do."
    )
    convoso_requests_per_second: float = Field(
        default=0, ge=0, le=100_000, description="Requests that the simulated Convoso takes in a second; 0 is no limit."
    )
    convoso_sale_share: Share = Field(
        default=0.5, description="Share of transferred people to whom a simulated agent sells."
    )
    convoso_adopts: bool = Field(
        default=False, description="Whether an update makes the lead that it misses; a real account refuses it."
    )
    convoso_connect_url: HttpUrl | None = Field(
        default=None, description="Where the simulated Convoso posts new statuses (Convoso Connect); none: nowhere."
    )
    convoso_connect_key: SecretStr | None = Field(default=None, description="The `X-Api-Key` that it shows there.")
    ledger_limit: int = Field(
        default=500_000, ge=1, le=10_000_000, description="Most requests kept in the ledger; further ones get 500."
    )


class ObservabilityPart(Part):
    """What a process tells about itself."""

    metrics_port: ListenPort = Field(default=9090, description="Port of /healthz, /readyz and /metrics; 0 is off.")
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Lower] = Field(
        default="info", description="Least level that is logged."
    )
    log_format: Annotated[Literal["auto", "json", "console"], Lower] = Field(
        default="auto",
        description="json: one object a line; console: readable; auto: console on a terminal, else json.",
    )


class UpPart(Part):
    """What only `leadline up` reads."""

    sweep_minutes: float = Field(
        default=5, gt=0, le=1440, description="Business minutes between two sweeps of `leadline up`."
    )
