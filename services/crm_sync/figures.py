"""The figures of the CRM's sync."""

from prometheus_client import Counter, Gauge

MESSAGES = Counter("leadline_crm_sync_messages", "Messages told to the CRM, by what came of it.", ("kind", "result"))
QUESTIONS = Counter("leadline_crm_sync_questions", "Numbers asked about again, by standing.", ("standing",))
STATUSES = Gauge("leadline_crm_sync_statuses", "The account's statuses as they were last read.")
STATUS_READS = Counter("leadline_crm_sync_status_reads", "Readings of the account's statuses, by result.", ("result",))
IN_FLIGHT = Gauge("leadline_crm_sync_in_flight", "Taken and not reported yet.", ("what",))
DRAINING = Gauge("leadline_crm_sync_draining", "1 while what was taken is finished.")
