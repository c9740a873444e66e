"""What the queue-service reads, and the policy made of it."""

from datetime import timedelta
from typing import ClassVar

from leadline.contracts.campaigns import DEFAULT_CAMPAIGN, load_campaigns
from leadline.domain.crm import ClearanceMode
from leadline.domain.phone import normalise_any
from leadline.runtime.settings import ProcessSettings
from leadline.runtime.settings.access_parts import QueueServerPart, ServiceAccountsPart
from leadline.runtime.settings.crm_parts import CrmPart
from leadline.runtime.settings.parts import (
    BlandCallPart,
    CadencePart,
    CallingPart,
    CampaignsFilePart,
    DatabasePart,
    DrainPart,
    LeasePart,
    ListenPart,
    ObservabilityPart,
    PacePart,
)
from leadline.runtime.settings.scale_parts import ScalePart
from leadline.runtime.settings.trace_parts import TracingPart
from services.queue_service.policy import PLAN_CAPS, Policy

RINGING_AND_WAITING = timedelta(minutes=10)
"""Business time that a call may spend at the provider beside its longest talk."""


class QueueSettings(ProcessSettings):
    """Settings of `python -m services.queue_service`."""

    process: ClassVar[str] = "queue"

    database: DatabasePart
    server: QueueServerPart
    accounts: ServiceAccountsPart
    cadence: CadencePart
    calling: CallingPart
    dialling: BlandCallPart
    campaigns: CampaignsFilePart
    crm: CrmPart
    pace: PacePart
    lease: LeasePart
    scale: ScalePart
    listen: ListenPart
    drain: DrainPart
    observability: ObservabilityPart
    tracing: TracingPart


def make_policy(settings: QueueSettings) -> Policy:
    """The rules and limits of this deployment. Raises CampaignsError with one line that names what is wrong."""
    configs = load_campaigns(settings.cadence, settings.calling, settings.dialling, settings.campaigns.campaigns_file)
    callers = {normalise_any(c.dialling.from_number or ""): name for name, c in configs.items()}
    return Policy(
        campaigns={name: config.rules for name, config in configs.items()},
        default_campaign=DEFAULT_CAMPAIGN,
        callers={caller: name for caller, name in callers.items() if caller},
        longest_call={
            name: timedelta(minutes=c.dialling.max_duration_minutes) + RINGING_AND_WAITING
            for name, c in configs.items()
        },
        countries=settings.calling.countries,
        caps=PLAN_CAPS[settings.pace.bland_plan],
        calls_per_second=settings.pace.calls_per_second,
        lease_seconds=settings.lease.lease_seconds,
        send_within_ms=settings.lease.send_within_ms,
        report_within_seconds=settings.lease.report_within_seconds,
        quiet_seconds=settings.lease.quiet_seconds,
        unknown_deadline_seconds=settings.lease.unknown_deadline_seconds,
        scale_look_ahead=timedelta(seconds=settings.scale.scale_lookahead_seconds),
        scale_read_seconds=settings.scale.scale_read_seconds,
        clearance=ClearanceMode(settings.crm.crm_clearance) if settings.crm.crm != "none" else ClearanceMode.OFF,
    )
