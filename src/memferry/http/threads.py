"""The endpoint of threads: the pieces of one conversation or document."""

from decimal import Decimal
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from memferry.http.answers import answer_rows
from memferry.http.auth import Access
from memferry.http.paging import CURSOR, Pages, link_next
from memferry.http.parameters import query_field
from memferry.http.reading import get_caller, parse_uuid, read_number, read_query
from memferry.http.routing import Operation
from memferry.http.views import answer_json
from memferry.memories.service import Memories
from memferry.model.cursor import TimeMs
from memferry.wire.memories import Thread

_ROWS = 10_000
_ORDER = (Decimal, TimeMs, UUID)
_QUERY = (
    query_field("limit", "integer", "10,000 unless given, held within 1 to 10,000"),
    CURSOR,
)


class ThreadEndpoints:
    """Everything below /api/threads."""

    def __init__(self, memories: Memories) -> None:
        self._memories = memories

    def operations(self) -> list[Operation]:
        """The one address."""
        return [
            Operation(
                "GET /api/threads/{reference:any_text}", self.get_thread, Thread,
                tag="memories", parameters=_QUERY, access=Access(("memories:read",)),
            )
        ]  # fmt: skip

    async def get_thread(self, request: Request, reference: str) -> Response:
        """The pieces of one conversation or document, in order; or one memory, by its id.

        While more are left, `next_cursor` and the header `Link` lead to the next page.
        """
        query, pages = read_query(request), Pages(("thread", reference), _ORDER)
        limit = read_number(query.get("limit"), _ROWS, least=1, most=_ROWS)
        place = pages.read_place(query)
        if "\x00" in reference:  # no row holds it, and PostgreSQL could not even be asked
            return answer_json(Thread(parent_ref=reference, chunks=[]))
        rows = await self._memories.list_thread(
            get_caller(request), reference, parse_uuid(reference), limit=limit + 1, place=place
        )
        places = [
            (record["position"], record["created_at"], record["id"]) for record in rows.records
        ]
        cursor = pages.make_cursor(places, limit)
        head = b'{"parent_ref":%b,"chunks":[' % msgspec.json.encode(reference)
        more = b',"next_cursor":%b' % msgspec.json.encode(cursor) if cursor else b""
        return await answer_rows(
            request,
            rows.take_first(limit),
            [(head, limit)],
            b"]%b}" % more,
            link_next(request, cursor),
        )
