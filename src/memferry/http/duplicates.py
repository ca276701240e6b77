"""The endpoint of duplicates: memories of equal content, which are reported and never removed."""

from starlette.requests import Request
from starlette.responses import Response

from memferry.filters import Selection
from memferry.filters.checks import keep_given
from memferry.filters.namespace import Namespace
from memferry.http.auth import Access
from memferry.http.paging import CURSOR, Pages, link_next, show_cursor
from memferry.http.parameters import query_field
from memferry.http.reading import get_caller, read_number, read_query
from memferry.http.routing import Operation
from memferry.http.views import answer_json
from memferry.memories.lists import MemoryLists
from memferry.model.cursor import Name, Text, TimeMs
from memferry.wire.lists import DuplicatePage

_QUERY = (
    query_field("namespace", "string", "only duplicates in this namespace"),
    query_field("limit", "integer", "50 unless given, held within 1 to 500"),
    CURSOR,
)


class DuplicateEndpoints:
    """Reports memories of equal content."""

    def __init__(self, lists: MemoryLists) -> None:
        self._lists = lists

    def operations(self) -> list[Operation]:
        """The one address."""
        return [
            Operation(
                "GET /api/memories/duplicates", self.list_duplicates, DuplicatePage,
                tag="memories", parameters=_QUERY, access=Access(("memories:read",)),
            )
        ]  # fmt: skip

    async def list_duplicates(self, request: Request) -> Response:
        """Memories of equal content in one namespace, as groups, the oldest first.

        While more are left, `next_cursor` and the header `Link` lead to the next page.
        """
        query = read_query(request)
        limit = read_number(query.get("limit"), 50, least=1, most=500)
        selection = Selection.for_scan(keep_given({Namespace: query.get("namespace") or None}))
        pages = Pages(("duplicates", *selection.listing), (TimeMs, Text, Name))
        groups = await self._lists.list_duplicates(
            get_caller(request), selection, limit=limit + 1, place=pages.read_place(query)
        )
        places = [(row["first_at"], row["sha256"], row["namespace"]) for row in groups]
        cursor = pages.make_cursor(places, limit)
        return answer_json(
            {"groups": groups[:limit], **show_cursor(cursor)}, headers=link_next(request, cursor)
        )
