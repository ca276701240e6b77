"""Parquet comes back exactly, other tables by the names of their columns, and damage is told."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from memferry.errors import Invalid
from memferry.formats import FIELDS
from memferry.formats.parquet_encoder import ParquetEncoder
from memferry.sources import SOURCES
from memferry.sources.parquet import ParquetTables
from support.column_frames import make_frame
from support.encoders import encode_file
from support.memories import AWKWARD
from support.source_files import Notes, Reading, make_bundle, read_files

_ROWS = [
    {
        "id": f"01900000-0000-7000-8000-{number:012}",
        "content": text,
        "namespace": text,
        "tags": [text, ""][: number % 3],
        "source": text,
        "source_ref": text if number % 2 else None,
        "metadata": None if number % 2 else '{"b":1.50,"a":1e400}',
        "created_at": number,
        "updated_at": 8_640_000_000_000_000 - number,
    }
    for number, text in enumerate(AWKWARD)
]


def export(fields: tuple[str, ...] = FIELDS) -> bytes:
    """The file that an export of the rows is."""
    return encode_file(ParquetEncoder(fields), [make_frame(_ROWS, fields)])


def write(columns: Mapping[str, Any], **options: Any) -> bytes:
    """A table of another program."""
    file = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), file, **options)
    return file.getvalue()


def read(data: bytes, **options: Any) -> Reading:
    """Read a table that the source must know."""
    [assignment] = SOURCES.assign(make_bundle({"t": data}), Notes())
    assert assignment.source.name == "parquet"
    return read_files(ParquetTables(), {"t": data}, **options)


def test_an_export_comes_back_as_it_was() -> None:
    reading = read(export())
    rows = [{name: getattr(record, name) for name in FIELDS} for record in reading.records]

    assert [{**row, "id": str(row["id"]), "tags": list(row["tags"])} for row in rows] == _ROWS
    assert {record.origin for record in reading.records} == {None}
    assert reading.notes == Notes()


def test_an_export_of_some_fields_comes_back_with_these() -> None:
    reading = read(export(("id", "content", "created_at")))

    assert reading.contents == list(AWKWARD)
    assert [record.created_at for record in reading.records] == list(range(len(AWKWARD)))


def test_another_table_is_read_by_the_names_of_its_columns() -> None:
    [record] = read(
        write(
            {
                "id": [7],
                "memory": ["Tea"],
                "categories": [["drinks"]],
                "created_at": [datetime(2026, 1, 2, tzinfo=UTC)],
                "score": [0.5],
                "more": [{"a": [1, None]}],
            }
        )
    ).records

    assert (record.content, record.key, list(record.tags)) == ("Tea", "7", ["drinks"])
    assert record.created_at == 1_767_312_000_000
    assert record.metadata == '{"score":0.5,"more":{"a":[1,null]}}'


def test_a_time_without_a_zone_is_read_in_the_one_that_was_chosen() -> None:
    table = write({"text": ["Tea"], "timestamp": pa.array([0], pa.timestamp("ns"))})
    reading = read(table, timezone="Europe/Paris")

    assert [record.created_at for record in reading.records] == [None]
    assert reading.notes.repaired == {"time without zone": 1, "unreadable time": 1}


def test_a_row_without_a_text_is_rejected_alone() -> None:
    reading = read(write({"content": ["a", None, "b"]}))

    assert reading.contents == ["a", "b"]
    assert [place.at for place, _ in reading.notes.rejections] == ["row 2"]


def test_a_row_that_is_not_utf_8_is_rejected_alone() -> None:
    texts = pa.array([b"a", b"\xff", b"b"], pa.binary())
    reading = read(write({"content": pa.Array.from_buffers(pa.string(), 3, texts.buffers())}))

    assert reading.contents == ["a", "b"]
    assert [(place.at, reason) for place, reason in reading.notes.rejections] == [
        ("row 2", "row: is not valid UTF-8")
    ]


@pytest.mark.parametrize("cut", [4, 100, -1, -9])
def test_a_file_that_was_cut_off_is_an_error(cut: int) -> None:
    with pytest.raises(Invalid, match="is Parquet that cannot be read"):
        read(export()[:cut])


def test_damage_ends_with_an_error() -> None:
    data = bytearray(write({"content": ["x" * 1_000, "y"] * 10_000}, compression="zstd"))
    data[len(data) // 4 : len(data) // 2] = bytes(len(data) // 4)
    with pytest.raises(Invalid, match="is Parquet that cannot be read"):
        read(bytes(data))


def test_a_table_without_texts_is_an_error_that_names_the_columns() -> None:
    with pytest.raises(Invalid, match="no column `content`, `memory` or `text`"):
        read(write({"id": [1]}))


def test_a_file_that_unpacks_to_too_much_is_refused() -> None:
    data = write({"content": ["x" * 2**20] * 100}, compression="zstd", use_dictionary=False)
    with pytest.raises(Invalid, match="unpacks to more than 500 times its size"):
        read(data)


def test_a_row_group_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memferry.sources.rows.parquet_rows._MOST_GROUP_BYTES", 10_000)
    texts = [f"{number}" for number in range(10_000)]

    with pytest.raises(Invalid, match="a row group of more than 10000 bytes"):
        read(write({"content": texts}))
    assert read(write({"content": texts}, row_group_size=100)).contents == texts


def test_without_pyarrow_the_file_is_known_and_the_error_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("memferry.sources.parquet._PACKAGE", "no_such_package")
    with pytest.raises(Invalid, match=r"not installed here: pip install 'memferry\[parquet\]'"):
        read(export())
