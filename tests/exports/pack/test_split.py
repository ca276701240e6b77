"""Where an export is cut: between its records, in the same places however its bytes come."""

import csv
import io
import json
import random
from collections.abc import AsyncIterator, Sequence

import pytest

from memferry.exports.pack.split import Splitter
from memferry.formats import FORMATS, TextFormat

TEXTS = [
    "",
    "x",
    'a "quoted" text',
    'a\r\nb\r\n"\r\n',
    '""',
    '"',
    "\r\n",
    ",",
    "é" * 40,
    "\r",
    "\n",
]


class Whole:
    """An export in one piece, in blocks of so many records."""

    def __init__(self, format_: TextFormat, records: Sequence[bytes], block_rows: int) -> None:
        self._format = format_
        self._records = records
        self._block_rows = block_rows
        self.rows_done = 0
        self.bytes_done = 0
        self.sha256 = b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        format_, separator = self._format, self._format.separator
        last = b"" if format_.ends_with_separator else separator
        if not self._records:
            yield format_.head.removesuffix(last) + format_.tail
            return
        if format_.head:
            yield format_.head
        for start in range(0, len(self._records), self._block_rows):
            records = self._records[start : start + self._block_rows]
            self.rows_done += len(records)
            data = separator.join([*records, b""])
            if start + self._block_rows >= len(self._records):
                data = data.removesuffix(last) + format_.tail
            yield data


def quote(text: str) -> str:
    """A cell as COPY writes it."""
    quoted = '"' + text.replace('"', '""') + '"'
    return quoted if set(text) & set('",\r\n') else text


def render(name: str, texts: Sequence[str]) -> list[bytes]:
    if name == "csv":
        cells = [quote(text) for text in texts]
        return [f"{number},{cell},z".encode() for number, cell in enumerate(cells)]
    return [json.dumps({"id": number, "text": text}).encode() for number, text in enumerate(texts)]


async def split(
    name: str, records: Sequence[bytes], most_bytes: int, block_rows: int
) -> list[tuple[int, bytes]]:
    """Rows and bytes of each part."""
    format_ = FORMATS[name]
    assert isinstance(format_, TextFormat)
    assert format_.ends is not None
    splitter = Splitter(Whole(format_, records, block_rows), format_, format_.ends, most_bytes)
    parts = []
    while not splitter.is_done:
        part = splitter.start_part()
        data = b"".join([chunk async for chunk in part])
        assert part.bytes_done == len(data)
        parts.append((part.rows_done, data))
    return parts


def read_rows(name: str, data: bytes) -> list[str]:
    if name == "csv":
        return [row[1] for row in csv.reader(io.StringIO(data.decode(), newline=""))][1:]
    lines = data.splitlines() if name == "ndjson" else [data]
    values = [json.loads(line) for line in lines]
    return [row["text"] for row in (values if name == "ndjson" else values[0])]


@pytest.mark.parametrize("name", ["json", "ndjson", "csv"])
@pytest.mark.parametrize("most_bytes", [1, 100, 150, 400, 100_000])
async def test_the_parts_are_whole_files_that_hold_all_rows_in_order(
    name: str, most_bytes: int
) -> None:
    texts = random.Random(most_bytes).choices(TEXTS, k=120)
    parts = await split(name, render(name, texts), most_bytes, 7)
    rows = [read_rows(name, data) for _, data in parts]

    assert [row for part in rows for row in part] == texts
    assert [count for count, _ in parts] == [len(part) for part in rows]
    assert all(len(data) <= most_bytes or count == 1 for count, data in parts)
    assert most_bytes < 100_000 or len(parts) == 1


@pytest.mark.parametrize("name", ["json", "ndjson", "csv"])
async def test_the_same_rows_give_the_same_parts_however_they_come(name: str) -> None:
    records = render(name, random.Random(name).choices(TEXTS, k=200))
    expected = await split(name, records, 300, 1)

    for block_rows in (2, 3, 17, 199, 200, 1000):
        assert await split(name, records, 300, block_rows) == expected


@pytest.mark.parametrize("name", ["json", "ndjson", "csv"])
async def test_no_part_has_room_for_the_first_record_of_the_next_one(name: str) -> None:
    format_ = FORMATS[name]
    assert isinstance(format_, TextFormat)
    records = render(name, random.Random(name).choices(TEXTS, k=200))
    parts = await split(name, records, 300, 9)
    at = 0
    for count, data in parts[:-1]:
        at += count
        assert len(data) + len(format_.separator) + len(records[at]) > 300


@pytest.mark.parametrize(("name", "empty"), [("json", b"[]"), ("ndjson", b"")])
async def test_an_export_without_rows_is_one_part(name: str, empty: bytes) -> None:
    assert await split(name, [], 100, 1) == [(0, empty)]


async def test_a_cell_full_of_ends_of_lines_is_passed_over_quickly() -> None:
    texts = ["x", "\r\n" * 500_000, '"\r\n' * 100_000, "y"]
    parts = await split("csv", render("csv", texts), 1024 * 1024, 4)

    assert [count for count, _ in parts] == [2, 2]
