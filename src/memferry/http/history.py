"""The endpoints of the history of a memory, and of the way back."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response

from memferry.errors import Invalid, MemoryNotFound
from memferry.http.answers import answer_pieces
from memferry.http.auth import Access
from memferry.http.bodies import read_body
from memferry.http.paging import CURSOR, Pages, link_next, show_cursor
from memferry.http.parameters import query_field
from memferry.http.reading import Query, get_caller, read_number, read_query, require_uuid
from memferry.http.routing import Operation
from memferry.memories.history import MemoryHistory
from memferry.model import strict_json
from memferry.model.cursor import Version
from memferry.wire.history import History, Restoration
from memferry.wire.memories import MemoryRow

_BODY_BYTES = 1024
_LATEST_VERSION = 2**31 - 2
_VERSION = re.compile("[1-9][0-9]{0,9}")
_QUERY = (
    query_field("limit", "integer", "100 unless given, held within 1 to 500"),
    CURSOR,
    query_field("version", "integer", "only the change that made this version, whole"),
)
_restoration = msgspec.json.Decoder(Restoration)
_operation = partial(Operation, tag="memories")


class HistoryEndpoints:
    """Shows the changes of a memory, and takes them back."""

    def __init__(self, history: MemoryHistory) -> None:
        self._history = history

    def operations(self) -> list[Operation]:
        """Both addresses."""
        one = "/api/memories/{memory_id}"
        return [
            _operation(
                f"GET {one}/history", self.list_history, History, errors=(404,),
                parameters=_QUERY, access=Access(("memories:read",)),
            ),
            _operation(
                f"POST {one}/restore", self.restore_memory, MemoryRow, errors=(404, 409, 413),
                body=Restoration, access=Access(("memories:write",)),
            ),
        ]  # fmt: skip

    async def list_history(self, request: Request, memory_id: str) -> Response:
        """The changes of a memory, oldest first; also of a deleted one, without former states.

        While more are left, `next_cursor` and the header `Link` lead to the next page.
        """
        id_, query = require_uuid(memory_id, MemoryNotFound()), read_query(request)
        version = _read_version(query)
        if version is not None:
            change = await self._history.get_change(get_caller(request), id_, version)
            return await _answer(request, id_, [change], None)
        limit = read_number(query.get("limit"), 100, least=1, most=500)
        pages = Pages(("history", str(id_)), (Version,))
        (after,) = pages.read_place(query) or (0,)
        changes = await self._history.list_changes(
            get_caller(request), id_, limit=limit + 1, after=after
        )
        cursor = pages.make_cursor([(change["version"],) for change in changes], limit)
        return await _answer(request, id_, changes[:limit], cursor)

    async def restore_memory(self, request: Request, memory_id: str) -> Response:
        """Give a memory the state that it had as a former version; a change like any other.

        The version that it has already changes nothing. The former versions of a deleted memory are
        gone: 409.
        """
        body = strict_json.decode(_restoration, await read_body(request, _BODY_BYTES) or b"{}")
        _check_version(body.version)
        row = await self._history.restore(
            get_caller(request), require_uuid(memory_id, MemoryNotFound()), body.version
        )
        return await answer_pieces(request, [row.encode()])


def _read_version(query: Query) -> int | None:
    """Read the version of a query; raises Invalid for what is none, and beside a cursor."""
    text = query.get("version")
    if text is None:
        return None
    if not _VERSION.fullmatch(text):
        raise Invalid("version", "expected a whole number above 0")
    if query.get("cursor"):
        raise Invalid("version", "goes without cursor")
    return _check_version(int(text))


def _check_version(version: int) -> int:
    if not 1 <= version <= _LATEST_VERSION:
        raise Invalid("version", f"expected 1 to {_LATEST_VERSION}")
    return version


async def _answer(
    request: Request, memory_id: UUID, changes: Sequence[asyncpg.Record], cursor: str | None
) -> Response:
    shown = {
        "memory_id": memory_id,
        "history": [_show(change) for change in changes],
        **show_cursor(cursor),
    }
    return await answer_pieces(
        request, [msgspec.json.encode(shown)], headers=link_next(request, cursor)
    )


def _show(change: asyncpg.Record) -> dict[str, Any]:
    former: str | None = change["former"]
    return {
        "version": change["version"],
        "at": change["changed_at"],
        "kind": change["kind"],
        "via": change["via"],
        "by_user": change["token_id"],
        "by_token": change["token_id"],
        "prev_content_len": change["prev_content_len"],
        "former_bytes": change["former_bytes"],
        "former": None if former is None else Raw(former.encode()),
    }
