"""A binary format is an encoder: its bytes go through reading and packing like a text's."""

import gzip
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, LiteralString
from uuid import UUID

import pytest

from memferry.database.pool import Database
from memferry.exports.pack.packed import PackedFile
from memferry.exports.read.snapshot import Reader
from memferry.exports.request import ExportRequest
from memferry.files.compress import CODECS
from memferry.formats import Order, Variant
from support.people import Person, make_person
from support.service import Service

_ROWS = 100


@dataclass
class LengthsEncoder:
    """Gathers the lengths of contents, and writes fifty at once."""

    batch: bytes = b""
    written: int = 0

    def encode(self, rows: Sequence[Any]) -> bytes:
        """The bytes of a full batch, or none."""
        self.batch += b"".join(struct.pack(">I", len(row["content"])) for row in rows)
        return self._flush() if len(self.batch) >= 200 else b""

    def finish(self) -> bytes:
        """The last batch, and how many rows there were."""
        return self._flush() + struct.pack(">I", self.written)

    def _flush(self) -> bytes:
        data, self.batch = self.batch, b""
        self.written += len(data) // 4
        return data


@dataclass(frozen=True)
class Lengths:
    """A file of four bytes per memory."""

    name: LiteralString = "lengths"
    extension: str = "lengths"
    media_type: str = "application/octet-stream"
    columns: LiteralString = "content"
    order: Order = Order.TIME
    leaves_out: str = ""
    variants: frozenset[str] = frozenset()

    def vary(self, _variant: Variant) -> "Lengths":
        """The format, which has no variants."""
        return self

    def start(self) -> LengthsEncoder:
        """The encoder of one file."""
        return LengthsEncoder()


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
        (b'{"namespace": "none"}', ()),
    ],
    ids=["in the order of an index", "by sorted keys", "no rows"],
)
async def test_its_rows_are_encoded_in_order_and_its_file_is_packed(
    database: Database, tenant_id: UUID, body: bytes, lengths: Sequence[int]
) -> None:
    request = replace(ExportRequest.parse(body), format=Lengths())
    async with Reader(database, readers=2).start(tenant_id, request) as (rows, _):
        file = PackedFile(rows, CODECS["gzip"])
        data = gzip.decompress(b"".join([chunk async for chunk in file]))

    assert data == struct.pack(f">{len(lengths) + 1}I", *lengths, len(lengths))
    assert (rows.rows_done, rows.bytes_done) == (len(lengths), len(data))
