"""The queue-service's routes as methods. Whatever changes something can be repeated: it carries an operation id."""

from typing import Final
from urllib.parse import quote
from uuid import UUID

from leadline.clients.queue_http import (
    IDEMPOTENCY_KEY,
    QueueError,
    QueueNonsense,
    QueueRefused,
    QueueUnavailable,
)
from leadline.clients.queue_session import QueueSession
from leadline.contracts.diagnosis import Diagnosis
from leadline.contracts.events import EventSource, EventStored
from leadline.contracts.leads import LeadAccepted, LeadSubmission
from leadline.contracts.leases import (
    LeaseBatch,
    LeaseRequest,
    ReportBatch,
    ReportRequest,
    SendMarkBatch,
    SendMarkRequest,
    StopReport,
    StopReported,
)
from leadline.contracts.operators import (
    CampaignList,
    CampaignView,
    Explanation,
    Gates,
    LeadDetails,
    LeadList,
    LeadView,
    Reason,
    Reschedule,
    Stats,
    SuppressionRequest,
    SuppressionView,
)
from leadline.contracts.sweep import PromiseCheck, SweepPlan, SweepRunFinished, SweepRunStarted, SweepStep

__all__ = ["QueueClient", "QueueError", "QueueNonsense", "QueueRefused", "QueueUnavailable"]

SOURCE_HEADER: Final = "X-Leadline-Source"
_EXPIRE_SECONDS: Final = 60.0
"""A step of the sweep may work for a while before it answers."""


