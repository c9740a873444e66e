"""Handlers of backfills: parse, call, respond."""
