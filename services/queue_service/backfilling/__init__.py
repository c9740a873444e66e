"""The queue-service's part of a backfill: runs, windows, calls recorded as history, numbers decided."""
