"""Threads: conversations and documents, and the memories of one in their order."""

from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from memferry.filters import Selection
from memferry.filters.checks import keep_given
from memferry.filters.namespace import Namespace
from memferry.http.paging import CURSOR, Pages
from memferry.http.parameters import query_field
from memferry.http.reading import get_caller, parse_uuid, read_query
from memferry.http.threads import THREAD_ORDER, THREADS_ORDER
from memferry.memories.lists import MemoryLists
from memferry.memories.service import Memories
from memferry.model.json_text import decode_plain
from memferry.page.navigation import READ
from memferry.page.rows import ShownMemory, read_contents
from memferry.page.screens import Screen
from memferry.page.templates import Templates
from memferry.page.twins import write_twin

_THREADS = 50
_CHUNKS = 100
# A speaker is told by one of these members of the metadata.
_SPEAKERS = ("role", "speaker", "author", "name")


class ThreadScreens:
    """Everything below /threads."""

    def __init__(self, templates: Templates, memories: Memories, lists: MemoryLists) -> None:
        self._templates = templates
        self._memories = memories
        self._lists = lists

    def screens(self) -> list[Screen]:
        """Both addresses."""
        namespace = query_field("namespace", "string", "only threads of this namespace")
        return [
            Screen("GET /threads", self.list_threads, READ, (namespace, CURSOR)),
            Screen("GET /threads/{reference:any_text}", self.show_thread, READ, (CURSOR,)),
        ]

    async def list_threads(self, request: Request) -> Response:
        """The threads, the one with the latest memory first."""
        query = read_query(request)
        namespace = query.get("namespace") or ""
        selection = Selection.for_scan(keep_given({Namespace: namespace or None}))
        pages = Pages(("threads", *selection.listing), THREADS_ORDER)
        threads = await self._lists.list_threads(
            get_caller(request), selection, limit=_THREADS + 1, place=pages.read_place(query)
        )
        places = [(-row["last_at"], row["parent_ref"], row["namespace"]) for row in threads]
        fields = {"namespace": namespace} if namespace else {}
        return self._templates.answer(
            request,
            "threads.html",
            threads=threads[:_THREADS],
            namespace=namespace,
            is_first=not query.get("cursor"),
            next=_write_next("/threads", fields, pages.make_cursor(places, _THREADS)),
            twin=write_twin("/threads", **fields, limit=_THREADS, cursor=query.get("cursor")),
        )

    async def show_thread(self, request: Request, reference: str) -> Response:
        """The memories of a thread in their order, as a conversation."""
        query, pages = read_query(request), Pages(("thread", reference), THREAD_ORDER)
        rows = await self._memories.list_thread(
            get_caller(request),
            reference,
            parse_uuid(reference),
            limit=_CHUNKS + 1,
            place=pages.read_place(query),
        )
        places = [
            (record["position"], record["created_at"], record["id"]) for record in rows.records
        ]
        path = f"/threads/{quote(reference, safe='')}"
        memories = await read_contents(request, rows.take_first(_CHUNKS))
        return self._templates.answer(
            request,
            "thread.html",
            status=200 if memories else 404,
            reference=reference,
            chunks=[(row, find_speaker(row)) for row in memories],
            is_first=not query.get("cursor"),
            next=_write_next(path, {}, pages.make_cursor(places, _CHUNKS)),
            twin=write_twin(path, limit=_CHUNKS, cursor=query.get("cursor")),
        )


def find_speaker(row: ShownMemory) -> str:
    """Who says a memory of a conversation: by its metadata, else its source."""
    members = decode_plain(row.metadata_text.encode()) if row.metadata_text else {}
    names = (members.get(name) for name in _SPEAKERS)
    return next((name for name in names if isinstance(name, str) and name), row.source)


def _write_next(path: str, fields: dict[str, str], cursor: str | None) -> str | None:
    return _write_address(path, fields | {"cursor": cursor}) if cursor else None


def _write_address(path: str, fields: dict[str, str]) -> str:
    return path + (f"?{urlencode(fields)}" if fields else "")
