"""The tables of the main job."""
from migrations.plain_sql import sql_beside
revision, down_revision = "0001", None
upgrade = sql_beside(__file__)
