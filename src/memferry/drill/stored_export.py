"""A completed export as it is kept: its bytes, verified, and the request that gives them again."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from memferry.errors import WrongBytes
from memferry.exports.manifest import list_files
from memferry.exports.request import ExportRequest
from memferry.model.export import Export, part_key
from memferry.storage import Storage

_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class StoredExport:
    """A completed export, and its bytes in files of this machine: one, or its parts."""

    export: Export
    paths: Sequence[Path]

    @property
    def request(self) -> ExportRequest:
        """What gives the same content for a tenant that has nothing but its memories."""
        body = {"format": self.export.format, **self.export.options, "encrypt_to": None}
        return ExportRequest.parse(msgspec.json.encode(body))

    def read_content(self) -> Iterator[bytes] | None:
        """Yield the content in one piece, decompressed; None for parts, which have edges."""
        return self._read_file(self.paths[0]) if len(self.paths) == 1 else None

    def _read_file(self, path: Path) -> Iterator[bytes]:
        codec = self.request.codec
        reader = codec.reader() if codec is not None and self.export.object_key else None
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk if reader is None else reader.decompress(chunk)


async def fetch_export(export: Export, storage: Storage, directory: Path) -> StoredExport:
    """Copy the bytes of an export into a directory, and verify them.

    Raises WrongBytes if they are not those that were written; ObjectNotFound, StorageUnavailable.
    """
    paths = []
    for number, part in enumerate(list_files(export), start=1):
        path, digest = directory / f"export-{number}", hashlib.sha256()
        with path.open("xb") as file:
            async for chunk in _read_part(export, storage, number):
                digest.update(chunk)
                await asyncio.to_thread(file.write, chunk)
        if digest.hexdigest() != part.file_sha256:
            raise WrongBytes
        paths.append(path)
    return StoredExport(export, paths)


async def _read_part(export: Export, storage: Storage, number: int) -> AsyncIterator[bytes]:
    if export.object_key is None:
        yield msgspec.json.decode(b"".join(export.payload_json or ()), type=str).encode()
        return
    key = part_key(export.object_key, number)
    async for chunk in storage.read(key, 0, (await storage.stat(key)).size_bytes):
        yield chunk
