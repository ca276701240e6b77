"""The endpoint of namespaces."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from memferry.http.answers import answer_pieces
from memferry.http.auth import Access
from memferry.http.paging import CURSOR, Pages, link_next
from memferry.http.parameters import query_field
from memferry.http.reading import get_caller, read_number, read_query
from memferry.http.routing import Operation
from memferry.memories.service import Memories
from memferry.model.cursor import BackwardsMs, Name
from memferry.wire.memories import NamespaceCount

_ROWS = 10_000
_PAGES = Pages(("namespaces",), (BackwardsMs, Name))
_QUERY = (
    query_field("limit", "integer", "10,000 unless given, held within 1 to 10,000"),
    CURSOR,
)


class NamespaceEndpoints:
    """Everything below /api/namespaces."""

    def __init__(self, memories: Memories) -> None:
        self._memories = memories

    def operations(self) -> list[Operation]:
        """The one address."""
        return [
            Operation(
                "GET /api/namespaces", self.list_namespaces, list[NamespaceCount],
                tag="memories", parameters=_QUERY, access=Access(("memories:read",)),
            )
        ]  # fmt: skip

    async def list_namespaces(self, request: Request) -> Response:
        """Every namespace with its number of memories, newest first.

        While more are left, the header `Link` names the next page (`rel="next"`).
        """
        query = read_query(request)
        limit = read_number(query.get("limit"), _ROWS, least=1, most=_ROWS)
        namespaces = await self._memories.list_namespaces(
            get_caller(request), limit=limit + 1, place=_PAGES.read_place(query)
        )
        places = [(-namespace["last_updated"], namespace["name"]) for namespace in namespaces]
        link = link_next(request, _PAGES.make_cursor(places, limit))
        return await answer_pieces(request, [msgspec.json.encode(namespaces[:limit])], headers=link)
