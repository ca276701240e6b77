"""Identifiers that sort by the time they were made."""

import os
import re
import time
from collections.abc import Iterator
from uuid import UUID

from ulid import ULID

_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


def new_export_id() -> str:
    """A ULID: 26 characters of Crockford's base 32, for exports."""
    return str(ULID())


def is_export_id(text: str) -> bool:
    """Whether a text could be an export's id at all."""
    return _ULID.fullmatch(text) is not None


def new_memory_ids(count: int) -> list[UUID]:
    """UUIDs of version 7 (RFC 9562, section 5.7) that rise in this order."""
    return list(_rising(count))


def _rising(count: int) -> Iterator[UUID]:
    """One millisecond and one random start for all; the 12 + 62 random bits count up from there.

    The top bit of the counter starts at zero, so that it cannot run over (section 6.2, method 1).
    """
    time_ms = time.time_ns() // 1_000_000
    counter = int.from_bytes(os.urandom(10)) & ((1 << 73) - 1)
    for value in range(counter, counter + count):
        high, low = value >> 62, value & ((1 << 62) - 1)
        yield UUID(int=time_ms << 80 | 7 << 76 | high << 64 | 2 << 62 | low)
