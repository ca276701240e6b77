"""Identifiers that sort by the time of their creation."""

import os
import re
import time
from collections.abc import Iterator
from uuid import UUID

from ulid import ULID

_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


def new_export_id() -> str:
    """Make a ULID: 26 characters of Crockford's base 32."""
    return str(ULID())


def is_export_id(text: str) -> bool:
    """Whether a text has the form of an export's id."""
    return _ULID.fullmatch(text) is not None


def new_memory_ids(count: int) -> list[UUID]:
    """Make UUIDs of version 7 (RFC 9562, section 5.7), each greater than the one before."""
    return list(_count_up(count))


def _count_up(count: int) -> Iterator[UUID]:
    """Yield UUIDs of one millisecond whose 12 + 62 random bits count up from a random start.

    The top bit of the counter starts at zero, so it cannot overflow (section 6.2, method 1).
    """
    time_ms = time.time_ns() // 1_000_000
    counter = int.from_bytes(os.urandom(10)) & ((1 << 73) - 1)
    for value in range(counter, counter + count):
        high, low = value >> 62, value & ((1 << 62) - 1)
        yield UUID(int=time_ms << 80 | 7 << 76 | high << 64 | 2 << 62 | low)
