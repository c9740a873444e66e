"""The gateway's figures, beside those of every route."""

from prometheus_client import Counter

LEADS = Counter("leadline_gateway_leads", "Leads stored, by what became of them.", ("status",))
EVENTS = Counter("leadline_gateway_events", "Signed events stored, by what was done with them.", ("disposition",))
CRM_EVENTS = Counter("leadline_gateway_crm_events", "Events of the CRM stored, by what was done.", ("disposition",))
UNSIGNED_EVENTS = Counter("leadline_gateway_unsigned_events", "Events refused for a missing or wrong signature.")
NOT_STORED = Counter(
    "leadline_gateway_not_stored", "Answers 503: leads and events that could not be stored in time.", ("kind",)
)
