"""Whether this replica and its database are well, for `leadline doctor`."""

import time
from datetime import UTC, datetime
from importlib.metadata import version

from leadline.contracts.diagnosis import Diagnosis
from leadline.store import health
from leadline.store.clock import get_clock
from leadline.store.connection import Connection
from leadline.store.schema import EXPECTED_REVISION, get_schema
from services.queue_service.policy import Policy


async def diagnose(conn: Connection, policy: Policy) -> Diagnosis:
    """Ask the database a handful of cheap questions."""
    await health.read_server(conn)  # the first question of a session pays for its preparation
    asked_at, began = time.time(), time.perf_counter()
    server = await health.read_server(conn)
    took = time.perf_counter() - began
    schema = await get_schema(conn)
    clock = await get_clock(conn)
    return Diagnosis(
        version=version("leadline"),
        queue_at=datetime.fromtimestamp(asked_at + took / 2, UTC),
        database_at=server.at,
        database_version=server.version,
        database_milliseconds=took * 1000,
        connections=await health.count_connections(conn),
        connections_limit=server.connections_limit,
        schema_revision=schema.revision,
        schema_expected=EXPECTED_REVISION,
        schema_misfit=schema.misfit(),
        business_at=clock.now,
        clock_speed=clock.speed,
        calls_per_second=policy.calls_per_second,
        has_crm=policy.has_crm,
    )
