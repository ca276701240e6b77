"""Downloads of completed exports: resumed where they broke off, verified at the end."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import httpx
import msgspec

from memferry.client.export_calls import get_export
from memferry.client.local_files import HashedFile, replace_when_whole
from memferry.client.progress import Progress, Report, ignore_progress
from memferry.client.steps import Flow, OpenFile, OpenStep, PauseStep, ReadStep, WorkStep
from memferry.errors import DownloadBroken, WrongDigest
from memferry.files.compress import CODECS
from memferry.wire.exports import ExportAnswer

_TRIES = 5
_WHOLE, _PART = httpx.codes.OK, httpx.codes.PARTIAL_CONTENT


def name_partial(target: Path, export_id: str) -> Path:
    """Where the bytes of a download stay until it is whole."""
    return target.with_name(f".{target.name}.{export_id}.partial")


def view_part(export: ExportAnswer, number: int | None) -> ExportAnswer:
    """An export as if it had one part alone; None: as it is."""
    if number is None or export.parts is None or number > len(export.parts):
        return export
    part = export.parts[number - 1]
    return msgspec.structs.replace(
        export,
        row_count=part.rows,
        bytes_done=part.bytes,
        sha256=part.sha256,
        file_bytes=part.file_bytes,
        file_sha256=part.file_sha256,
        download_url=part.download_url,
    )


def list_downloads(
    export: ExportAnswer, compression: str | None, report: Report = ignore_progress
) -> "list[Download]":
    """The downloads of all files of an export."""
    if export.parts is None:
        return [Download(export, compression, report=report)]
    numbers = range(1, len(export.parts) + 1)
    return [Download(view_part(export, number), compression, number, report) for number in numbers]


@dataclass(frozen=True)
class Download:
    """The file of a completed export, brought here by link or out of the payload.

    The service never compresses a payload: `compression` says how to pack one here.
    """

    export: ExportAnswer
    compression: str | None = None
    part: int | None = None
    """The number of the part that `export` is the view of, in an export that was split."""
    report: Report = ignore_progress

    def save(self, target: Path) -> Flow[None]:
        """Write the file, which appears only when it is whole and verified; its owner reads it.

        A download that breaks off leaves a partial file, and the next one resumes it. Raises
        DownloadBroken, WrongDigest (then no partial file stays), or Invalid, which names `output`.
        """
        partial_file = name_partial(target, self.export.id)
        try:
            with replace_when_whole(target, partial_file, "a+b") as file:
                hashed = HashedFile(file)
                yield WorkStep(hashed.read_back)
                yield from self._fetch(hashed)
                yield WorkStep(hashed.sync)
        except WrongDigest:
            with suppress(OSError):
                partial_file.unlink()
            raise

    def is_saved(self, target: Path) -> bool:
        """Whether the file is in its place, as it is downloaded."""
        if not target.exists() or target.stat().st_size != self.export.file_bytes:
            return False
        with target.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == self.export.file_sha256

    def write(self, stream: BinaryIO) -> Flow[None]:
        """Write the bytes to a stream; raises WrongDigest after them if they are not the export."""
        return self._fetch(HashedFile(stream))

    def open(self, start: int = 0) -> "DownloadReader":
        """Open the file to be read from byte `start` on."""
        return DownloadReader(self, start)

    def _fetch(self, file: HashedFile) -> Flow[None]:
        reader = self.open(file.size_bytes)
        while chunk := (yield from reader.read()):
            yield WorkStep(partial(file.write, chunk))
        yield WorkStep(file.flush)
        if file.sha256 != reader.sha256:
            raise WrongDigest


class DownloadReader:
    """Reads the bytes of one file of an export in their order, over any number of connections."""

    def __init__(self, download: Download, start: int) -> None:
        self._download = download
        self._export = download.export
        self._position = start
        self._tries = 0
        self._file: OpenFile | None = None
        self._data: bytes | None = None
        if self._export.payload is not None:
            self._data = _pack_payload(
                self._export, self._export.payload, self._download.compression
            )

    @property
    def sha256(self) -> str | None:
        """The promised digest of the whole file, in hex."""
        if self._data is not None:
            return hashlib.sha256(self._data).hexdigest()
        return self._download.export.file_sha256

    def read(self) -> Flow[bytes]:
        """Read the next bytes; none at the end.

        A broken connection is resumed by a fresh link. Raises DownloadBroken after five tries
        without a byte.
        """
        if self._data is not None:
            chunk, self._position = self._data[self._position :], len(self._data)
            return chunk
        total = self._export.file_bytes or 0
        while self._position < total:
            try:
                chunk = yield from self._read_chunk()
            except httpx.TransportError as fault:
                yield from self._resume(fault)
            else:
                self._tries, self._position = 0, self._position + len(chunk)
                self._download.report(Progress("downloading", self._position, total))
                return chunk
        self._download.report(Progress("downloading", self._position, total))
        return b""

    def _read_chunk(self) -> Flow[bytes]:
        if self._file is None:
            self._file = yield from self._open()
        chunk: bytes = yield ReadStep(self._file)
        if not chunk:
            raise httpx.ReadError("it ended before its end")
        return chunk

    def _open(self) -> Flow[OpenFile]:
        """Open the file where reading goes on."""
        export, start = self._export, self._position
        if export.download_url is None:
            raise DownloadBroken(f"export {export.id} is {export.status}: no file to download")
        file: OpenFile = yield OpenStep(export.download_url, start)
        if httpx.codes.is_server_error(file.status):
            raise httpx.ReadError(f"the download was answered with {file.status}")
        if file.status != (_PART if start else _WHOLE):
            raise DownloadBroken(f"the download was answered with {file.status}")
        return file

    def _resume(self, fault: httpx.TransportError) -> Flow[None]:
        self._file, self._tries = None, self._tries + 1
        if self._tries == _TRIES:
            raise DownloadBroken(f"the download broke off: {fault}") from fault
        yield PauseStep(self._tries - 1)
        export = yield from get_export(self._export.id)
        self._export = view_part(export, self._download.part)


def _pack_payload(export: ExportAnswer, payload: str, compression: str | None) -> bytes:
    """The payload as the file that was requested."""
    data = payload.encode()
    if hashlib.sha256(data).hexdigest() != export.sha256:
        raise WrongDigest
    if compression is None:
        return data
    compressor = CODECS[compression].start()
    return compressor.compress(data) + compressor.flush()
