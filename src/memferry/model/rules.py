"""The rules of valid values; every check raises Invalid or TooLarge, which name the field."""

import time

from msgspec import Raw

from memferry.errors import Invalid, TooLarge
from memferry.model import strict_json
from memferry.model.json_text import MAX_DEPTH

CONTENT_BYTES = 1024 * 1024
METADATA_BYTES = 1024 * 1024
FILTER_BYTES = 64 * 1024
FILTER_DEPTH = 32
FILTER_KEYS = 100
FILTER_TAGS = 100
# A B-tree entry has 2,704 bytes at most, and a character 4 bytes at most.
NAMESPACE_CHARACTERS = 512
SOURCE_CHARACTERS = 512
REFERENCE_CHARACTERS = 4096
TAGS = 1000
TAG_CHARACTERS = 512
QUERY_CHARACTERS = 10_000
LATEST_MS = 2**63 - 1
# The last time that a Date of ECMAScript can hold (ECMA-262, section 21.4.1.1), year 275760.
LATEST_STORED_MS = 8_640_000_000_000_000


def check_text(field: str, value: str, *, most: int, least: int = 0) -> str:
    """Check a string: `least` to `most` characters, none of which is NUL."""
    if len(value) < least:
        raise Invalid(field, "must not be empty")
    if len(value) > most:
        raise Invalid(field, f"longer than {most} characters")
    if "\x00" in value:
        raise Invalid(field, "must not contain NUL (U+0000)")
    return value


def check_content(field: str, value: str) -> str:
    """Check the content of a memory: not empty, at most 1 MiB of UTF-8."""
    if len(value.encode()) > CONTENT_BYTES:
        raise TooLarge(field, CONTENT_BYTES)
    return check_text(field, value, most=CONTENT_BYTES, least=1)


def check_tags(field: str, value: list[str], *, most: int = TAGS) -> list[str]:
    """Check tags: up to 1,000 strings of up to 512 characters."""
    if len(value) > most:
        raise Invalid(field, f"more than {most} tags")
    return [
        check_text(f"{field}[{index}]", tag, most=TAG_CHARACTERS) for index, tag in enumerate(value)
    ]


def check_json_object(
    field: str,
    value: Raw,
    *,
    most_bytes: int,
    depth: int = MAX_DEPTH,
    keys: int | None = None,
) -> str | None:
    """Check a JSON object; answers its text without insignificant white space, None for null."""
    encoded = bytes(value)
    if encoded == b"null":
        return None
    if not encoded.startswith(b"{"):
        raise Invalid(field, "expected object")
    if len(encoded) > most_bytes:
        raise TooLarge(field, most_bytes)
    return strict_json.compact(field, encoded, depth=depth, keys=keys).decode()


def check_time_ms(field: str, value: int, *, latest: int = LATEST_MS) -> int:
    """Check a time in epoch milliseconds: from 0 to `latest`."""
    if value < 0:
        raise Invalid(field, "must not be negative")
    if value > latest:
        raise Invalid(field, f"is later than {latest}")
    return value


def check_stored_time_ms(field: str, value: int) -> int:
    """Check a time of a stored row, which leaves room for arithmetic: up to the year 275760."""
    return check_time_ms(field, value, latest=LATEST_STORED_MS)


def check_expiry(value: int, field: str = "expires_at") -> int:
    """Check the last moment of a memory: a time of a stored row that is not over yet."""
    if check_stored_time_ms(field, value) < time.time_ns() // 1_000_000:
        raise Invalid(field, "lies in the past")
    return value
