"""The endpoints of threads: conversations and documents, and the pieces of one."""

from decimal import Decimal
from functools import partial
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from memferry.filters import Selection
from memferry.filters.checks import keep_given
from memferry.filters.namespace import Namespace
from memferry.http.answers import answer_pieces, answer_rows
from memferry.http.auth import Access
from memferry.http.paging import CURSOR, Pages, link_next
from memferry.http.parameters import query_field
from memferry.http.reading import INT64, get_caller, parse_uuid, read_number, read_query
from memferry.http.routing import Operation
from memferry.http.views import answer_json
from memferry.memories.lists import MemoryLists
from memferry.memories.service import Memories
from memferry.model.cursor import BackwardsMs, Name, Text, TimeMs
from memferry.wire.memories import Thread, ThreadSummary

_ROWS = 10_000
THREAD_ORDER = (Decimal, TimeMs, UUID)
"""What the memories of a thread are ordered by."""
THREADS_ORDER = (BackwardsMs, Text, Name)
"""What threads are ordered by."""
_QUERY = (
    query_field("limit", "integer", "10,000 unless given, held within 1 to 10,000"),
    CURSOR,
)
_LIST_QUERY = (
    query_field("namespace", "string", "only threads of this namespace"),
    query_field("limit", "integer", "100 unless given, held within 1 to 500"),
    query_field("offset", "integer", "how many threads to pass over; 0 unless given"),
    CURSOR,
)
_operation = partial(Operation, tag="memories", access=Access(("memories:read",)))


class ThreadEndpoints:
    """Everything below /api/threads."""

    def __init__(self, memories: Memories, lists: MemoryLists) -> None:
        self._memories = memories
        self._lists = lists

    def operations(self) -> list[Operation]:
        """Both addresses."""
        return [
            _operation(
                "GET /api/threads", self.list_threads, list[ThreadSummary], parameters=_LIST_QUERY
            ),
            _operation(
                "GET /api/threads/{reference:any_text}", self.get_thread, Thread, parameters=_QUERY
            ),
        ]

    async def list_threads(self, request: Request) -> Response:
        """Conversations and documents, the one with the latest memory first.

        A memory without `metadata.parent_ref` is a thread of one, by its id. While more are left,
        the header `Link` names the next page (`rel="next"`).
        """
        query = read_query(request)
        limit = read_number(query.get("limit"), 100, least=1, most=500)
        offset = read_number(query.get("offset"), 0, least=0, most=INT64)
        selection = Selection.for_scan(keep_given({Namespace: query.get("namespace") or None}))
        pages = Pages(("threads", *selection.listing), THREADS_ORDER)
        threads = await self._lists.list_threads(
            get_caller(request), selection,
            limit=limit + 1, offset=offset, place=pages.read_place(query),
        )  # fmt: skip
        places = [(-row["last_at"], row["parent_ref"], row["namespace"]) for row in threads]
        link = link_next(request, pages.make_cursor(places, limit))
        return await answer_pieces(request, [msgspec.json.encode(threads[:limit])], headers=link)

    async def get_thread(self, request: Request, reference: str) -> Response:
        """The pieces of one conversation or document, in order; or one memory, by its id.

        While more are left, `next_cursor` and the header `Link` lead to the next page.
        """
        query, pages = read_query(request), Pages(("thread", reference), THREAD_ORDER)
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
