"""Settings of the CRM and of backfills, beside those of the main job in `parts`."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from leadline.runtime.settings.loader import Part
from leadline.runtime.settings.parts import Word
from leadline.runtime.settings.types import CommaList, HttpUrl, Lower, NamePairs


class CrmPart(Part):
    """Whether there is a CRM, for who decides."""

    crm: Annotated[Literal["none", "convoso"], Lower] = Field(
        default="none", description="The CRM whose word is asked and that is told of results."
    )
    crm_clearance: Annotated[Literal["after_transfer", "every_dial"], Lower] = Field(
        default="after_transfer",
        description="Before which dials the CRM must have cleared the number; without a CRM before none.",
    )


class ConvosoPart(Part):
    """Convoso's API, for who asks it and tells it."""

    convoso_base_url: HttpUrl = Field(
        default="https://api.convoso.com/v1", description="Base URL of Convoso's API, version included."
    )
    convoso_auth_token: SecretStr | None = Field(
        default=None, description="Convoso's `auth_token`; without it nothing is learned, and who needs a word is held."
    )
    convoso_timeout_seconds: float = Field(
        default=5, gt=0, le=120, description="Longest time for one answer of Convoso."
    )
    convoso_requests_per_second: float = Field(
        default=3, ge=0, le=1000, description="Most requests to Convoso in a second, by each process; 0 is no limit."
    )
    convoso_concurrency: int = Field(
        default=8, ge=1, le=200, description="Requests to Convoso that one process has in flight at most."
    )
    convoso_retries: int = Field(
        default=3, ge=0, le=20, description="How often a question to Convoso is asked again before it is unanswered."
    )
    convoso_unlisted: Annotated[Literal["hold", "call"], Lower] = Field(
        default="hold", description="What a number means that no lead in Convoso has."
    )
    convoso_statuses: NamePairs = Field(
        default={},
        description="Status codes that outcomes set, beside the built-in ones: `OUTCOME=CODE`, comma-separated.",
    )


class CrmSyncPart(Part):
    """The process that tells the CRM and asks it again."""

    crm_sync_poll_seconds: float = Field(
        default=1, gt=0, le=3600, description="How often the outbox is looked at while it is empty."
    )
    crm_sync_batch: int = Field(default=50, ge=1, le=200, description="Messages or questions that are taken at once.")
    crm_statuses_minutes: float = Field(
        default=15, gt=0, le=1440, description="How often the account's statuses are read anew."
    )


class BackfillPart(Part):
    """How a backfill asks."""

    backfill_lease_seconds: float = Field(
        default=20, ge=1, le=3600, description="How long a backfill that is killed keeps its run from another."
    )
    backfill_retry_seconds: Annotated[tuple[Annotated[float, Field(ge=0, le=3600)], ...], CommaList] = Field(
        default=(2, 4, 8, 16, 32), description="Waits before a page or a call is asked for again; jitter is added."
    )
    backfill_window_calls: int = Field(
        default=5000, ge=10, le=100_000, description="A window that holds more calls is halved."
    )
    backfill_concurrency: int = Field(default=8, ge=1, le=200, description="Details of calls that are read at once.")


class BackfillOptionsPart(Part):
    """What a backfill goes by where its options say nothing, for Jobs; the options win."""

    backfill_from: Word | None = Field(default=None, description="As `--from`: first day, or an instant.")
    backfill_to: Word | None = Field(default=None, description="As `--to`: last day, included whole, or an instant.")
    backfill_campaign: Word | None = Field(
        default=None, description="As `--campaign`: the campaign of numbers that are added."
    )
    backfill_dry_run: bool = Field(default=False, description="As `--dry-run`: change nothing.")
    backfill_pace: Word = Field(default="1/s", description="As `--pace`: pages a second.")
    backfill_details_pace: Word = Field(
        default="5/s", description="As `--details-pace`: calls whose details are read, a second."
    )
    backfill_window: Word = Field(default="1h", description="As `--window`: width of one window.")
