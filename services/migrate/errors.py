"""What migrate raises on purpose."""


class MigrateError(Exception):
    """Migrating is not possible now; `str(error)` is one line."""
