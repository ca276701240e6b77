"""The list of memories: search as one types, filters, and what is done with many at once."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from memferry.erasure.memories import MemoryErasure
from memferry.errors import Invalid
from memferry.exports.request import ExportRequest
from memferry.exports.service import Exports
from memferry.http.bodies import hold_memory
from memferry.http.parameters import query_field
from memferry.http.reading import Query, get_caller, parse_uuid, read_query
from memferry.http.search import (
    SearchEndpoints,
    SearchPage,
    read_prefix,
    read_selection,
    read_words,
)
from memferry.memories.ranking import Ranking
from memferry.memories.service import Memories
from memferry.model.token import Caller
from memferry.page.export_builder import lead_to_export
from memferry.page.forms import SentForm, read_form
from memferry.page.memory_query import FIELDS, MemoryQuery
from memferry.page.navigation import CREATE_EXPORTS, READ, WRITE
from memferry.page.rows import Excerpt, read_excerpts
from memferry.page.screens import Screen, find_part, redirect
from memferry.page.templates import Templates, find_back
from memferry.wire.batches import BATCH_DELETIONS

PAGE_ROWS = 50
_COUNTED = 1_000
"""Up to so many results are counted; of all memories the number is kept."""
_COUNTED_HITS = 2_048
"""From so many on the number of rows with a word is an estimate."""
_DONE = query_field("done", "string", "what was done before")
_NUMBER = query_field("number", "integer", "to how many memories")
_PURGED = query_field("purged", "integer", "how many exports lost their bytes")


@dataclass(frozen=True, kw_only=True)
class Results:
    """One page of results; `milliseconds` is the time that it took to find and count them."""

    rows: Sequence[Excerpt]
    next: MemoryQuery | None
    count: "Count | None"
    """None on later pages."""
    milliseconds: int


@dataclass(frozen=True)
class Count:
    """How many results there are: exactly so many, about so many, or more than so many."""

    number: int
    precision: Literal["exact", "about", "more"] = "exact"


class MemoryListScreens:
    """The list of memories."""

    def __init__(
        self,
        templates: Templates,
        memories: Memories,
        erasure: MemoryErasure,
        exports: Exports,
    ) -> None:
        self._exports = exports
        self._templates = templates
        self._memories = memories
        self._erasure = erasure
        self._search = SearchEndpoints(memories)

    def screens(self) -> list[Screen]:
        """All addresses of the list."""
        return [
            Screen("GET /memories", self.show_list, READ, (*FIELDS, _DONE, _NUMBER, _PURGED)),
            Screen("GET /memories/namespaces", self.suggest_namespaces, READ, (FIELDS[1],)),
            Screen("POST /memories/delete", self.delete_many, WRITE),
            Screen("POST /memories/export", self.export_many, CREATE_EXPORTS),
        ]

    async def show_list(self, request: Request) -> Response:
        """One page of the memories that a query finds."""
        query, fault = MemoryQuery.read(read_query(request)), None
        try:
            results = await self._find(request, query)
        except Invalid as invalid:
            # What is being typed may not be whole yet: the form stays, and says what is missing.
            results, fault = None, invalid
        name = "memory_results.html" if find_part(request) == "results" else "memories.html"
        return self._templates.answer(
            request,
            name,
            status=200 if fault is None or find_part(request) else 400,
            query=query,
            results=results,
            fault=fault,
            twin=None if fault else query.write_twin(),
            done=_describe_deed(request),
            may_export=CREATE_EXPORTS.allows(get_caller(request)),
            may_write=WRITE.allows(get_caller(request)),
        )

    async def _find(self, request: Request, query: MemoryQuery) -> Results:
        caller, api, start = get_caller(request), query.write_api_query(), time.perf_counter()
        page = await self._search.read_page(caller, api, PAGE_ROWS)
        count = None if query.cursor else await self._count(caller, api, page)
        seconds = time.perf_counter() - start
        return Results(
            rows=await read_excerpts(request, page.rows, query.words),
            next=query.turn_page(page.cursor) if page.cursor else None,
            count=count,
            milliseconds=round(seconds * 1000),
        )

    async def _count(self, caller: Caller, api: Query, page: SearchPage) -> Count:
        """Count the results: for nothing where the first page or the ranking tells."""
        if page.cursor is None:
            return Count(len(page.rows.records))
        selection = read_selection(api)
        if page.ranking and not selection.conditions and caller.namespaces is None:
            return _read_count(page.ranking)
        number = await self._memories.count(
            caller, read_words(api), selection, most=_COUNTED + 1, is_prefix=read_prefix(api)
        )
        is_cut = number > _COUNTED and bool(read_words(api) or selection.conditions)
        return Count(_COUNTED, "more") if is_cut else Count(number)

    async def suggest_namespaces(self, request: Request) -> Response:
        """Namespaces whose names hold a text, as options of a field."""
        text = read_query(request).get("namespace") or ""
        names = await self._memories.find_namespaces(get_caller(request), text, limit=20)
        return self._templates.answer(request, "namespace_options.html", names=names)

    async def export_many(self, request: Request) -> Response:
        """Export the selected memories as JSON."""
        ids = _read_selected(await read_form(request))
        body = msgspec.json.encode({"format": "json", "ids": ids})
        hold = partial(hold_memory, request)
        export = await self._exports.create(
            get_caller(request), ExportRequest.parse(body), None, hold=hold
        )
        return lead_to_export(export)

    async def delete_many(self, request: Request) -> Response:
        """Ask whether to delete the selected memories; delete them once that is confirmed."""
        form = await read_form(request)
        ids = _read_selected(form)
        if not form.has("confirmed"):
            return self._templates.answer(
                request, "memories_delete.html", ids=ids, back=find_back(request)
            )
        deletion = await self._erasure.delete_many(
            get_caller(request), ids, purge=form.has("purge")
        )
        return redirect(tell_deletion(len(deletion.ids), deletion.purged))


def _read_selected(form: SentForm) -> list[UUID]:
    """The ids of the selected memories; raises Invalid for none, and for too many."""
    ids = {memory_id for text in form.all("id") if (memory_id := parse_uuid(text))}
    if not ids:
        raise Invalid("selection", "is empty; select memories first")
    if len(ids) > BATCH_DELETIONS:
        raise Invalid("selection", f"more than {BATCH_DELETIONS} memories")
    return sorted(ids)


def _read_count(ranking: Ranking) -> Count:
    """How many rows hold any word of a search: at least those with the most common word."""
    number = max(ranking.counts)
    if len(ranking.counts) > 1:
        return Count(number, "more")
    return Count(number, "about" if number >= _COUNTED_HITS else "exact")


def tell_deletion(number: int, purged: int | None) -> str:
    """The address of the list, which tells how many memories were deleted."""
    return f"/memories?done=deleted&number={number}" + (
        "" if purged is None else f"&purged={purged}"
    )


def _describe_deed(request: Request) -> tuple[int, int | None] | None:
    """How many memories were deleted, and how many exports lost their bytes."""
    query = read_query(request)
    number, purged = query.get("number") or "", query.get("purged") or ""
    if query.get("done") != "deleted" or not number.isdecimal():
        return None
    return int(number[:6]), int(purged[:6]) if purged.isdecimal() else None
