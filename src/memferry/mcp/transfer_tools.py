"""The tools that move many memories: export and import, and how far one has come."""

from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec

from memferry.client import AsyncClient
from memferry.client.input_files import Input, InputFile
from memferry.errors import ImportNotCompleted, Invalid
from memferry.formats import FORMATS
from memferry.mcp.answers import show_piece, show_time
from memferry.mcp.memory_tools import check_offset
from memferry.mcp.tool import FilterTool, Metadata, Tool
from memferry.sources import SOURCES
from memferry.wire.exports import ExportAnswer
from memferry.wire.imports import ImportAnswer
from memferry.wire.schema import Json, describe

_WAIT_SECONDS = 20.0
"""So long an import is waited for; a larger one goes on by itself."""
_SHOWN_RECORDS = 20
_Offset = Annotated[int, describe("next_offset of the piece before; 0: the beginning", minimum=0)]


class ExportMemories(FilterTool, frozen=True, kw_only=True):
    """Start an export of all memories that match the filters; without any, of all memories.

    A small one is answered at once, its text in pieces. A large one is written in the background:
    get_export says when its download link is there. Do not read an export to answer a question.
    """

    name, title = "export_memories", "Export memories"

    format: Annotated[str, describe("of the file", enum=list(FORMATS))] = "ndjson"

    async def run(self, client: AsyncClient) -> Json:
        """Start it."""
        export = await client.exports.create(format=self.format, **self.filters)
        return _show_export(export.answer, 0)


class GetExport(Tool, frozen=True, kw_only=True):
    """Ask how far an export is; if it is completed, read its text in pieces or get its link.

    The link is valid for 15 minutes: give it to the user, with the SHA-256. `memferry export --id`
    downloads and verifies it.
    """

    name, title, reads = "get_export", "Get an export", True

    id: Annotated[str, describe("the id that export_memories answered")]
    offset: _Offset = 0

    async def run(self, client: AsyncClient) -> Json:
        """Look it up."""
        offset = check_offset(self.offset)
        export = await client.exports.get(self.id)
        return _show_export(export.answer, offset)


class ImportMemories(Tool, frozen=True, kw_only=True):
    """Import many memories at once, from rows or from the text of a file.

    Its kind is recognised: rows, NDJSON, CSV, Markdown notes, exports of other assistants, or a
    list that a user has pasted. Try `dry_run` first, show the user the report, then import.
    """

    name, title, destroys = "import_memories", "Import memories", True

    rows: Annotated[
        list[Metadata] | None,
        describe("memories: objects with content and, if wanted, namespace, tags, metadata"),
    ] = None
    text: Annotated[str | None, describe("the text of a file, instead of rows")] = None
    format: Annotated[
        str | None,
        describe(
            "only if it is not recognised; `paste` for a short list", enum=[*SOURCES.names, None]
        ),
    ] = None
    namespace: Annotated[str | None, describe("where all go; else where they were")] = None
    tags: Annotated[list[str] | None, describe("added to each")] = None
    conflict: Annotated[
        str,
        describe("for a memory that is there and differs", enum=["skip", "overwrite", "new_ids"]),
    ] = "skip"
    on_error: Annotated[
        str,
        describe(
            "what one bad record does: nothing is imported, or the others are",
            enum=["abort", "skip"],
        ),
    ] = "abort"
    dry_run: Annotated[bool, describe("only report what would be")] = False

    async def run(self, client: AsyncClient) -> Json:
        """Send it, and wait for its end for a moment."""
        options: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("format", "namespace", "tags", "conflict", "on_error", "dry_run")
        }
        file = TextFile("", Path(), text=self._encode())
        job = await client.imports.send(Input([file]), **options)
        with suppress(ImportNotCompleted):  # what is shown of it says why
            await job.wait(timeout=_WAIT_SECONDS)
        return _show_import(job.answer)

    def _encode(self) -> bytes:
        """The bytes of the file; raises Invalid unless it is given once."""
        if self.rows is not None and self.text is None:
            return b"".join(msgspec.json.encode(row) + b"\n" for row in self.rows)
        if self.text is not None and self.rows is None:
            return self.text.encode()
        raise Invalid("text", "give either rows or text")


class GetImport(Tool, frozen=True, kw_only=True):
    """Ask how far an import is, and what became of its records."""

    name, title, reads = "get_import", "Get an import", True

    id: Annotated[str, describe("the id that import_memories answered")]

    async def run(self, client: AsyncClient) -> Json:
        """Look it up."""
        return _show_import((await client.imports.get(self.id)).answer)


@dataclass(frozen=True)
class TextFile(InputFile):
    """A file of an import that is no file: the text that a model sent."""

    text: bytes = b""

    def open(self) -> BinaryIO:
        """Open it."""
        return BytesIO(self.text)

    @property
    def size_bytes(self) -> int:
        """Its size."""
        return len(self.text)


def _show_export(export: ExportAnswer, offset: int) -> Json:
    fields = {
        "id": export.id,
        "status": export.status,
        "format": export.format,
        "rows": export.row_count,
        "error": export.error,
        "progress": export.progress if export.payload is None else None,
        "sha256": export.sha256,
        "download_url": export.download_url,
        "expires_at": None if export.expires_at is None else show_time(export.expires_at),
    }
    shown = {name: value for name, value in fields.items() if value is not None}
    return shown if export.payload is None else {**shown, **show_piece(export.payload, offset)}


def _show_import(job: ImportAnswer) -> Json:
    shown: Json = {"id": job.id, "status": job.status, "dry_run": job.options.dry_run}
    if job.error is not None:
        shown["error"] = job.error
    if job.report is not None:
        report = msgspec.to_builtins(job.report)
        for name in ("rejections", "repairs"):
            report[name] = report[name][:_SHOWN_RECORDS]
        shown["report"] = {name: value for name, value in report.items() if value not in ([], {})}
    return shown
