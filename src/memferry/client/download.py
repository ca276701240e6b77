"""Downloads of completed exports: resumed where they broke off, verified at the end."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx
import msgspec

from memferry.client.client import Client
from memferry.client.exports import Exports
from memferry.client.local_files import HashedFile, replace_when_whole
from memferry.client.progress import Progress
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
    exports: Exports, export: ExportAnswer, compression: str | None
) -> "list[Download]":
    """The downloads of all files of an export."""
    if export.parts is None:
        return [Download(exports, export, compression)]
    numbers = range(1, len(export.parts) + 1)
    return [Download(exports, view_part(export, number), compression, number) for number in numbers]


@dataclass(frozen=True)
class Download:
    """The file of a completed export, brought here by link or out of the payload.

    The service never compresses a payload: `compression` says how to pack one here.
    """

    exports: Exports
    export: ExportAnswer
    compression: str | None = None
    part: int | None = None
    """The number of the part that `export` is the view of, in an export that was split."""

    def save(self, target: Path) -> None:
        """Write the file, which appears only when it is whole and verified; its owner reads it.

        A download that breaks off leaves a partial file, and the next one resumes it. Raises
        DownloadBroken, WrongDigest (then no partial file stays), or Invalid, which names `output`.
        """
        partial = name_partial(target, self.export.id)
        try:
            with replace_when_whole(target, partial, "a+b") as file:
                hashed = HashedFile(file)
                hashed.read_back()
                self._fetch(hashed)
        except WrongDigest:
            with suppress(OSError):
                partial.unlink()
            raise

    def is_saved(self, target: Path) -> bool:
        """Whether the file is in its place, as it is downloaded."""
        if not target.exists() or target.stat().st_size != self.export.file_bytes:
            return False
        with target.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == self.export.file_sha256

    def write(self, stream: BinaryIO) -> None:
        """Write the bytes to a stream; raises WrongDigest after them if they are not the export."""
        self._fetch(HashedFile(stream))

    def _fetch(self, file: HashedFile) -> None:
        if self.export.payload is None:
            self._fetch_by_link(file)
            digest = self.export.file_sha256
        else:
            data = _pack_payload(self.export, self.export.payload, self.compression)
            file.write(data[file.size_bytes :])
            digest = hashlib.sha256(data).hexdigest()
        file.flush()
        if file.sha256 != digest:
            raise WrongDigest

    def _fetch_by_link(self, file: HashedFile) -> None:
        """Resume a broken connection by a fresh link; give up after five tries without a byte."""
        export, total, tries = self.export, self.export.file_bytes or 0, 0
        while file.size_bytes < total:
            before = file.size_bytes
            try:
                for chunk in _read_from(self.exports.client, export, before):
                    file.write(chunk)
                    self.exports.report(Progress("downloading", file.size_bytes, total))
            except httpx.TransportError as fault:
                tries = 0 if file.size_bytes > before else tries + 1
                if tries == _TRIES:
                    raise DownloadBroken(f"the download broke off: {fault}") from fault
                time.sleep(tries)
                export = view_part(self.exports.get(export.id), self.part)
        self.exports.report(Progress("downloading", file.size_bytes, total))


def _pack_payload(export: ExportAnswer, payload: str, compression: str | None) -> bytes:
    """The payload as the file that was requested."""
    data = payload.encode()
    if hashlib.sha256(data).hexdigest() != export.sha256:
        raise WrongDigest
    if compression is None:
        return data
    compressor = CODECS[compression].start()
    return compressor.compress(data) + compressor.flush()


def _read_from(client: Client, export: ExportAnswer, start: int) -> Iterator[bytes]:
    """The bytes of the file from `start` on, as they come."""
    if export.download_url is None:
        raise DownloadBroken(f"export {export.id} is {export.status}: no file to download")
    with client.open_file(export.download_url, start) as answer:
        if answer.is_server_error:
            raise httpx.ReadError(f"the download was answered with {answer.status_code}")
        if answer.status_code != (_PART if start else _WHOLE):
            raise DownloadBroken(f"the download was answered with {answer.status_code}")
        yield from answer.iter_raw()
