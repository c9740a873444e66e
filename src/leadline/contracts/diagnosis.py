"""What a queue-service finds out about itself when a person asks whether it is well."""

from datetime import datetime

from leadline.contracts.base import Message


class Diagnosis(Message):
    """`GET /v1/diagnosis`: read at the moment of asking, by one replica."""

    version: str
    queue_at: datetime
    """The replica's own clock, real time, halfway through its question to the database."""
    database_at: datetime
    """The database's clock, real time."""
    database_version: str
    database_milliseconds: float
    """Real time of one question that touches no table."""
    connections: int
    """To the database's server, of all its clients."""
    connections_limit: int
    """As many as clients without special rights may have together."""
    schema_revision: str | None
    schema_expected: str
    schema_misfit: str | None
    """Why this version does not run on the schema, and what to do; None if it does."""
    business_at: datetime
    clock_speed: float
    """Of business time against real time; 1 but in `leadline up` and tests."""
    calls_per_second: float
    has_crm: bool
