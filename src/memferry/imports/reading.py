"""Reading a file in a thread: its records come as lines for COPY, a bounded number ahead."""

import asyncio
import threading
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from pathlib import Path
from typing import Self

from memferry.cancellation import finish_uncancelled
from memferry.errors import Invalid, LeaseLost, NamespaceForbidden, TooLarge, UnknownInput
from memferry.imports.report import ReportWriter
from memferry.imports.request import ImportRequest
from memferry.imports.rows import RowMaker
from memferry.model.job import JobProgress
from memferry.sources import SOURCES, open_bundle
from memferry.sources.base import Bundle, Place, Record, Source

Files = Sequence[tuple[str, Path]]
"""The names of files, and where they lie."""
_CHUNK_BYTES = 1024 * 1024
_CHUNKS_AHEAD = 4


class Reading:
    """A context manager that reads one file; `report` says what became of what is no line.

    Leaving it stops the thread and waits for its end.
    """

    def __init__(
        self,
        files: Files,
        directory: Path,
        request: ImportRequest,
        namespaces: Collection[str] | None,
    ) -> None:
        """The directory takes what is unpacked; the namespaces are the limit of the token."""
        self._files = files
        self._directory = directory
        self._request = request
        self._namespaces = namespaces
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._room = threading.Semaphore(_CHUNKS_AHEAD)
        self._stopped = False
        self._size_bytes = 0
        self._rows = 0
        self._makers = list[RowMaker]()
        self.report = ReportWriter(self._check)

    async def __aenter__(self) -> Self:
        self._thread = self._loop.run_in_executor(None, self._read)
        self._thread.add_done_callback(lambda _done: self._chunks.put_nowait(None))
        return self

    async def __aexit__(self, *_fault: object) -> None:
        self._stopped = True
        self._room.release()
        await finish_uncancelled(self._thread)

    @property
    def progress(self) -> JobProgress:
        """How many records were read, and the bytes of their lines."""
        return JobProgress(self.report.read, self._size_bytes)

    @property
    def has_histories(self) -> bool:
        """Whether any record brought a history."""
        return any(maker.has_histories for maker in self._makers)

    @property
    def is_refused(self) -> bool:
        """Whether a record was rejected, and all or none were asked for."""
        return self._request.on_error == "abort" and self.report.rejected > 0

    @property
    def is_fruitless(self) -> bool:
        """Whether records were read, and each was rejected."""
        return 0 < self.report.read == self.report.rejected

    async def iterate_chunks(self) -> AsyncIterator[bytes]:
        """Yield whole lines; raises UnknownInput for a file that no source reads."""
        while (chunk := await self._chunks.get()) is not None:
            self._room.release()
            yield chunk
        await self._thread

    def _check(self) -> None:
        if self._stopped:
            raise LeaseLost

    def _read(self) -> None:
        """Read the whole file, in the thread."""
        try:
            with open_bundle(self._files, self._directory) as bundle:
                self._read_bundle(bundle)
        except Invalid as fault:
            raise UnknownInput(str(fault)) from fault

    def _read_bundle(self, bundle: Bundle) -> None:
        for source, members in SOURCES.assign(bundle, self.report, self._request.format):
            self.report.sources.append(source.name)
            self.report.files += len(members.members)
            self._read_members(source, members)

    def _read_members(self, source: Source, bundle: Bundle) -> None:
        maker = RowMaker(self._request, source.name, self._namespaces)
        self._makers.append(maker)
        try:
            records = source.read(bundle, self._request.read_options, self.report)
            self._send_lines(records, maker)
        except Invalid as fault:
            # What came before is good; whether it is kept is for the caller to say.
            self.report.reject(Place("", ""), f"cannot be read further: {fault}")

    def _send_lines(self, records: Iterable[Record], maker: RowMaker) -> None:
        lines, size = list[bytes](), 0
        for record in records:
            self._check()
            line = self._make_line(record, maker)
            lines.append(line)
            size += len(line)
            if size >= _CHUNK_BYTES:
                self._send(b"".join(lines))
                lines, size = [], 0
        self._send(b"".join(lines))

    def _make_line(self, record: Record, maker: RowMaker) -> bytes:
        """Make the line of a record; nothing of one that is rejected, or of no use any more."""
        if maker.has_expired(record):
            self.report.leave_out("expired")
            return b""
        try:
            line = maker.make_line(record, self._rows)
        except (Invalid, TooLarge, NamespaceForbidden) as fault:
            self.report.reject(record.place, str(fault))
            return b""
        self.report.read += 1
        self._rows += 1
        self._size_bytes += len(line)
        return b"" if self.is_refused else line

    def _send(self, chunk: bytes) -> None:
        """Hand lines over; waits while too many are ahead."""
        self._room.acquire()
        self._check()
        self._loop.call_soon_threadsafe(self._chunks.put_nowait, chunk)
