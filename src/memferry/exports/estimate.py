"""What an export would be like, without making one: how many rows and bytes, inline or queued."""

from memferry.database.pool import Connection, Database
from memferry.exports.creation import count_rows, may_be_payload
from memferry.exports.limits import ExportLimits
from memferry.exports.read.probe import probe
from memferry.exports.read.stream import RowStream, open_inline_rows, open_sample
from memferry.exports.request import ExportRequest
from memferry.model.export import INLINE_BYTES, INLINE_ROWS, Estimate
from memferry.model.token import Caller

SAMPLE_ROWS = 1_000
"""About so many rows of a large export are rendered."""


class Estimation:
    """Reads what decides about an export in one snapshot, and keeps nothing of it."""

    def __init__(self, database: Database, limits: ExportLimits) -> None:
        self._database = database
        self._limits = limits

    async def estimate(self, caller: Caller, request: ExportRequest) -> Estimate:
        """Rows are exact, bytes if an answer could hold them; raises ExportTooLarge."""
        try:
            async with self._database.tenant(caller, snapshot=True, heavy=True) as connection:
                return await self._measure(connection, caller, request)
        except _TooLargeToMeasure as fault:
            # A COPY that is left early takes its transaction with it.
            return fault.estimate

    async def _measure(
        self, connection: Connection, caller: Caller, request: ExportRequest
    ) -> Estimate:
        if may_be_payload(request):
            rows_probe = await probe(connection, caller, request)
            if rows_probe.rows <= INLINE_ROWS:
                async with open_inline_rows(connection, request, rows_probe) as stream:
                    await _read(stream, rows_probe.rows, request.payload_bytes)
                return Estimate(rows=rows_probe.rows, size_bytes=stream.bytes_done, inline=True)
        rows = await count_rows(connection, request)
        self._limits.check_rows(rows)
        async with open_sample(connection, request, rows // SAMPLE_ROWS) as stream:
            await _read(stream, rows, INLINE_BYTES)
        return _extrapolate(stream, rows)


class _TooLargeToMeasure(Exception):
    """The rows that were read have more bytes than an answer may hold."""

    def __init__(self, estimate: Estimate) -> None:
        super().__init__()
        self.estimate = estimate


async def _read(stream: RowStream, rows: int, most_bytes: int) -> None:
    """Raises _TooLargeToMeasure as soon as the bytes are more than an answer may hold."""
    async for _ in stream:
        if stream.bytes_done > most_bytes:
            raise _TooLargeToMeasure(_extrapolate(stream, rows))


def _extrapolate(stream: RowStream, rows: int) -> Estimate:
    """The size of so many rows that are like those in the stream."""
    fixed, read = stream.edge_bytes, stream.rows_done
    of_records = max(stream.bytes_done - fixed, 0) * rows // max(read, 1)
    return Estimate(
        rows=rows, size_bytes=fixed + of_records, inline=False, measured_rows=min(read, rows)
    )
