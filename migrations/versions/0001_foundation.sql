-- The tables of the main job: phones, leads, due leads, attempts, events, suppressions, audit.
-- Every rule of the protocol that a database can hold is a constraint or a trigger here.

-- ---------------------------------------------------------------- business time

CREATE TABLE clock (
    id          boolean PRIMARY KEY DEFAULT true CHECK (id),
    real_at     timestamptz NOT NULL,
    business_at timestamptz NOT NULL,
    speed       double precision NOT NULL CHECK (speed > 0)
);
COMMENT ON TABLE clock IS 'Moves and speeds business time in `leadline up` and tests; without a row it is the wall clock';

CREATE FUNCTION business_now() RETURNS timestamptz
LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT coalesce(
        (SELECT business_at + (clock_timestamp() - real_at) * speed FROM clock),
        clock_timestamp())
$$;

CREATE FUNCTION clock_never_runs_backwards() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    before timestamptz := CASE WHEN TG_OP = 'INSERT' THEN NULL
        ELSE OLD.business_at + (clock_timestamp() - OLD.real_at) * OLD.speed END;
    after timestamptz := CASE WHEN TG_OP = 'DELETE' THEN clock_timestamp()
        ELSE NEW.business_at + (clock_timestamp() - NEW.real_at) * NEW.speed END;
BEGIN
    IF after < before - interval '1 millisecond' THEN
        RAISE EXCEPTION 'business time would run backwards, from % to %', before, after
            USING ERRCODE = 'check_violation', CONSTRAINT = 'clock_never_runs_backwards';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;

CREATE TRIGGER clock_never_runs_backwards BEFORE UPDATE OR DELETE ON clock
    FOR EACH ROW EXECUTE FUNCTION clock_never_runs_backwards();

-- ---------------------------------------------------------------- switches

CREATE TABLE dispatch_gate (
    id                     boolean PRIMARY KEY DEFAULT true CHECK (id),
    system_identifier      bigint NOT NULL,
    timeline               integer NOT NULL,
    held_since             timestamptz,
    held_reason            text,
    account_paused_at      timestamptz,
    account_pause_reason   text,
    account_pause_automatic boolean NOT NULL DEFAULT false,
    CHECK ((held_since IS NULL) = (held_reason IS NULL)),
    CHECK ((account_paused_at IS NULL) = (account_pause_reason IS NULL))
);
COMMENT ON TABLE dispatch_gate IS 'One row: what can stop all dialling, and the cluster identity that dispatch was permitted on';

CREATE FUNCTION cluster_timeline() RETURNS integer
LANGUAGE sql VOLATILE AS $$
    SELECT ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::integer
$$;

INSERT INTO dispatch_gate (system_identifier, timeline)
    SELECT system_identifier, cluster_timeline() FROM pg_control_system();

CREATE TABLE pace (
    account      text PRIMARY KEY,
    next_slot_at timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 10);
COMMENT ON TABLE pace IS 'Locked by every send mark of the account: the pace is one, however many replicas there are';

