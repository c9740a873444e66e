"""The schema's history: Alembic as the runner, plain SQL as the language."""
