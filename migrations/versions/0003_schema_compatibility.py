"""Which code runs on this schema."""
from migrations.plain_sql import sql_beside
revision, down_revision = "0003", "0002"
upgrade = sql_beside(__file__)
