"""Identifiers that sort by the time of their creation."""

import hashlib
import os
import re
import time
from collections.abc import Iterator
from uuid import UUID

import msgspec
from ulid import ULID

_VERSION = 7
_LATEST_TIME = 2**48
_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


def new_export_id() -> str:
    """Make a ULID: 26 characters of Crockford's base 32."""
    return str(ULID())


def is_export_id(text: str) -> bool:
    """Whether a text has the form of an export's id."""
    return _ULID.fullmatch(text) is not None


def new_memory_ids(count: int) -> list[UUID]:
    """Make UUIDs of version 7 (RFC 9562, section 5.7), each greater than the one before."""
    return list(iterate_memory_ids(count))


def derive_memory_id(namespace: str, source: str, key: str, created_at: int | None) -> UUID:
    """Make the id of a record that has none of ours: always the same for the same record.

    A UUID of version 7 of the time of its creation (ms; 0 if it is not known), whose random bits
    come from the SHA-256 of the rest (RFC 9562, section 5.7). Raises UnicodeEncodeError.
    """
    digest = hashlib.sha256(msgspec.json.encode([namespace, source, key])).digest()
    known = created_at is not None and 0 <= created_at < _LATEST_TIME
    return _make_version_7(created_at or 0 if known else 0, int.from_bytes(digest[:10]))


def read_id_time(memory_id: UUID) -> int | None:
    """The time (ms) in an id of version 7; None for another one."""
    return memory_id.int >> 80 if memory_id.int >> 76 & 0xF == _VERSION else None


def _make_version_7(time_ms: int, rest: int) -> UUID:
    """Make a UUID of a time and of 12 + 62 more bits, those at the end of `rest`."""
    high, low = rest >> 62 & 0xFFF, rest & ((1 << 62) - 1)
    return UUID(int=time_ms << 80 | _VERSION << 76 | high << 64 | 2 << 62 | low)


def iterate_memory_ids(count: int) -> Iterator[UUID]:
    """Yield UUIDs of one millisecond whose 12 + 62 random bits count up from a random start.

    The top bit of the counter starts at zero, so it cannot overflow (section 6.2, method 1).
    """
    time_ms = time.time_ns() // 1_000_000
    counter = int.from_bytes(os.urandom(10)) & ((1 << 73) - 1)
    for value in range(counter, counter + count):
        yield _make_version_7(time_ms, value)
