"""One memory: every field, its history, and changing or deleting it."""

import re
from uuid import UUID

import asyncpg
from starlette.requests import Request
from starlette.responses import Response

from memferry.erasure.memories import MemoryErasure
from memferry.errors import (
    Conflict,
    Forbidden,
    Invalid,
    LimitReached,
    MemferryError,
    MemoryChanged,
    MemoryNotFound,
    TooLarge,
)
from memferry.http.bodies import hold_memory
from memferry.http.errors import find_status
from memferry.http.parameters import query_field
from memferry.http.reading import get_caller, read_query, require_uuid
from memferry.memories.history import MemoryHistory
from memferry.memories.service import Memories
from memferry.memories.validation import check_change
from memferry.model.json_text import cut_members
from memferry.model.token import Caller
from memferry.page.forms import read_form
from memferry.page.memories import tell_deletion
from memferry.page.memory_changes import describe_changes
from memferry.page.memory_form import FORM_BYTES, FORM_COPIES, MemoryForm
from memferry.page.memory_query import MemoryQuery
from memferry.page.navigation import READ, WRITE
from memferry.page.rows import ShownMemory, decode_row
from memferry.page.screens import Screen, redirect
from memferry.page.templates import Templates
from memferry.page.token_names import list_token_names, name_token
from memferry.page.twins import write_twin
from memferry.tenants.tokens import Tokens

_READ_CHANGES = 500
_SHOWN_CHANGES = 20
_VERSION = re.compile("[1-9][0-9]{0,8}")
_DONE = query_field("done", "string", "what was done before")


class MemoryScreens:
    """One memory."""

    def __init__(
        self,
        templates: Templates,
        memories: Memories,
        history: MemoryHistory,
        erasure: MemoryErasure,
        tokens: Tokens,
    ) -> None:
        self._templates = templates
        self._tokens = tokens
        self._memories = memories
        self._history = history
        self._erasure = erasure

    def screens(self) -> list[Screen]:
        """All addresses of one memory."""
        one = "/memories/{memory_id}"
        return [
            Screen(f"GET {one}", self.show_memory, READ, (_DONE,)),
            Screen(f"GET {one}/edit", self.show_form, WRITE),
            Screen(f"POST {one}/edit", self.change_memory, WRITE),
            Screen(f"POST {one}/restore", self.restore_memory, WRITE),
            Screen(f"POST {one}/delete", self.delete_memory, WRITE),
        ]

    async def show_memory(self, request: Request, memory_id: str) -> Response:
        """Every field of a memory, and how it became what it is; of a deleted one its history."""
        id_, caller = require_uuid(memory_id, MemoryNotFound()), get_caller(request)
        changes = await self._list_latest(caller, id_)
        makers = [change["token_id"] for change in changes]
        names = await list_token_names(self._tokens, caller, makers)
        try:
            row = await self._read(request, id_)
        except MemoryNotFound:
            row = None
        members = cut_members(row.metadata_text.encode()) if row and row.metadata_text else ()
        return self._templates.answer(
            request,
            "memory.html" if row else "memory_gone.html",
            status=200 if row else 404,
            id=id_,
            row=row,
            everything=MemoryQuery(),
            members=[(name, value.decode()) for name, _, value in members],
            changes=describe_changes(changes, row),
            makers=[name_token(caller, maker, names) for maker in makers],
            twin=write_twin(f"/memories/{id_}" if row else f"/memories/{id_}/history"),
            done=read_query(request).get("done"),
            may_write=WRITE.allows(caller),
        )

    async def show_form(self, request: Request, memory_id: str) -> Response:
        """The form of a memory."""
        id_ = require_uuid(memory_id, MemoryNotFound())
        row = await self._read(request, id_)
        return self._answer_form(request, id_, MemoryForm.show(row), row)

    async def change_memory(self, request: Request, memory_id: str) -> Response:
        """Change what the form says otherwise; whatever was typed stays in the form until then."""
        id_ = require_uuid(memory_id, MemoryNotFound())
        form = MemoryForm.read(await read_form(request, limit_bytes=FORM_BYTES))
        row = await self._read(request, id_)
        try:
            if form.updated_at != str(row.updated_at):
                raise MemoryChanged
            if (change := form.compare(row)) is not None:
                await self._memories.change(get_caller(request), id_, check_change(change))
        except (Invalid, TooLarge, LimitReached, Forbidden, Conflict) as fault:
            return self._answer_form(request, id_, form, row, fault)
        return redirect(f"/memories/{id_}" + ("?done=changed" if change else ""))

    def _answer_form(
        self,
        request: Request,
        memory_id: UUID,
        form: MemoryForm,
        row: ShownMemory,
        fault: MemferryError | None = None,
    ) -> Response:
        return self._templates.answer(
            request,
            "memory_edit.html",
            status=200 if fault is None else find_status(type(fault)),
            id=memory_id,
            form=form,
            row=row,
            fault=fault,
            twin=write_twin(f"/memories/{memory_id}"),
        )

    async def restore_memory(self, request: Request, memory_id: str) -> Response:
        """Give a memory the state of a former version."""
        id_ = require_uuid(memory_id, MemoryNotFound())
        text = (await read_form(request)).get("version")
        if not _VERSION.fullmatch(text):
            raise Invalid("version", "expected a whole number above 0")
        await self._history.restore(get_caller(request), id_, int(text))
        return redirect(f"/memories/{id_}?done=restored")

    async def delete_memory(self, request: Request, memory_id: str) -> Response:
        """Delete a memory and, if asked, the stored exports that may hold it."""
        id_ = require_uuid(memory_id, MemoryNotFound())
        purge = (await read_form(request)).has("purge")
        purged = await self._erasure.delete(get_caller(request), id_, purge=purge)
        return redirect(tell_deletion(1, purged))

    async def _read(self, request: Request, memory_id: UUID) -> ShownMemory:
        text = await self._memories.get(get_caller(request), memory_id)
        await hold_memory(request, FORM_COPIES * len(text))
        return decode_row(text)

    async def _list_latest(self, caller: Caller, memory_id: UUID) -> list[asyncpg.Record]:
        """The latest changes, newest first; the log is read from its beginning."""
        latest: list[asyncpg.Record] = []
        after, more = 0, True
        while more:
            page = await self._history.list_changes(
                caller, memory_id, limit=_READ_CHANGES, after=after
            )
            latest = [*latest, *page][-_SHOWN_CHANGES:]
            more = len(page) == _READ_CHANGES
            after = page[-1]["version"] if page else after
        return latest[::-1]
