-- Additions alone: the version before this one runs on this schema.

-- ---------------------------------------------------------------- what is imported without records

ALTER TABLE leads
    ADD COLUMN attempts_before_until timestamptz,
    ADD COLUMN outcomes_before       text[] NOT NULL DEFAULT '{}',
    ADD COLUMN last_call_before      timestamptz,
    ADD COLUMN times_approximate     boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN leads.attempts_before IS 'Counted attempts of this life of which there is no record in `attempts`';
COMMENT ON COLUMN leads.attempts_before_until IS 'The last instant that attempts_before covers: a call from before it that turns up later is one of them';
COMMENT ON COLUMN leads.times_approximate IS 'Imported from a clock whose error could not be proven';

-- Held leads are few; who waits for the CRM or for the end of a backfill is found without reading the others.
CREATE INDEX leads_held ON leads (status_reason, id) WHERE status = 'held';

-- The CRM names a lead by the sender's id where it names no number.
CREATE INDEX leads_by_sender ON leads (sender_lead_id) WHERE sender_lead_id IS NOT NULL;

-- ---------------------------------------------------------------- CRM

-- Who phoned us and was transferred may have bought since, and there is no attempt that says so.
CREATE INDEX events_inbound_transfers ON events (lead_id) WHERE kind = 'inbound' AND outcome = 'TRANSFERRED';

CREATE TABLE crm_statuses (
    code      text PRIMARY KEY CHECK (code <> ''),
    name      text NOT NULL,
    final     boolean NOT NULL,
    success   boolean NOT NULL,
    dnc       boolean NOT NULL,
    loaded_at timestamptz NOT NULL
);
COMMENT ON TABLE crm_statuses IS 'The statuses of the account, as the CRM last listed them; loaded_at is real time';

CREATE TABLE crm_outbox (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject      text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('result', 'suppression')),
    lead_id      uuid,
    attempt_id   uuid,
    event_id     bigint,
    phone_number text NOT NULL,
    outcome      text,
    reason       text,
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'dead', 'superseded')),
    created_at   timestamptz NOT NULL,
    closed_at    timestamptz,
    next_try_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    tries        integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    last_error   text,
    CONSTRAINT results_have_an_outcome CHECK ((kind = 'result') = (outcome IS NOT NULL)),
    CONSTRAINT closed_messages_have_a_time CHECK ((state = 'waiting') = (closed_at IS NULL))
);
COMMENT ON TABLE crm_outbox IS 'What the CRM is to be told, written by the transaction that decided it; sent at least once, in order per subject';
COMMENT ON COLUMN crm_outbox.subject IS 'What is kept in order: the id of the lead, or the phone number';
COMMENT ON COLUMN crm_outbox.created_at IS 'Business time';
COMMENT ON COLUMN crm_outbox.next_try_at IS 'Real time; whoever takes a message moves it, so that a killed sender''s message comes back';
CREATE INDEX crm_outbox_in_order ON crm_outbox (subject, id) WHERE state = 'waiting';
CREATE INDEX crm_outbox_next ON crm_outbox (next_try_at, id) WHERE state = 'waiting';
CREATE INDEX crm_outbox_dead ON crm_outbox (id) WHERE state = 'dead';
CREATE INDEX crm_outbox_superseded ON crm_outbox (id) WHERE state = 'superseded';

CREATE TABLE crm_questions (
    lead_id     uuid PRIMARY KEY,
    next_ask_at timestamptz NOT NULL,
    asked       integer NOT NULL DEFAULT 0 CHECK (asked >= 0),
    last_error  text
);
COMMENT ON TABLE crm_questions IS 'When a lead that is held(crm_unknown) is asked about again; real time';

-- ---------------------------------------------------------------- backfill

CREATE TABLE backfill_runs (
    id                     uuid PRIMARY KEY,
    starts_at              timestamptz NOT NULL,
    ends_at                timestamptz NOT NULL,
    asked_ends_at          timestamptz NOT NULL,
    campaign               text,
    state                  text NOT NULL CHECK (state IN ('listing', 'deciding', 'incomplete', 'finished')),
    holder                 text,
    held_until             timestamptz,
    created_at             timestamptz NOT NULL,
    finished_at            timestamptz,
    counters               jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT ranges_run_forwards CHECK (starts_at < ends_at AND ends_at <= asked_ends_at)
);
COMMENT ON TABLE backfill_runs IS 'One reading of the provider''s history between two instants; goes on where it was killed';
COMMENT ON COLUMN backfill_runs.held_until IS 'Real time; a process that lets it pass has lost the run';
COMMENT ON COLUMN backfill_runs.asked_ends_at IS 'The end that was asked for; ends_at was moved back to what was surely listed then';
CREATE UNIQUE INDEX one_unfinished_run_per_range ON backfill_runs (starts_at, asked_ends_at, coalesce(campaign, ''))
    WHERE state <> 'finished';
CREATE INDEX backfill_runs_by_time ON backfill_runs (created_at);

CREATE TABLE backfill_windows (
    run_id    uuid NOT NULL REFERENCES backfill_runs,
    starts_at timestamptz NOT NULL,
    ends_at   timestamptz NOT NULL,
    state     text NOT NULL CHECK (state IN ('waiting', 'done', 'failed')),
    listed    integer NOT NULL DEFAULT 0,
    tries     integer NOT NULL DEFAULT 0,
    problem   text,
    PRIMARY KEY (run_id, starts_at),
    CONSTRAINT windows_run_forwards CHECK (starts_at < ends_at),
    CONSTRAINT failed_windows_say_why CHECK (state <> 'failed' OR problem IS NOT NULL)
);
CREATE INDEX backfill_windows_missing ON backfill_windows (run_id, state, starts_at) WHERE state <> 'done';
COMMENT ON TABLE backfill_windows IS 'Closed windows of a run, [starts_at, ends_at); halved where they hold too many calls';

CREATE TABLE backfill_news (
    run_id  uuid NOT NULL REFERENCES backfill_runs,
    lead_id uuid NOT NULL,
    PRIMARY KEY (run_id, lead_id)
);
COMMENT ON TABLE backfill_news IS 'Leads of which a run found a call that is newer than all they knew; planned anew once the run has read everything';
