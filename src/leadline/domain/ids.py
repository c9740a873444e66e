"""Names for identifiers, so that a lead's id is never passed where an attempt's belongs."""

from typing import NewType
from uuid import UUID

LeadId = NewType("LeadId", UUID)
"""Our own id of a lead (UUIDv7). The sender's id is `sender_lead_id`."""

AttemptId = NewType("AttemptId", UUID)
"""One attempt to call (UUIDv7); sent to the provider as `metadata.attempt_id`."""

PhoneNumber = NewType("PhoneNumber", str)
"""E.164, made only by `leadline.domain.phone`."""

CampaignName = NewType("CampaignName", str)

CallId = NewType("CallId", str)
"""The provider's id of one call."""
