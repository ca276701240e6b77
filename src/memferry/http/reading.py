"""Reads a request: its caller, its query string, and their values."""

import asyncio
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from starlette.requests import Request

from memferry.errors import Invalid
from memferry.http.auth import ALLOWED
from memferry.model.token import Caller

_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_T = TypeVar("_T")
INT64 = 2**63 - 1
_QUERY = "memferry.query"
_QUERY_FIELDS = 200
_QUICK_BYTES = 16 * 1024


def get_caller(request: Request) -> Caller:
    """The caller of a request, who holds the scopes of its route."""
    allowed: Caller = request.scope[ALLOWED]
    return allowed


def find_service_address(request: Request) -> str:
    """The address of the service: the operator's setting, else the address of the request."""
    public_url: str | None = request.app.state.public_url
    return public_url or str(request.base_url).rstrip("/")


async def run_by_size(size_bytes: int, work: Callable[[], _T]) -> _T:
    """Run a call in a thread if its input is large, so that the event loop stays free."""
    return await asyncio.to_thread(work) if size_bytes > _QUICK_BYTES else work()


@dataclass(frozen=True)
class Query:
    """The fields of a query string, all of which its route declares."""

    pairs: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str | None:
        """The value of a single field; None if it is missing."""
        return next((value for field, value in self.pairs if field == name), None)

    def all(self, name: str) -> list[str]:
        """The values of a field that may be repeated."""
        return [value for field, value in self.pairs if field == name]


def accept_query(request: Request, names: Collection[str], lists: Collection[str]) -> None:
    """Check that a query string holds only these fields; raises Invalid for another one.

    Others are refused by name, since a filter that is dropped would show too much; so is a field
    that is given twice and is no list.
    """
    pairs = _parse_query(request)
    met: set[str] = set()
    for name, value in pairs:
        if name not in names:
            raise Invalid(name or "query string", "unknown query parameter")
        if name in met and name not in lists:
            raise Invalid(name, "is given twice")
        met.add(name)
        if "\x00" in value:
            raise Invalid(name, "must not contain NUL (U+0000)")
    request.scope[_QUERY] = Query(tuple(pairs))


def read_query(request: Request) -> Query:
    """Read the query string of a request that `accept_query` has checked."""
    query: Query = request.scope[_QUERY]
    return query


def _parse_query(request: Request) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            request.scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_QUERY_FIELDS,
        )
    except ValueError as fault:
        raise Invalid("query string", "is not valid percent-encoded UTF-8") from fault


def read_number(text: str | None, default: int, *, least: int, most: int) -> int:
    """Read a whole number and clamp it to its bounds; junk counts as missing."""
    if text is None or not _INTEGER.fullmatch(text.strip()):
        return default
    return min(max(int(text), least), most)


def convert_number(value: object, default: int, *, least: int, most: int) -> int:
    """Read a number of a JSON body, a whole number or its text, and clamp it to its bounds."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return default
    return read_number(str(value), default, least=least, most=most)


def read_time(text: str | None) -> int | None:
    """Read a time in epoch ms; junk counts as missing."""
    if text is None or not _INTEGER.fullmatch(text.strip()):
        return None
    return min(max(int(text), 0), INT64)


def read_flag(query: Query, name: str) -> bool:
    """Read `true` or `false`, false if missing; raises Invalid for anything else."""
    text = query.get(name)
    if text is None:
        return False
    if text not in {"true", "false"}:
        raise Invalid(name, "expected true or false")
    return text == "true"


def read_texts(field: str, values: list[str]) -> list[str] | None:
    """Read the texts of a repeated field; a text that starts with `[` is a JSON array of them.

    None if all are empty. Raises Invalid for an array of anything else.
    """
    texts: list[str] = []
    for value in values:
        if not value.startswith("["):
            texts += [value] if value else []
            continue
        try:
            texts += msgspec.json.decode(value, type=list[str])
        except msgspec.MsgspecError as fault:
            raise Invalid(field, "expected texts, or a JSON array of them") from fault
    return texts or None


def parse_uuid(text: str) -> UUID | None:
    """Parse a UUID; None for other text."""
    return UUID(text) if _UUID.fullmatch(text) else None


def require_uuid(text: str, fault: Exception) -> UUID:
    """Parse the UUID in a path; raises `fault` for other text."""
    if (value := parse_uuid(text)) is None:
        raise fault
    return value
