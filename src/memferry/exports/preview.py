"""The first bytes of an export, as it would be written now; none is made."""

from memferry.database.pool import Connection, Database
from memferry.exports.read.probe import probe
from memferry.exports.read.stream import open_inline_rows
from memferry.exports.request import ExportRequest
from memferry.formats import TextFormat
from memferry.model.export import Preview
from memferry.model.token import Caller

PREVIEW_BYTES = 16 * 1024


class Previews:
    """Reads the beginning of exports, and keeps nothing of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, caller: Caller, request: ExportRequest) -> Preview | None:
        """The first 16 KiB of the text that a file would hold; None for a binary format."""
        if not isinstance(request.format, TextFormat):
            return None
        try:
            async with self._database.tenant(caller, snapshot=True, heavy=True) as connection:
                return await _read_all(connection, caller, request)
        except _LongEnough as end:
            # A COPY that is left early takes its transaction with it.
            return end.preview


class _LongEnough(Exception):
    """More was read than a preview shows."""

    def __init__(self, preview: Preview) -> None:
        super().__init__()
        self.preview = preview


async def _read_all(connection: Connection, caller: Caller, request: ExportRequest) -> Preview:
    """Raises _LongEnough as soon as there is more than a preview shows."""
    rows_probe = await probe(connection, caller, request)
    async with open_inline_rows(connection, request, rows_probe) as stream:
        text = bytearray()
        async for block in stream:
            text += block
            if len(text) > PREVIEW_BYTES:
                raise _LongEnough(_cut(bytes(text)))
    return Preview(text=text.decode(), is_whole=True)


def _cut(text: bytes) -> Preview:
    """Cut between two characters."""
    return Preview(text=text[:PREVIEW_BYTES].decode("utf-8", "ignore"), is_whole=False)
