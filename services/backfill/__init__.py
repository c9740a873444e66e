"""Backfill: reads the provider's history into the queue, window by window, and goes on where it was killed."""
