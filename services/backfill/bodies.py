"""Bodies of calls on their way to the queue-service: text that JSON can carry, in requests that it accepts."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from leadline.contracts.backfill import MAX_BACKFILL_GROUP
from leadline.domain.ids import CallId
from leadline.runtime import loose_json
from leadline.runtime.groups import in_sized_groups
from leadline.telephony.port import ProviderNonsense

MOST_GROUP_BYTES: Final = 4 * 1024 * 1024
"""Of one request: half of what the queue-service takes, for what escaping adds."""
_MOST_BODY_BYTES: Final = 4 * 1024 * 1024
_LEFT_OUT_OF_GIANTS: Final = ("pathway_logs", "analysis", "transcripts_detailed")
"""Long, and nothing is derived from them."""


@dataclass(frozen=True, slots=True)
class Body:
    """One call on its way to the queue-service."""

    call_id: CallId
    text: str
    from_details: bool
    """Else it is the row of the list."""

    @property
    def sent_bytes(self) -> int:
        """About how long it is inside of a request."""
        return sent_bytes(self.text)


def body_text(raw: bytes) -> str:
    """A body as text that any store takes: broken UTF-8 replaced, NUL left out.

    Raises:
        ProviderNonsense: it is larger than one request may be.
    """
    text = raw.decode(errors="replace").replace("\x00", "")
    if sent_bytes(text) <= _MOST_BODY_BYTES:
        return text
    body = loose_json.loads(raw)
    if isinstance(body, dict):
        text = json.dumps({key: value for key, value in body.items() if key not in _LEFT_OUT_OF_GIANTS})
    if sent_bytes(text) > _MOST_BODY_BYTES:
        raise ProviderNonsense(f"the details of a call have more than {_MOST_BODY_BYTES} bytes")
    return text


def sent_bytes(text: str) -> int:
    """About how long the text is inside of a JSON document."""
    return len(text.encode()) + text.count('"') + text.count("\\")


def in_requests(bodies: Iterable[Body]) -> Iterator[list[Body]]:
    """Split so that no request holds too many bodies, or too many bytes of them."""
    return in_sized_groups(bodies, lambda body: body.sent_bytes, most=MAX_BACKFILL_GROUP, most_bytes=MOST_GROUP_BYTES)
