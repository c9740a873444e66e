-- From here on a schema says which code runs on it. An expanding revision leaves the row alone; a contracting one moves
-- it to the oldest code that still works: UPDATE schema_compatibility SET oldest_code = 'NNNN'.
-- Code from before this revision demands exactly its own revision and never looks here, so the row begins at 0003.

CREATE TABLE schema_compatibility (
    id          boolean PRIMARY KEY DEFAULT true CHECK (id),
    oldest_code text NOT NULL CHECK (oldest_code ~ '^[0-9]{4}$')
);
COMMENT ON TABLE schema_compatibility IS 'One row: the oldest code that works on this schema, named by the newest revision it knows';

INSERT INTO schema_compatibility (oldest_code) VALUES ('0003');
