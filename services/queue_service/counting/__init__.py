"""What the queue-service counts: noted where it is decided, counted once it is committed."""
