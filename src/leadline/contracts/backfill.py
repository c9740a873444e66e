"""Backfill: the words between the process that reads the provider's history and the queue-service."""

from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from leadline.contracts.base import Message
from leadline.contracts.crm import Learned

MAX_BACKFILL_GROUP = 500
"""Most calls or decisions in one request."""
MOST_WINDOWS = 200_000
"""Most windows of one run: ten years of half-hours."""


class BackfillState(StrEnum):
    """How far a run is."""

    LISTING = "listing"
    """Windows of history are being read."""
    DECIDING = "deciding"
    """All history is recorded; number after number is decided."""
    INCOMPLETE = "incomplete"
    """Ended with windows that could not be read."""
    FINISHED = "finished"


class BackfillStart(Message):
    """`POST /v1/backfill/runs`: begin a run, or go on with the unfinished one of the same range and campaign.

    The end is moved back to what is surely listed by now; an unfinished run is found by the end that was asked for.
    Failed windows of an incomplete run wait again. Answers a `BackfillRun`.
    """

    starts_at: AwareDatetime
    ends_at: AwareDatetime
    campaign: str | None = Field(default=None, max_length=64)
    """Whose leads the calls become whose caller is no campaign's number; None: the default campaign."""
    window_seconds: float = Field(ge=1, le=366 * 86400)
    holder: str = Field(min_length=1, max_length=128)
    """Who asks; a run belongs to one holder at a time, who keeps it by asking."""
    lease_seconds: float = Field(ge=1, le=3600)
    dry_run: bool = False
    """Nothing is written: the answer describes the run that would begin."""


class BackfillWindow(Message):
    """One window of history, [starts_at, ends_at)."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime


class FailedWindow(BackfillWindow):
    """A window that could not be read, and why."""

    problem: str


class BackfillRun(Message):
    """One run as it stands."""

    id: UUID
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    campaign: str | None
    state: BackfillState
    resumed: bool
    windows_done: int
    windows_waiting: int
    failed: list[FailedWindow]
    counters: dict[str, int]
    """What became of calls and numbers so far, by reason."""


class WindowBatch(Message):
    """`POST /v1/backfill/runs/{id}/windows/next`: the next windows to read, ascending; keeps the run."""

    windows: list[BackfillWindow]


class Held(Message):
    """Body of every request of a run: whoever does not hold it any more is answered 409 `backfill_taken`."""

    holder: str = Field(min_length=1, max_length=128)
    lease_seconds: float = Field(ge=1, le=3600)


class NextWindows(Held):
    """Ask for windows."""

    limit: int = Field(ge=1, le=100)


class HistoryCall(Message):
    """One row of the provider's list: enough to say whether it is known."""

    call_id: str = Field(min_length=1, max_length=128)
    phone_number: str = Field(max_length=64)
    """The person's number, as the provider spelt it."""
    created_at: AwareDatetime | None


class SiftRequest(Held):
    """`POST /v1/backfill/runs/{id}/sift`: the calls that are news."""

    calls: list[HistoryCall] = Field(max_length=MAX_BACKFILL_GROUP)
    dry_run: bool = False
    """Asked without a run: nobody holds anything."""


class Sifted(Message):
    """Call ids by what is to be done; no id is in both lists. Those in neither list are recorded already."""

    new: list[str]
    """New, and the row of the list says whose call it is."""
    needs_details: list[str]
    """New, and the number has an attempt of ours without a call id: only its details say whose call it is."""


class RecordRequest(Held):
    """`POST /v1/backfill/runs/{id}/calls`: record calls as history. Known ones change nothing."""

    bodies: list[str] = Field(max_length=MAX_BACKFILL_GROUP)
    """Each the JSON of one call, from the list or from its details, as the provider sent it."""
    from_details: list[bool] = Field(default=[], max_length=MAX_BACKFILL_GROUP)
    """For each body, whether it is the call's details; empty: none is. Details without metadata of ours are proof
    that the call is not ours, a row of the list is not."""
    dry_run: bool = False
    """Asked without a run: everything is done and rolled back."""
    campaign: str | None = Field(default=None, max_length=64)
    """In a dry run: the campaign that the run would have."""

    @model_validator(mode="after")
    def _one_flag_for_each_body(self) -> "RecordRequest":
        if self.from_details and len(self.from_details) != len(self.bodies):
            msg = f"{len(self.from_details)} flags for {len(self.bodies)} bodies: send one for each, or none"
            raise ValueError(msg)
        return self


class BackfillStep(Message):
    """What was done, by reason. Only what this request did: a repetition answers zeros and `known`.

    The answer to calls, finished windows and decisions.
    """

    counters: dict[str, int]
    needs_details: list[str] = Field(default=[])
    """Calls that were not recorded: only their details say whose they are. Send these, with `from_details`."""
    new_numbers: list[str] = Field(default=[])
    """In a dry run: the numbers that would become leads, known from history alone."""


class WindowDone(Held):
    """`POST /v1/backfill/runs/{id}/windows/finish`: a window was read, could not be, or is to be halved."""

    window: BackfillWindow
    listed: int = Field(ge=0)
    problem: str | None = Field(default=None, max_length=500)
    """Why it could not be read; None if it was."""
    halve: bool = False


class Candidate(Message):
    """A lead that is known from history alone and waits for a decision."""

    lead_id: UUID
    phone_number: str
    ask_crm: bool
    """Whether the CRM's word can change anything: a number that said no, bought or is bad is decided without."""


class CandidateRequest(Held):
    """`POST /v1/backfill/runs/{id}/candidates`: the next undecided leads of the run's range, by id."""

    after: UUID | None = None
    limit: int = Field(ge=1, le=MAX_BACKFILL_GROUP)


class CandidateBatch(Message):
    """Empty when every number of the range is decided."""

    candidates: list[Candidate]


class Decision(Message):
    """What the CRM said of a candidate; None if it was not to be asked."""

    lead_id: UUID
    learned: Learned | None


class DecideRequest(Held):
    """`POST /v1/backfill/runs/{id}/decisions`: end or plan candidates. A lead that was decided meanwhile is left."""

    decisions: list[Decision] = Field(min_length=1, max_length=MAX_BACKFILL_GROUP)


class RunFinished(Held):
    """`POST /v1/backfill/runs/{id}/finish`: finished, or incomplete if windows failed. Answers the `BackfillRun`."""


class BackfillRunList(Message):
    """`GET /v1/backfill/runs`: the newest first."""

    runs: list[BackfillRun]
