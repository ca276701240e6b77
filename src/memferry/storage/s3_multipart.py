"""Writing an object of S3 part by part, where the link decides how many and how large.

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
_USUAL_PART_BYTES = 8 * MIB
_PARTS_OF_A_SIZE = 1000
# What the parts in flight may hold together, beside the one that is being filled.
_FLIGHT_BYTES = 32 * MIB
# A part that takes longer is large enough, and alone on its link.
_QUICK_SECONDS = 10.0


def planned_part_bytes(number: int) -> int:
    """The size of a part by its number, from 1: 10,000 of them hold more than 5 TiB."""
    return _USUAL_PART_BYTES << ((number - 1) // _PARTS_OF_A_SIZE)


@dataclass
class Pace:
    """What the link has shown so far: the first part goes alone and is small."""

    quick: bool = False

    def part_bytes(self, number: int) -> int:
        """How large the next part shall be."""
        # A slow link needs small parts only while there are many numbers left.
        if not self.quick and number <= _PARTS_OF_A_SIZE:
            return LEAST_PART_BYTES
        return planned_part_bytes(number)

    def parts_at_once(self, number: int) -> int:
        """How many parts may be in flight."""
        return max(1, _FLIGHT_BYTES // planned_part_bytes(number)) if self.quick else 1

    def note(self, seconds: float) -> None:
        """A part took so long."""
        self.quick = seconds < _QUICK_SECONDS


@dataclass
class MultipartUpload:
    """One upload: takes chunks, sends parts; complete or aborted at its end."""

    uploads: Uploads
    key: str
    upload_id: str
    pace: Pace = field(default_factory=Pace)
    _tags: dict[int, str] = field(default_factory=dict)
    _flying: set["asyncio.Task[None]"] = field(default_factory=set)

    async def send(self, chunks: AsyncIterable[bytes]) -> None:
        """Send everything; raises what the source raises, and StorageUnavailable."""
        try:
            number = 0
            async for part in _cut(chunks, self.pace):
                number += 1
                await self._take_off(number, part)
            await self._land(0)
        except BaseException:
            await self._give_up()
            raise

    async def complete(self) -> None:
        """Make the object of its parts."""
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(tag)}</ETag></Part>"
            for number, tag in sorted(self._tags.items())
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>"
        await self.uploads.complete(self.key, self.upload_id, body.encode())

    async def _take_off(self, number: int, part: bytes) -> None:
        await self._land(self.pace.parts_at_once(number) - 1)
        self._flying.add(asyncio.create_task(self._send_part(number, part)))

    async def _land(self, most: int) -> None:
        """Wait until no more parts than that are in flight."""
        while len(self._flying) > most:
            landed, _ = await asyncio.wait(self._flying, return_when=asyncio.FIRST_COMPLETED)
            for task in landed:
                task.result()
                self._flying.discard(task)

    async def _send_part(self, number: int, part: bytes) -> None:
        began = time.monotonic()
        self._tags[number] = await self.uploads.put_part(self.key, self.upload_id, number, part)
        self.pace.note(time.monotonic() - began)

    async def _give_up(self) -> None:
        for task in self._flying:
            task.cancel()
        # Their faults are taken here: the first of them has been raised, the others say no more.
        await asyncio.gather(*self._flying, return_exceptions=True)


async def _cut(chunks: AsyncIterable[bytes], pace: Pace) -> AsyncIterator[bytes]:
    """The bytes in parts of the size that the link asks for; one empty part if there are none."""
    number, waiting = 1, bytearray()
    async for chunk in chunks:
        waiting += chunk
        while len(waiting) >= (size := pace.part_bytes(number)):
            yield bytes(waiting[:size])
            del waiting[:size]
            number += 1
    if waiting or number == 1:
        yield bytes(waiting)
