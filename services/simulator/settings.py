"""What the simulator reads."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, SecretStr

from leadline.runtime.settings import Part, ProcessSettings
from leadline.runtime.settings.parts import ListenPart, ObservabilityPart, SimulatorPart
from leadline.runtime.settings.types import CommaList, Lower

Plan = Literal["start", "build", "scale", "enterprise", "agent"]
Share = Annotated[float, Field(ge=0, le=1)]


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
    plan: Annotated[Plan, Lower] = Field(
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
    ledger_limit: int = Field(
        default=500_000, ge=1, le=10_000_000, description="Most requests kept in the ledger; further ones get 500."
    )


class SimulatorSettings(ProcessSettings):
    """Settings of `python -m services.simulator`."""

    process: ClassVar[str] = "simulator"

    listen: ListenPart
    simulator: SimulatorPart
    world: SimulatedWorldPart
    observability: ObservabilityPart
