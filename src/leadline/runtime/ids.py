"""Identifiers that sort by the time they were made."""

import secrets
import threading
import time
from uuid import UUID

_COUNTER_BITS = 32
_COUNTER_START_BITS = 30  # room to count within one millisecond
_RANDOM_BITS = 42

_lock = threading.Lock()
_last_ms = 0
_counter = 0


def new_uuid7() -> UUID:
    """A UUIDv7 (RFC 9562): greater than every other that this process made before, even when the clock steps back.

    Thread-safe. Order between processes is only as good as their clocks; nothing may depend on it.
    """
    with _lock:
        ms, counter = _next_position(time.time_ns() // 1_000_000)
    rand_a = counter >> 20
    rand_b = (counter & 0xFFFFF) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return UUID(int=ms << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b)


def _next_position(now_ms: int) -> tuple[int, int]:
    global _last_ms, _counter  # noqa: PLW0603 -- the order of ids is a property of the whole process
    if now_ms > _last_ms:
        _last_ms, _counter = now_ms, secrets.randbits(_COUNTER_START_BITS)
    else:
        _counter += 1
        if _counter >> _COUNTER_BITS:
            _last_ms, _counter = _last_ms + 1, 0
    return _last_ms, _counter
