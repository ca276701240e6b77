"""Reading what a request says: the caller, the body, the query string."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.requests import Request

from memferry.errors import Invalid, TooLarge
from memferry.http.auth import ALLOWED
from memferry.model.token import Caller

_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_INT64 = 2**63 - 1


def caller(request: Request) -> Caller:
    """Who sent it, and holds the scopes that the route needs."""
    found: Caller = request.scope[ALLOWED]
    return found


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """The whole body; refused with TooLarge as soon as it passes the limit."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit_bytes:
        raise TooLarge("body", limit_bytes)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise TooLarge("body", limit_bytes)
    return bytes(body)


def read_query(request: Request) -> Mapping[str, str]:
    """The query string's fields; raises Invalid for text that PostgreSQL could not hold."""
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=100,
        )
    except ValueError as fault:
        raise Invalid("query string", "is not valid percent-encoded UTF-8") from fault
    for name, value in pairs:
        if "\x00" in value:
            raise Invalid(name, "must not contain NUL (U+0000)")
    return dict(pairs)


def number(text: str | None, default: int, *, least: int, most: int) -> int:
    """A whole number held within bounds; junk counts as not given."""
    if text is None or not _INTEGER.fullmatch(text.strip()):
        return default
    return min(max(int(text), least), most)


def time_or_none(text: str | None) -> int | None:
    """A time in epoch ms; junk counts as not given."""
    if text is None or not _INTEGER.fullmatch(text.strip()):
        return None
    return min(max(int(text), 0), _INT64)


def flag(query: Mapping[str, str], name: str) -> bool:
    """A field that is `true` or `false`, false if not given; junk is refused, not passed over."""
    text = query.get(name, "false")
    if text not in {"true", "false"}:
        raise Invalid(name, "expected true or false")
    return text == "true"


def uuid_or(text: str, fault: Exception) -> UUID:
    """The UUID a path holds; anything else names nothing, which is what `fault` says."""
    if not _UUID.fullmatch(text):
        raise fault
    return UUID(text)
