"""A completed export as it is kept: its bytes, verified, and the request that gives them again."""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from memferry.errors import WrongBytes
from memferry.exports.request import ExportRequest
from memferry.model.export import Export
from memferry.storage import Storage

_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class StoredExport:
    """A completed export, and its bytes in a file of this machine."""

    export: Export
    path: Path

    @property
    def request(self) -> ExportRequest:
        """What gives the same content for a tenant that has nothing but its memories."""
        body = {"format": self.export.format, **self.export.options, "encrypt_to": None}
        return ExportRequest.parse(msgspec.json.encode(body))

    def read_content(self) -> Iterator[bytes]:
        """Yield the content of the file, decompressed."""
        codec = self.request.codec
        reader = codec.reader() if codec is not None and self.export.object_key else None
        with self.path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk if reader is None else reader.decompress(chunk)


async def fetch_export(export: Export, storage: Storage, directory: Path) -> StoredExport:
    """Copy the bytes of an export into a directory, and verify them.

    Raises WrongBytes if they are not those that were written; ObjectNotFound, StorageUnavailable.
    """
    path, digest = directory / "export", hashlib.sha256()
    with path.open("xb") as file:
        if export.payload_json is not None:
            data = msgspec.json.decode(b"".join(export.payload_json), type=str).encode()
            digest.update(data)
            file.write(data)
        elif export.object_key is not None:
            size = (await storage.stat(export.object_key)).size_bytes
            async for chunk in storage.read(export.object_key, 0, size):
                digest.update(chunk)
                await asyncio.to_thread(file.write, chunk)
    if digest.digest() not in {export.file_sha256, export.sha256}:
        raise WrongBytes
    return StoredExport(export, path)
