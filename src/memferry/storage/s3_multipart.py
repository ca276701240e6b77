"""Multipart uploads to S3, with parts whose size and number fit the speed of the link.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html: parts of 5 MiB to 5 GiB, 10,000
of them at most, the last one of any size.
"""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from memferry.storage.s3_uploads import Uploads

MIB = 1024 * 1024
LEAST_PART_BYTES = 5 * MIB
# The most bytes of parts in flight, beside the part that is being filled.
_FLIGHT_BYTES = 32 * MIB
# If a part takes longer, the link is slow: parts stay small and go one at a time.
_QUICK_SECONDS = 10.0


@dataclass(frozen=True)
class PartSizes:
    """How parts grow: a part lies in memory, so the first ones are small, and none is huge.

    10,000 of these hold 5 TiB, the most that one object may have.
    """

    first_bytes: int = 8 * MIB
    parts_of_a_size: int = 1000
    """After so many parts they are twice as large."""
    most_bytes: int = 1640 * MIB

    def compute(self, number: int) -> int:
        """The size of a part on a quick link by its number, from 1."""
        grown = self.first_bytes << ((number - 1) // self.parts_of_a_size)
        return min(grown, self.most_bytes)


@dataclass
class LinkSpeed:
    """Whether the link is quick, as the last part showed; slow until the first part is through."""

    quick: bool = False
    sizes: PartSizes = PartSizes()

    def choose_part_bytes(self, number: int) -> int:
        """The size of the part with this number."""
        # Later they must grow on a slow link too, or 10,000 of them would not suffice.
        if not self.quick and number <= self.sizes.parts_of_a_size:
            return LEAST_PART_BYTES
        return self.sizes.compute(number)

    def choose_parts_at_once(self, number: int) -> int:
        """How many parts may be in flight."""
        return max(1, _FLIGHT_BYTES // self.sizes.compute(number)) if self.quick else 1

    def record_part(self, seconds: float) -> None:
        """Take the time of a part into account."""
        self.quick = seconds < _QUICK_SECONDS


@dataclass
class MultipartUpload:
    """One upload: takes chunks and sends parts; its caller completes or aborts it."""

    uploads: Uploads
    key: str
    upload_id: str
    speed: LinkSpeed = field(default_factory=LinkSpeed)
    _tags: dict[int, str] = field(default_factory=dict)
    _in_flight: set["asyncio.Task[None]"] = field(default_factory=set)

    async def send(self, chunks: AsyncIterable[bytes]) -> None:
        """Send all chunks; raises the exception of the source, and StorageUnavailable."""
        try:
            number = 0
            async for part in _cut_parts(chunks, self.speed):
                number += 1
                await self._wait_for_parts(self.speed.choose_parts_at_once(number) - 1)
                self._in_flight.add(asyncio.create_task(self._send_part(number, part)))
            await self._wait_for_parts(0)
        except BaseException:
            await self._cancel_parts()
            raise

    async def complete(self) -> None:
        """Put the object together from its parts."""
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(tag)}</ETag></Part>"
            for number, tag in sorted(self._tags.items())
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>"
        await self.uploads.complete(self.key, self.upload_id, body.encode())

    async def _wait_for_parts(self, most: int) -> None:
        """Wait until at most `most` parts are in flight; raises the fault of a part."""
        while len(self._in_flight) > most:
            done, _ = await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
                self._in_flight.discard(task)

    async def _send_part(self, number: int, part: bytes) -> None:
        started_at = time.monotonic()
        self._tags[number] = await self.uploads.put_part(self.key, self.upload_id, number, part)
        self.speed.record_part(time.monotonic() - started_at)

    async def _cancel_parts(self) -> None:
        for task in self._in_flight:
            task.cancel()
        # The first fault has been raised already; the others are dropped here.
        await asyncio.gather(*self._in_flight, return_exceptions=True)


async def _cut_parts(chunks: AsyncIterable[bytes], speed: LinkSpeed) -> AsyncIterator[bytes]:
    """Yield the bytes in parts of the size that the link wants; one empty part for no bytes."""
    number, buffer = 1, bytearray()
    async for chunk in chunks:
        buffer += chunk
        while len(buffer) >= (size := speed.choose_part_bytes(number)):
            with memoryview(buffer) as whole, whole[:size] as part:
                data = bytes(part)
            del buffer[:size]
            yield data
            number += 1
    if buffer or number == 1:
        yield bytes(buffer)
