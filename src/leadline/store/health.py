"""What the database's server says of itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from leadline.store.connection import Connection, fetch_one

READ_SERVER: Final = """
SELECT clock_timestamp() AS at, current_setting('server_version') AS version,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS limit
"""
COUNT_CONNECTIONS: Final = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"


@dataclass(frozen=True, slots=True)
class Server:
    """One reading."""

    at: datetime
    """Real time."""
    version: str
    connections_limit: int


async def read_server(conn: Connection) -> Server:
    """The server's clock, version and bound of connections; touches no table."""
    row = await fetch_one(conn, READ_SERVER)
    return Server(row["at"], row["version"], row["limit"])


async def count_connections(conn: Connection) -> int:
    """Connections that clients have to the server, those to other databases too."""
    return int(await conn.fetchval(COUNT_CONNECTIONS))
