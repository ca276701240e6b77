"""What a value must be like; every check raises Invalid or TooLarge with the field."""

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
# A B-tree entry holds at most 2,704 bytes, a character at most 4.
NAMESPACE_CHARACTERS = 512
SOURCE_CHARACTERS = 512
REFERENCE_CHARACTERS = 4096
TAGS = 1000
TAG_CHARACTERS = 512
QUERY_CHARACTERS = 10_000
LATEST_MS = 2**63 - 1
# The last time that a Date of ECMAScript can hold (ECMA-262, section 21.4.1.1), year 275760.
LATEST_STORED_MS = 8_640_000_000_000_000


def text(field: str, value: str, *, most: int, least: int = 0) -> str:
    """A string PostgreSQL can hold, `least` to `most` characters long."""
    if len(value) < least:
        raise Invalid(field, "must not be empty")
    if len(value) > most:
        raise Invalid(field, f"longer than {most} characters")
    if "\x00" in value:
        raise Invalid(field, "must not contain NUL (U+0000)")
    return value


def content(field: str, value: str) -> str:
    """A memory's text: not empty, at most 1 MiB of UTF-8."""
    if len(value.encode()) > CONTENT_BYTES:
        raise TooLarge(field, CONTENT_BYTES)
    return text(field, value, most=CONTENT_BYTES, least=1)


def tags(field: str, value: list[str], *, most: int = TAGS) -> list[str]:
    """Up to 1,000 strings of up to 512 characters."""
    if len(value) > most:
        raise Invalid(field, f"more than {most} tags")
    return [text(f"{field}[{i}]", each, most=TAG_CHARACTERS) for i, each in enumerate(value)]


def json_object(
    field: str,
    value: Raw,
    *,
    most_bytes: int,
    depth: int = MAX_DEPTH,
    keys: int | None = None,
) -> str | None:
    """The text of a JSON object without insignificant white space, or None for null."""
    given = bytes(value)
    if given == b"null":
        return None
    if not given.startswith(b"{"):
        raise Invalid(field, "expected object")
    if len(given) > most_bytes:
        raise TooLarge(field, most_bytes)
    return strict_json.compact(field, given, depth=depth, keys=keys).decode()


def time_ms(field: str, value: int, *, latest: int = LATEST_MS) -> int:
    """A time in epoch milliseconds, 0 or later."""
    if value < 0:
        raise Invalid(field, "must not be negative")
    if value > latest:
        raise Invalid(field, f"is later than {latest}")
    return value


def stored_time_ms(field: str, value: int) -> int:
    """A time that a memory may have: later ones leave no room to count on from."""
    return time_ms(field, value, latest=LATEST_STORED_MS)
