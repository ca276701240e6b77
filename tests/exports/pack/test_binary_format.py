"""A binary format is an encoder: its bytes go through reading and packing like a text's."""

import asyncio
import gzip
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest

from memferry.database.pool import Database
from memferry.errors import LeaseLost
from memferry.exports.pack.packed import PackedFile
from memferry.exports.read.snapshot import Reader
from memferry.exports.request import ExportRequest
from memferry.files.compress import CODECS
from memferry.formats import BinaryFormat, Piece, TextFormat
from support.people import Person, make_person
from support.service import Service

_ROWS = 100


@dataclass
class LengthsEncoder:
    """Gathers the lengths of contents, and writes fifty at once."""

    batch: bytes = b""
    written: int = 0
    closed: bool = False

    def encode(self, records: bytes) -> Iterator[Piece]:
        """The bytes of a full batch, or none."""
        lengths = [len(line) for line in records.decode().splitlines()]
        self.batch += struct.pack(f">{len(lengths)}I", *lengths)
        if len(self.batch) >= 200:
            yield self._flush()

    def finish(self) -> Iterator[Piece]:
        """The last batch, and how many rows there were."""
        yield self._flush()
        yield Piece(0, struct.pack(">I", self.written))

    def close(self) -> None:
        """Note it."""
        self.closed = True

    def _flush(self) -> Piece:
        data, self.batch = self.batch, b""
        rows = len(data) // 4
        self.written += rows
        return Piece(rows, data)


_LINES = TextFormat(
    name="lines",
    extension="lines",
    media_type="text/plain",
    columns="content",
    separator=b"\n",
    ends_with_separator=True,
)


def make_lengths(encoder: LengthsEncoder) -> BinaryFormat:
    """The format of four bytes per memory, and its only encoder."""
    return BinaryFormat(
        name="lengths",
        extension="lengths",
        media_type="application/octet-stream",
        rows=_LINES,
        start=lambda: encoder,
        cut=lambda _: make_lengths(encoder),
    )


@pytest.fixture(scope="module")
def alice(service: Service, database_url: str) -> Iterator[Person]:
    """Alice with memories of 1 to 100 characters, every second one with a tag."""
    with make_person("alice", service, database_url) as person:
        person.save_many(
            [
                {"content": "é" * i, "created_at": i, "tags": ["odd"] * (i % 2)}
                for i in range(1, _ROWS + 1)
            ]
        )
        yield person


@pytest.mark.parametrize(
    ("body", "lengths"),
    [
        (b"{}", range(1, _ROWS + 1)),
        (b'{"tags": ["odd"]}', range(1, _ROWS + 1, 2)),
    ],
    ids=["in the order of an index", "by sorted keys"],
)
async def test_its_rows_are_encoded_in_order_and_its_file_is_packed(
    database: Database, tenant_id: UUID, body: bytes, lengths: Sequence[int]
) -> None:
    encoder = LengthsEncoder()
    request = replace(ExportRequest.parse(body), format=make_lengths(encoder))
    async with Reader(database, readers=2).start(tenant_id, request) as (rows, _):
        file = PackedFile(rows, CODECS["gzip"])
        data = gzip.decompress(b"".join([chunk async for chunk in file]))

    assert data == struct.pack(f">{len(lengths) + 1}I", *lengths, len(lengths))
    assert (rows.rows_done, rows.bytes_done) == (len(lengths), len(data))
    assert encoder.closed


async def test_an_encoder_ends_a_file_of_no_rows(database: Database, tenant_id: UUID) -> None:
    request = ExportRequest.parse(b'{"namespace": "none"}')
    request = replace(request, format=make_lengths(LengthsEncoder()))
    async with Reader(database).start(tenant_id, request) as (rows, _):
        data = b"".join([chunk async for chunk in rows])

    assert (data, rows.rows_done) == (bytes(4), 0)


async def test_an_encoder_is_closed_when_its_export_is_interrupted(
    database: Database, tenant_id: UUID
) -> None:
    encoder = LengthsEncoder()
    request = replace(ExportRequest.parse(b"{}"), format=make_lengths(encoder))
    async with Reader(database).start(tenant_id, request) as (rows, _):
        rows.interrupt(LeaseLost())
        with pytest.raises(LeaseLost):
            await anext(aiter(rows))

    assert encoder.closed


@dataclass
class SlowEncoder(LengthsEncoder):
    """Encodes until it is let go on."""

    begun: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    closed_early: bool | None = None

    def encode(self, records: bytes) -> Iterator[Piece]:
        """Wait, then note whether it was closed meanwhile."""
        self.begun.set()
        self.go_on.wait(60)
        self.closed_early = self.closed
        yield from super().encode(records)


async def test_a_cancelled_export_closes_its_encoder_when_its_thread_has_ended(
    database: Database, tenant_id: UUID
) -> None:
    encoder = SlowEncoder()
    request = replace(ExportRequest.parse(b"{}"), format=make_lengths(encoder))

    async def read() -> None:
        async with Reader(database).start(tenant_id, request) as (rows, _):
            async for _ in rows:
                pass

    task = asyncio.create_task(read())
    await asyncio.to_thread(encoder.begun.wait, 60)
    task.cancel()
    await asyncio.sleep(0)
    encoder.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (encoder.closed_early, encoder.closed) == (False, True)
