"""The CRM's side, backfills, and what is imported without records."""
from migrations.plain_sql import sql_beside
revision, down_revision = "0002", "0001"
upgrade = sql_beside(__file__)
