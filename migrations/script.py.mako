"""${message}."""
from migrations.plain_sql import sql_beside
revision, down_revision = "${up_revision}", ${repr(down_revision)}
upgrade = sql_beside(__file__)
