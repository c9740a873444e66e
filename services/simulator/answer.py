"""An answer as a value: decided first, sent (or spoilt by a fault) afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What a party says to a request."""

    status: int
    body: Any
    """JSON."""
    headers: Mapping[str, str] = field(default_factory=dict)
    refusal: str | None = None
    """For the ledger: why not; None if it was done."""

    @property
    def accepted(self) -> bool:
        """Whether what was asked for was done."""
        return self.refusal is None
