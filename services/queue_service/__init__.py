"""The queue-service: the only process with the database. Leases, send marks, reports, events, operators' questions."""