CREATE TABLE campaign_switches (
    campaign     text PRIMARY KEY,
    paused_at    timestamptz NOT NULL,
    pause_reason text NOT NULL,
    automatic    boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE campaign_switches IS 'A row pauses the campaign';

-- ---------------------------------------------------------------- phones and suppressions

CREATE TABLE phones (
    phone_number      text PRIMARY KEY CHECK (phone_number ~ '^\+[1-9][0-9]{6,14}$'),
    bad_number_reason text,
    sold_outcome      text CHECK (sold_outcome IN ('SALE', 'ACA')),
    rest_until        timestamptz,
    last_sent_by      timestamptz
) WITH (fillfactor = 80);
COMMENT ON TABLE phones IS 'What holds for a number over all campaigns; its row is locked first by every transaction that touches the number';
COMMENT ON COLUMN phones.last_sent_by IS 'Business time: end of the send window of the last marked call';

CREATE TABLE suppressions (
    phone_number text PRIMARY KEY CHECK (phone_number ~ '^\+[1-9][0-9]{6,14}$'),
    reason       text NOT NULL,
    source       text NOT NULL,
    created_at   timestamptz NOT NULL
);

-- ---------------------------------------------------------------- leads

CREATE TABLE leads (
    id                       uuid PRIMARY KEY,
    campaign                 text NOT NULL,
    phone_number             text NOT NULL REFERENCES phones,
    sender_lead_id           text,
    list_id                  text,
    first_name               text,
    last_name                text,
    state                    text,
    postal_code              text,
    sender_fields            jsonb NOT NULL DEFAULT '{}',
    attributes               jsonb NOT NULL DEFAULT '{}',
    status                   text NOT NULL
        CHECK (status IN ('pending', 'rescheduled', 'held', 'paused', 'completed')),
    status_reason            text,
    scheduled_callback_at    timestamptz,
    extra_attempts           smallint NOT NULL DEFAULT 0 CHECK (extra_attempts >= 0),
    attempts_before          smallint NOT NULL DEFAULT 0 CHECK (attempts_before >= 0),
    attempts_before_on       date,
    attempts_before_that_day smallint NOT NULL DEFAULT 0 CHECK (attempts_before_that_day >= 0),
    life_started_at          timestamptz NOT NULL,
    traceparent              text,
    created_at               timestamptz NOT NULL,
    updated_at               timestamptz NOT NULL,
    due_lead_id              uuid GENERATED ALWAYS AS
        (CASE WHEN status IN ('pending', 'rescheduled') THEN id END) STORED,
    CONSTRAINT one_lead_per_campaign_and_number UNIQUE (phone_number, campaign),
    CONSTRAINT closed_statuses_have_a_reason CHECK (status NOT IN ('held', 'completed') OR status_reason IS NOT NULL),
    CONSTRAINT callback_has_a_time CHECK (status <> 'rescheduled' OR scheduled_callback_at IS NOT NULL)
) WITH (fillfactor = 90);
COMMENT ON TABLE leads IS 'Wide and cold: written when a lead arrives or its status changes, not at every call';

CREATE TABLE due_leads (
    lead_id         uuid PRIMARY KEY REFERENCES leads,
    campaign        text NOT NULL,
    band            smallint NOT NULL CHECK (band BETWEEN 0 AND 2),
    due_at          timestamptz NOT NULL CHECK (isfinite(due_at)),
    phone_number    text NOT NULL,
    calling         boolean NOT NULL DEFAULT false,
    not_sent_in_row smallint NOT NULL DEFAULT 0 CHECK (not_sent_in_row >= 0)
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000,
        autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE due_leads IS 'Narrow and hot: what can be leased, and when';

CREATE INDEX due_leads_head ON due_leads (campaign, band, due_at, lead_id) WHERE NOT calling;

-- Promise 4: a pending or rescheduled lead always has a time at which it is due.
ALTER TABLE leads ADD CONSTRAINT planned_leads_are_due
    FOREIGN KEY (due_lead_id) REFERENCES due_leads (lead_id) DEFERRABLE INITIALLY DEFERRED;

-- ---------------------------------------------------------------- attempts

CREATE TABLE attempts (
    id                uuid PRIMARY KEY,
    lead_id           uuid NOT NULL,
    campaign          text NOT NULL,
    phone_number      text NOT NULL,
    origin            text NOT NULL CHECK (origin IN ('leadline', 'provider_retry', 'elsewhere')),
    parent_id         uuid REFERENCES attempts,
    attempt_no        smallint NOT NULL CHECK (attempt_no > 0),
    state             text NOT NULL CHECK (state IN ('leased', 'sending', 'unknown', 'placed', 'ended',
                                                     'released', 'rejected', 'not_placed', 'abandoned')),
    counted           boolean GENERATED ALWAYS AS
        (state IN ('leased', 'sending', 'unknown', 'placed', 'ended', 'abandoned')) STORED,
    close_reason      text,
    dialer            text,
    mark_operation_id uuid,
    send_after_ms     integer,
    send_within_ms    integer,
    leased_at         timestamptz NOT NULL,
    marked_at         timestamptz,
    placed_at         timestamptz,
    closed_at         timestamptz,
    call_id           text,
    outcome           text,
    evidence          text,
    answered_by       text,
    provider_ended_at timestamptz,
    talk_seconds      double precision,
    price_dollars     double precision,
    callback_at       timestamptz,
    traceparent       text,
    CONSTRAINT ended_attempts_have_an_outcome CHECK ((state = 'ended') = (outcome IS NOT NULL)),
    CONSTRAINT sent_attempts_were_marked
        CHECK (origin <> 'leadline' OR marked_at IS NOT NULL OR state NOT IN ('sending', 'unknown', 'abandoned')),
    CONSTRAINT closed_attempts_have_a_time CHECK
        ((closed_at IS NULL) = (state IN ('leased', 'sending', 'unknown', 'placed')))
) WITH (fillfactor = 80);
COMMENT ON TABLE attempts IS 'The ledger: one row for each attempt and for each call that was met; rows are never deleted';
COMMENT ON COLUMN attempts.lead_id IS 'No foreign key: its check would lock, and so dirty, a page of the cold leads at every lease';

CREATE INDEX attempts_by_phone ON attempts (phone_number, leased_at);
CREATE INDEX attempts_by_lead ON attempts (lead_id);
CREATE INDEX attempts_by_time ON attempts (leased_at);

CREATE TABLE open_attempts (
    phone_number  text PRIMARY KEY,
    attempt_id    uuid NOT NULL UNIQUE REFERENCES attempts DEFERRABLE INITIALLY DEFERRED,
    deadline_at   timestamptz NOT NULL,
    quiet_until   timestamptz,
    asked_at      timestamptz,
    asked_seconds double precision NOT NULL DEFAULT 0 CHECK (asked_seconds >= 0)
) WITH (fillfactor = 70);
COMMENT ON TABLE open_attempts IS 'Promise 1: one live attempt per phone number; its instants are real time';
COMMENT ON COLUMN open_attempts.deadline_at IS 'Real time: end of the lease, of the send window, or of the longest call';
COMMENT ON COLUMN open_attempts.quiet_until IS 'Real time from which absence at the provider proves that no call was placed';
COMMENT ON COLUMN open_attempts.asked_seconds IS 'Real time during which the provider could be asked and proved nothing';

CREATE TABLE calls (
    call_id     text PRIMARY KEY,
    attempt_id  uuid NOT NULL REFERENCES attempts,
    recorded_at timestamptz NOT NULL
);
COMMENT ON TABLE calls IS 'Each provider call belongs to one attempt; a second call of one attempt has an attempt row of its own';
CREATE INDEX calls_by_attempt ON calls (attempt_id);

CREATE TABLE attempt_arrows (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
COMMENT ON TABLE attempt_arrows IS 'The state machine of attempts; the domain and the drawing are compared with it by a test';

INSERT INTO attempt_arrows (from_state, to_state) VALUES
    ('leased', 'sending'), ('leased', 'released'), ('leased', 'unknown'), ('leased', 'placed'), ('leased', 'ended'),
    ('sending', 'placed'), ('sending', 'released'), ('sending', 'rejected'), ('sending', 'unknown'), ('sending', 'ended'),
    ('unknown', 'placed'), ('unknown', 'ended'), ('unknown', 'released'), ('unknown', 'rejected'),
    ('unknown', 'not_placed'), ('unknown', 'abandoned'),
    ('placed', 'ended'),
    ('released', 'placed'), ('released', 'ended'),
    ('rejected', 'placed'), ('rejected', 'ended'),
    ('not_placed', 'placed'), ('not_placed', 'ended'),
    ('abandoned', 'placed'), ('abandoned', 'ended');

CREATE FUNCTION attempts_move_along_the_arrows() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM attempt_arrows WHERE from_state = OLD.state AND to_state = NEW.state) THEN
        RAISE EXCEPTION 'attempt % cannot go from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'attempts_move_along_the_arrows';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER attempts_move_along_the_arrows BEFORE UPDATE OF state ON attempts
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION attempts_move_along_the_arrows();

CREATE FUNCTION rows_are_never_deleted() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never deleted', TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = 'rows_are_never_deleted';
END $$;

CREATE TRIGGER rows_are_never_deleted BEFORE DELETE OR TRUNCATE ON attempts
    FOR EACH STATEMENT EXECUTE FUNCTION rows_are_never_deleted();
CREATE TRIGGER rows_are_never_deleted BEFORE DELETE OR TRUNCATE ON leads
    FOR EACH STATEMENT EXECUTE FUNCTION rows_are_never_deleted();

-- An attempt is open exactly while it holds its phone number; judged at commit, on the row as it then is.
CREATE FUNCTION open_attempts_hold_their_number() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM attempts a
        WHERE a.id = NEW.id
          AND (a.state IN ('leased', 'sending', 'unknown', 'placed'))
              <> EXISTS (SELECT FROM open_attempts o
                         WHERE o.attempt_id = a.id AND o.phone_number = a.phone_number)
    ) THEN
        RAISE EXCEPTION 'attempt % is open without its number, or closed with it', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'open_attempts_hold_their_number';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER open_attempts_hold_their_number AFTER INSERT OR UPDATE OF state ON attempts
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION open_attempts_hold_their_number();

-- The same rule from the number's side: it is not let go while its attempt is open, nor taken for one that is closed.
CREATE FUNCTION numbers_are_held_by_open_attempts() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    held uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.attempt_id ELSE NEW.attempt_id END;
BEGIN
    IF EXISTS (
        SELECT FROM attempts a
        WHERE a.id = held
          AND (a.state IN ('leased', 'sending', 'unknown', 'placed'))
              <> EXISTS (SELECT FROM open_attempts o
                         WHERE o.attempt_id = a.id AND o.phone_number = a.phone_number)
    ) THEN
        RAISE EXCEPTION 'the number of attempt % was let go while it is open, or taken while it is closed', held
            USING ERRCODE = 'check_violation', CONSTRAINT = 'numbers_are_held_by_open_attempts';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER numbers_are_held_by_open_attempts AFTER INSERT OR DELETE ON open_attempts
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION numbers_are_held_by_open_attempts();

-- ---------------------------------------------------------------- stop orders

CREATE TABLE stop_orders (
    id           uuid PRIMARY KEY,
    attempt_id   uuid NOT NULL REFERENCES attempts,
    phone_number text NOT NULL,
    call_id      text,
    reason       text NOT NULL,
    created_at   timestamptz NOT NULL,
    next_try_at  timestamptz NOT NULL,
    tries        integer NOT NULL DEFAULT 0,
    confirmed_at timestamptz,
    last_result  text
);
COMMENT ON COLUMN stop_orders.next_try_at IS 'Real time';
CREATE UNIQUE INDEX one_pending_stop_order_per_call ON stop_orders (attempt_id, coalesce(call_id, '-'))
    WHERE confirmed_at IS NULL;
CREATE INDEX stop_orders_pending ON stop_orders (next_try_at) WHERE confirmed_at IS NULL;

-- ---------------------------------------------------------------- events

CREATE TABLE events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text NOT NULL,
    call_id     text NOT NULL,
    body_sha256 bytea NOT NULL CHECK (length(body_sha256) = 32),
    body        bytea NOT NULL,
    received_at timestamptz NOT NULL,
    disposition text NOT NULL CHECK (disposition IN ('unapplied', 'applied', 'quarantined')),
    kind        text,
    outcome     text,
    attempt_id  uuid,
    lead_id     uuid,
    problem     text,
    tries       integer NOT NULL DEFAULT 0,
    CONSTRAINT every_event_counts_once UNIQUE (source, call_id, body_sha256)
);
COMMENT ON TABLE events IS 'The inbox: every signed body, byte for byte';
CREATE INDEX events_unapplied ON events (id) WHERE disposition = 'unapplied';
CREATE INDEX events_by_lead ON events (lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX events_by_attempt ON events (attempt_id) WHERE attempt_id IS NOT NULL;

-- ---------------------------------------------------------------- audit, operations, alarms, sweep runs

CREATE TABLE audit_log (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor        text NOT NULL,
    verb         text NOT NULL,
    reason       text,
    lead_id      uuid,
    attempt_id   uuid,
    phone_number text,
    campaign     text,
    details      jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_by_lead ON audit_log (lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX audit_log_by_phone ON audit_log (phone_number) WHERE phone_number IS NOT NULL;

CREATE TABLE operations (
    caller       text NOT NULL,
    operation_id text NOT NULL,
    body_sha256  bytea NOT NULL,
    answer       jsonb NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (caller, operation_id)
);
COMMENT ON TABLE operations IS 'Answers of requests that carried an operation id, kept so that a repetition is answered alike';
CREATE INDEX operations_by_age ON operations (created_at);

CREATE TABLE alarms (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    kind       text NOT NULL,
    attempt_id uuid,
    lead_id    uuid,
    details    jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX alarms_by_time ON alarms (at);
COMMENT ON TABLE alarms IS 'What should not have happened: counted in metrics, listed for operators';

CREATE TABLE sweep_runs (
    id          uuid PRIMARY KEY,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz,
    succeeded   boolean,
    counters    jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX sweep_runs_by_time ON sweep_runs (started_at);
