-- From here on a schema says which code runs on it. An expanding revision leaves the row alone; a contracting one moves
-- it to the oldest code that still works: UPDATE schema_compatibility SET oldest_code = 'NNNN'.
-- Code from before this revision demands exactly its own revision and never looks here, so the row begins at 0003.

CREATE TABLE schema_compatibility (
    id          boolean PRIMARY KEY DEFAULT true CHECK (id),
    oldest_code text NOT NULL CHECK (oldest_code ~ '^[0-9]{4}$')
);
COMMENT ON TABLE schema_compatibility IS 'One row: the oldest code that works on this schema, named by the newest revision it knows';

INSERT INTO schema_compatibility (oldest_code) VALUES ('0003');

-- The key planned_leads_are_due had none: whenever a due row went, at the end of every lead's life, all leads were read.
-- locks: code from before this revision cannot run beside it, so nobody serves while this is built.
CREATE INDEX leads_by_due_lead ON leads (due_lead_id) WHERE due_lead_id IS NOT NULL;
