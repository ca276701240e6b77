"""One export, first row to last byte: the path both inline and queued exports take."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from memferry.database.copy import CopyOut, copy_out
from memferry.database.pool import Connection
from memferry.database.sql import sql
from memferry.exports.request import ExportRequest
from memferry.formats import TextFormat


class ExportRun:
    """The bytes of an export as they come, and the tally of those already handed out."""

    def __init__(self, file_format: type[TextFormat], records: CopyOut) -> None:
        self._format = file_format
        self._records = records
        self._sha256 = hashlib.sha256()
        self.rows_done = 0
        self.bytes_done = 0

    @property
    def sha256(self) -> bytes:
        """Digest of the bytes so far; of the whole file once the iteration has ended."""
        return self._sha256.digest()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for rows, chunk in self._joined():
            # hashlib lets go of the interpreter lock; the event loop goes on meanwhile.
            await asyncio.to_thread(self._sha256.update, chunk)
            self.rows_done += rows
            self.bytes_done += len(chunk)
            yield chunk
        if self.rows_done != self._records.rows:
            raise AssertionError(f"{self.rows_done} rows found of {self._records.rows} copied")

    async def _joined(self) -> AsyncIterator[tuple[int, bytes]]:
        """Blocks with the number of rows that end in them; separators replace the record ends."""
        shape = self._format
        end, rest = shape.record_end, b""
        lead = shape.head + (shape.separator if shape.separates_head else b"")
        started = False
        async for block in self._records:
            data = rest + block if rest else block
            cut = data.rfind(end)
            if cut < 0:
                rest = data
                continue
            rest, data = data[cut + len(end) :], data[:cut]
            inner = data.count(end)
            body = data if end == shape.separator else data.replace(end, shape.separator)
            yield inner + 1, lead + body
            lead, started = shape.separator, True
        last = (shape.separator if shape.ends_with_separator else b"") if started else shape.head
        yield 0, last + shape.tail


@asynccontextmanager
async def running_export(
    connection: Connection, request: ExportRequest
) -> AsyncIterator[ExportRun]:
    """Start an export on a connection in a snapshot of the tenant; iterate it for its bytes.

    Leaving the context early stops the COPY on the server.
    """
    statement, arguments = request.selection.apply(sql("export_memories"))
    query = statement.replace("{columns}", request.format.columns)
    async with copy_out(connection, query, arguments, request.format.copy) as records:
        yield ExportRun(request.format, records)
