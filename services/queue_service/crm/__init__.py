"""The queue-service's part of the CRM: outbox, clearances, statuses set by human agents."""