class QueueClient(QueueSession):
    """The routes of the main job. Safe for use by many tasks at once."""

    # leads and events on their way in

    async def submit_lead(self, lead: LeadSubmission, idempotency_key: str | None = None) -> LeadAccepted:
        """Store a lead; the key replays the answer for 24 hours."""
        headers = {IDEMPOTENCY_KEY: idempotency_key} if idempotency_key else None
        return await self._ask("POST", "/v1/leads", LeadAccepted, body=lead, headers=headers)

    async def post_event(self, raw: bytes, source: EventSource) -> EventStored:
        """Store the raw body of an event; a second time it is a duplicate."""
        headers = {SOURCE_HEADER: source, "Content-Type": "application/octet-stream"}
        return await self._ask("POST", "/v1/events", EventStored, body=raw, headers=headers)

    # the protocol of one attempt

    async def lease(self, request: LeaseRequest) -> LeaseBatch:
        """Long poll, sent once: a lost answer costs a lease period and nothing else."""
        return await self._http.ask("POST", "/v1/leases", LeaseBatch, body=request, wait_seconds=request.wait_seconds)

    async def mark(self, request: SendMarkRequest, *, deadline_seconds: float) -> SendMarkBatch:
        """Ask `go?`; repeated with the same operation id, and so with the same answers."""
        return await self._http.ask(
            "POST", "/v1/send-marks", SendMarkBatch, body=request, deadline_seconds=deadline_seconds
        )

    async def report(self, request: ReportRequest) -> ReportBatch:
        """Tell what is known of attempts; may be repeated."""
        return await self._ask("POST", "/v1/reports", ReportBatch, body=request)

    async def report_stop(self, order_id: UUID, report: StopReport) -> StopReported:
        """Tell what became of a stop order; may be repeated."""
        return await self._ask("POST", f"/v1/stop-orders/{order_id}/report", StopReported, body=report)

    # operators

    async def find_leads(self, phone_number: str) -> LeadList:
        """All leads with a number, in any campaign."""
        return await self._ask("GET", "/v1/leads", LeadList, query={"phone_number": phone_number})

    async def get_lead(self, lead_id: UUID) -> LeadDetails:
        """One lead with its attempts and history."""
        return await self._ask("GET", f"/v1/leads/{lead_id}", LeadDetails)

    async def explain_lead(self, lead_id: UUID) -> Explanation:
        """Why a lead is due when it is, or why it is not called."""
        return await self._ask("GET", f"/v1/leads/{lead_id}/explanation", Explanation)

    async def pause_lead(self, lead_id: UUID, reason: Reason, operation_id: UUID | None = None) -> LeadView:
        """Call no more until resumed."""
        return await self._change("POST", f"/v1/leads/{lead_id}/pause", LeadView, reason, operation_id)

    async def resume_lead(self, lead_id: UUID, reason: Reason, operation_id: UUID | None = None) -> LeadView:
        """End a pause."""
        return await self._change("POST", f"/v1/leads/{lead_id}/resume", LeadView, reason, operation_id)

    async def complete_lead(self, lead_id: UUID, reason: Reason, operation_id: UUID | None = None) -> LeadView:
        """Never call again."""
        return await self._change("POST", f"/v1/leads/{lead_id}/complete", LeadView, reason, operation_id)

    async def reopen_lead(self, lead_id: UUID, reason: Reason, operation_id: UUID | None = None) -> LeadView:
        """Undo a completion; attempts are counted anew."""
        return await self._change("POST", f"/v1/leads/{lead_id}/reopen", LeadView, reason, operation_id)

    async def reschedule_lead(self, lead_id: UUID, wish: Reschedule, operation_id: UUID | None = None) -> LeadView:
        """Call at another time."""
        return await self._change("POST", f"/v1/leads/{lead_id}/reschedule", LeadView, wish, operation_id)

    async def get_suppression(self, phone_number: str) -> SuppressionView | None:
        """The entry of a number, None if it is not on the list."""
        try:
            return await self._ask("GET", _suppression(phone_number), SuppressionView)
        except QueueRefused as refused:
            if refused.problem.status == 404:
                return None
            raise

    async def put_suppression(
        self, phone_number: str, request: SuppressionRequest, operation_id: UUID | None = None
    ) -> SuppressionView:
        """Never call this number again, in any campaign, from now on."""
        return await self._change("PUT", _suppression(phone_number), SuppressionView, request, operation_id)

    async def delete_suppression(
        self, phone_number: str, reason: Reason, operation_id: UUID | None = None
    ) -> SuppressionView:
        """Take a number off the list; reopens nothing."""
        return await self._change("DELETE", _suppression(phone_number), SuppressionView, reason, operation_id)

    async def list_campaigns(self) -> CampaignList:
        """All campaigns and their pause switches."""
        return await self._ask("GET", "/v1/campaigns", CampaignList)

    async def pause_campaign(self, campaign: str, reason: Reason, operation_id: UUID | None = None) -> CampaignView:
        """Lease no lead of a campaign until it is resumed."""
        return await self._change("POST", _campaign(campaign, "pause"), CampaignView, reason, operation_id)

    async def resume_campaign(self, campaign: str, reason: Reason, operation_id: UUID | None = None) -> CampaignView:
        """End a campaign's pause."""
        return await self._change("POST", _campaign(campaign, "resume"), CampaignView, reason, operation_id)

    async def pause_account(self, reason: Reason, operation_id: UUID | None = None) -> Gates:
        """Dial nothing at all."""
        return await self._change("POST", "/v1/account/pause", Gates, reason, operation_id)

    async def resume_account(self, reason: Reason, operation_id: UUID | None = None) -> Gates:
        """End the account's pause."""
        return await self._change("POST", "/v1/account/resume", Gates, reason, operation_id)

    async def release_dispatch(self, reason: Reason, operation_id: UUID | None = None) -> Gates:
        """End the hold after a failover: the provider's history is reconciled."""
        return await self._change("POST", "/v1/dispatch/release", Gates, reason, operation_id)

    async def stats(self) -> Stats:
        """Figures for people and dashboards."""
        return await self._ask("GET", "/v1/stats", Stats)

    async def diagnosis(self) -> Diagnosis:
        """How the replica that answers is, and its database."""
        return await self._ask("GET", "/v1/diagnosis", Diagnosis)

    # sweep

    async def sweep_plan(self, *, limit: int) -> SweepPlan:
        """Everything late or stuck, each list bounded by `limit`."""
        return await self._ask("GET", "/v1/sweep/plan", SweepPlan, query={"limit": str(limit)})

    async def sweep_expire(self) -> SweepStep:
        """Release leases that ran out; silent sends become unknown."""
        return await self._ask("POST", "/v1/sweep/expire", SweepStep, wait_seconds=_EXPIRE_SECONDS)

    async def sweep_apply_events(self) -> SweepStep:
        """Apply events that were left unapplied."""
        return await self._ask("POST", "/v1/sweep/apply-events", SweepStep, wait_seconds=_EXPIRE_SECONDS)

    async def check_promises(self) -> PromiseCheck:
        """Run every promise as a query."""
        return await self._ask("POST", "/v1/sweep/check-promises", PromiseCheck, wait_seconds=_EXPIRE_SECONDS)

    async def start_sweep_run(self) -> SweepRunStarted:
        """Begin the record of a pass."""
        return await self._ask("POST", "/v1/sweep/runs", SweepRunStarted)

    async def finish_sweep_run(self, run_id: UUID, finished: SweepRunFinished) -> SweepStep:
        """End the record of a pass."""
        return await self._ask("POST", f"/v1/sweep/runs/{run_id}/finish", SweepStep, body=finished)


def _suppression(phone_number: str) -> str:
    return f"/v1/suppressions/{quote(phone_number, safe='')}"


def _campaign(campaign: str, verb: str) -> str:
    return f"/v1/campaigns/{quote(campaign, safe='')}/{verb}"
