"""Bland's signature: hex HMAC-SHA256 of the raw body, in `X-Webhook-Signature`.

The vendor has one secret and no overlap when it is replaced, so the one before is accepted too.
"""

import hashlib
import hmac
from collections.abc import Sequence

HEADER = "X-Webhook-Signature"


def is_signed(raw: bytes, signature: str, secrets: Sequence[bytes]) -> bool:
    """Whether one of the secrets signed these bytes. Takes the same time whichever it is, and if it is none."""
    shown = signature.strip().lower().encode("utf-8", "surrogateescape")
    found = False
    for secret in secrets:
        expected = hmac.new(secret, raw, hashlib.sha256).hexdigest().encode()
        found |= hmac.compare_digest(expected, shown)
    return found
