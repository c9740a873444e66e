"""migrate: brings the schema to head, then exits. Beside the queue-service the only process with the database's URL."""
