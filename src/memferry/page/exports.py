"""Exports: the list, one while it is made and afterwards, and its bytes."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from memferry.audit.service import Audit
from memferry.errors import DownloadNotFound, ExportNotFound, Invalid
from memferry.exports.hand_out.downloads import Downloads
from memferry.exports.service import Exports
from memferry.files.compress import CODECS
from memferry.files.kind import file_name
from memferry.files.manifest import manifest_name
from memferry.formats import FORMATS
from memferry.http.audit import ACCESS as AUDIT
from memferry.http.audit import AuditedDownload
from memferry.http.bodies import hold_memory
from memferry.http.exports import PAGES
from memferry.http.paging import CURSOR
from memferry.http.parameters import query_field
from memferry.http.reading import get_caller, read_number, read_query
from memferry.model.audit import Entry
from memferry.model.export import Export
from memferry.model.job import UNFINISHED
from memferry.model.token import Caller
from memferry.page.export_form import ExportForm, show_body
from memferry.page.field_names import show_choices
from memferry.page.forms import read_form
from memferry.page.navigation import CREATE_EXPORTS, READ_EXPORTS
from memferry.page.policy import SCREEN_HEADERS
from memferry.page.screens import Screen, find_part, redirect
from memferry.page.templates import Templates
from memferry.page.token_names import list_token_names, name_token
from memferry.page.twins import write_twin
from memferry.shares import Shares
from memferry.tenants.tokens import Tokens

_ROWS = 50
_DOWNLOADS = 50
_READY = query_field("ready", "string", "the download begins at once")
_DONE = query_field("done", "string", "what was done before")
_PART = query_field("part_number", "integer", "the number of a part")


@dataclass(frozen=True, kw_only=True)
class ShownExport:
    """An export with what a list says of it beside its row."""

    export: Export
    maker: str
    choices: Sequence[tuple[str, Markup]]
    """What was chosen, as pairs of a label and its value."""
    downloads: int | None = None
    """How often it was downloaded; None where the reader may not know."""

    @property
    def is_unfinished(self) -> bool:
        """Whether it is still being made."""
        return self.export.status in UNFINISHED

    @property
    def is_inline(self) -> bool:
        """Whether its bytes lie in the database."""
        return self.export.status == "completed" and self.export.object_key is None

    @property
    def can_change(self) -> bool:
        """Whether the form of exports can say all of its request."""
        return ExportForm.can_hold(show_body(self.export))

    @property
    def name(self) -> str:
        """The name of its file."""
        export = self.export
        codec = CODECS.get(export.options["compression"] or "")
        encrypted = export.options["encrypt_to"] is not None
        return file_name(export.id, FORMATS[export.format], codec, encrypted=encrypted)

    @property
    def verified_name(self) -> str:
        """What is named to be verified: of parts their manifest, which names them all."""
        return manifest_name(self.export.id) if self.export.parts else self.name


class ExportScreens:
    """Everything below /exports but the form of a new one."""

    def __init__(
        self,
        templates: Templates,
        exports: Exports,
        downloads: Downloads,
        tokens: Tokens,
        audit: Audit,
        memory: Shares,
    ) -> None:
        """`memory` is the shares of memory for requests, in bytes."""
        self._templates = templates
        self._exports = exports
        self._downloads = downloads
        self._tokens = tokens
        self._audit = audit
        self._memory = memory

    def screens(self) -> list[Screen]:
        """All addresses."""
        one = "/exports/{export_id}"
        return [
            Screen("GET /exports", self.list_exports, READ_EXPORTS, (CURSOR, _DONE)),
            Screen(f"GET {one}", self.show_export, READ_EXPORTS, (_READY,)),
            Screen(f"GET {one}/file", self.send_file, READ_EXPORTS, (_PART,)),
            Screen(f"POST {one}/delete", self.delete, CREATE_EXPORTS),
        ]

    async def list_exports(self, request: Request) -> Response:
        """The exports, newest first."""
        query, caller = read_query(request), get_caller(request)
        exports = await self._exports.list_newest(
            caller, limit=_ROWS + 1, place=PAGES.read_place(query)
        )
        cursor = PAGES.make_cursor([(export.created_at, export.id) for export in exports], _ROWS)
        rows = await self._describe(caller, exports[:_ROWS])
        return self._templates.answer(
            request,
            "export_list.html" if find_part(request) else "exports.html",
            rows=rows,
            is_first=not query.get("cursor"),
            here_cursor=query.get("cursor") or "",
            next=f"/exports?cursor={cursor}" if cursor else None,
            may_create=CREATE_EXPORTS.allows(caller),
            knows_downloads=AUDIT.allows(caller),
            done=query.get("done"),
            twin=write_twin("/memories/exports", limit=_ROWS, cursor=query.get("cursor")),
        )

    async def show_export(self, request: Request, export_id: str) -> Response:
        """One export: how far it is, or what it holds and how it can be verified."""
        caller = get_caller(request)
        export = await self._exports.get(caller, export_id, hold=partial(hold_memory, request))
        (row,) = await self._describe(caller, [export])
        readers = None
        if AUDIT.allows(caller):
            readers = await self._list_readers(caller, export)
        return self._templates.answer(
            request,
            "export_state.html" if find_part(request) else "export.html",
            row=row,
            export=row.export,
            readers=readers,
            is_ready=read_query(request).get("ready") is not None and row.is_inline,
            may_create=CREATE_EXPORTS.allows(caller),
            twin=write_twin(f"/memories/exports/{export.id}"),
        )

    async def send_file(self, request: Request, export_id: str) -> Response:
        """The bytes of an inline export, or a fresh link to a file."""
        caller = get_caller(request)
        number = read_number(read_query(request).get("part_number"), 1, least=1, most=2**31)
        try:
            export, content = await self._exports.read_payload(
                caller, export_id, hold=partial(hold_memory, request)
            )
        except ExportNotFound:
            return await self._lead_to_link(caller, export_id, number)
        return self._send(caller, export, content)

    async def _lead_to_link(self, caller: Caller, export_id: str, number: int) -> Response:
        export = await self._exports.get(caller, export_id)
        addresses = await self._downloads.list_addresses(caller, export)
        if number > len(addresses):
            raise DownloadNotFound(export.id)
        await self._audit.record(
            caller, Entry(event="link.minted", outcome="ok", subject=export.id)
        )
        return RedirectResponse(addresses[number - 1], 303, SCREEN_HEADERS)

    def _send(self, caller: Caller, export: Export, content: bytes) -> Response:
        format_ = FORMATS[export.format]
        name = file_name(export.id, format_, None, encrypted=False)
        headers = SCREEN_HEADERS | {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(len(content)),
        }
        return AuditedDownload(
            _iterate(content),
            200,
            headers,
            format_.media_type,
            audit=self._audit,
            reader=caller,
            export_id=export.id,
            held=self._memory.reserve(caller.tenant_id),
        )

    async def delete(self, request: Request, export_id: str) -> Response:
        """Cancel an export that is not finished; remove one that is."""
        form = await read_form(request)
        export = await self._exports.get(get_caller(request), export_id)
        if export.status in UNFINISHED:
            await self._exports.delete(get_caller(request), export_id)
            return redirect(f"/exports/{export.id}")
        if not form.has("sure"):
            raise Invalid("sure", "check the box, if the export is to be deleted")
        await self._exports.delete(get_caller(request), export_id)
        return redirect("/exports?done=deleted")

    async def _describe(self, caller: Caller, exports: Sequence[Export]) -> list[ShownExport]:
        makers = [export.token_id for export in exports]
        names, downloads = await list_token_names(self._tokens, caller, makers), None
        if AUDIT.allows(caller) and exports:
            downloads = await self._audit.count_downloads(
                caller,
                [export.id for export in exports],
                min(export.created_at for export in exports),
            )
        return [
            ShownExport(
                export=export,
                maker=name_token(caller, export.token_id, names),
                choices=list_choices(export),
                downloads=None if downloads is None else downloads.get(export.id, 0),
            )
            for export in exports
        ]

    async def _list_readers(
        self, caller: Caller, export: Export
    ) -> list[tuple[str, dict[str, object]]]:
        rows = await self._audit.list_downloads(
            caller, export.id, export.created_at, limit=_DOWNLOADS
        )
        names = await list_token_names(self._tokens, caller, [row["token_id"] for row in rows])
        return [
            (
                "a link" if row["token_id"] is None else name_token(caller, row["token_id"], names),
                dict(row),
            )
            for row in rows
        ]


def list_choices(export: Export) -> list[tuple[str, Markup]]:
    """What was chosen beside the format."""
    body = show_body(export)
    body.pop("format")
    return show_choices(body)


async def _iterate(content: bytes) -> AsyncIterator[bytes]:
    yield content
