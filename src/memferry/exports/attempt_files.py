"""What one attempt at an export writes into the store: its files, their digests, the manifest."""

import asyncio
import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import aclosing, closing, suppress
from dataclasses import dataclass

from memferry.errors import ExportTooLarge, MemferryError, StorageUnavailable
from memferry.exports.pack.packed import PackedFile
from memferry.exports.pack.part import EncodedParts, Parts, PartStream
from memferry.exports.pack.split import Splitter
from memferry.exports.read.stream import RowStream
from memferry.exports.request import ExportRequest
from memferry.files.kind import file_name, media_type
from memferry.files.manifest import (
    EXTENSION,
    MEDIA_TYPE,
    SUMS_EXTENSION,
    SUMS_MEDIA_TYPE,
    manifest_name,
    write_sums,
)
from memferry.formats import TextFormat
from memferry.jobs.work import Watch
from memferry.model.export import MOST_PARTS, Part, part_key
from memferry.model.job import Claim
from memferry.storage import Storage, remove_with_companions, replace_bytes

# The tenant's turn is held meanwhile.
_MANIFEST_SECONDS = 10


@dataclass(frozen=True)
class AttemptFiles:
    """The objects under the key of one attempt, and under the same key with a dot behind it."""

    storage: Storage
    claim: Claim
    request: ExportRequest

    async def write(self, rows: RowStream, watch: Watch) -> Sequence[Part]:
        """Write the rows as one file, or as parts if the request wants them; the digests too.

        If one of them cannot be written, those before it are removed: at once if the store can,
        else by a sweep.
        """
        try:
            return await self._write_all(rows, watch)
        except BaseException:
            with suppress(MemferryError):
                await remove_with_companions(self.storage, self.claim.object_key)
            raise

    async def _write_all(self, rows: RowStream, watch: Watch) -> Sequence[Part]:
        most_bytes = self.request.part_content_bytes
        if most_bytes is None:
            parts = [await self._write_file(None, rows, watch)]
        else:
            async with aclosing(self._cut(rows, most_bytes)) as streams:
                parts = await self._write_parts(streams, watch)
        await self._put_sums(parts, watch)
        return parts

    def _cut(self, rows: RowStream, most_bytes: int) -> Parts:
        """The parts of the rows; formats without ends that can be found cut themselves."""
        format_ = self.request.format
        if isinstance(format_, TextFormat) and format_.ends:
            return Splitter(rows, format_, format_.ends, most_bytes)
        return EncodedParts(rows)

    async def _write_parts(self, streams: Parts, watch: Watch) -> list[Part]:
        parts: list[Part] = []
        while not streams.is_done:
            if len(parts) == MOST_PARTS:
                raise ExportTooLarge(
                    f"The export has more than {MOST_PARTS:,} parts; raise max_part_bytes."
                )
            parts.append(await self._write_file(len(parts) + 1, streams.start_part(), watch))
        return parts

    async def _write_file(
        self, number: int | None, stream: RowStream | PartStream, watch: Watch
    ) -> Part:
        request, encrypted = self.request, self.request.recipient is not None
        with closing(PackedFile(stream, request.codec, request.recipient)) as file:
            await self.storage.put(
                part_key(self.claim.object_key, number or 1),
                _guard(file, watch),
                sha256=lambda: file.sha256,
                media_type=media_type(request.format, request.codec, encrypted=encrypted),
                filename=file_name(
                    self.claim.job_id,
                    request.format,
                    request.codec,
                    encrypted=encrypted,
                    part=number,
                ),
            )
        return Part(
            rows=stream.rows_done,
            content_bytes=stream.bytes_done,
            content_sha256=stream.sha256.hex(),
            file_bytes=file.size_bytes,
            file_sha256=file.sha256.hex(),
        )

    async def _put_sums(self, parts: Sequence[Part], watch: Watch) -> None:
        """Write the digests beside the files, for `sha256sum -c` in the store."""
        keys = [part_key(self.claim.object_key, number + 1) for number in range(len(parts))]
        names = [key.rpartition("/")[2] for key in keys]
        text = write_sums(zip(names, (part.file_sha256 for part in parts), strict=True))
        await self.storage.put(
            f"{self.claim.object_key}.{SUMS_EXTENSION}",
            _guard(_iterate(text), watch),
            sha256=hashlib.sha256(text).digest,
            media_type=SUMS_MEDIA_TYPE,
            filename=f"memferry-{self.claim.job_id}.{SUMS_EXTENSION}",
        )

    async def put_manifest(self, text: bytes) -> None:
        """Write the manifest beside the files; the tenant's other exports wait for that.

        Beside encrypted files nothing may tell what is in them: no filter and no digest.
        """
        if self.request.recipient is not None:
            return
        try:
            async with asyncio.timeout(_MANIFEST_SECONDS):
                await replace_bytes(
                    self.storage,
                    f"{self.claim.object_key}.{EXTENSION}",
                    text,
                    media_type=MEDIA_TYPE,
                    filename=manifest_name(self.claim.job_id),
                )
        except TimeoutError as fault:
            raise StorageUnavailable from fault


async def _iterate(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _guard(chunks: AsyncIterable[bytes], watch: Watch) -> AsyncIterator[bytes]:
    """The bytes of a file while its attempt may go on; a fault is raised inside the upload.

    Raising inside the iterator is what makes a store abort an unfinished upload. The last word is
    the database's: no upload is finished for an export that was cancelled.
    """
    watch.check()
    async for chunk in chunks:
        watch.check()
        yield chunk
    await watch.confirm()
