"""Parquet: typed columns, row groups that rows alone decide, and nothing lost."""

import io
import random
import struct
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow.parquet as pq
import pytest

from memferry.errors import Invalid
from memferry.exports.request import ExportRequest, list_needs
from memferry.formats import FIELDS, FORMATS
from memferry.formats.parquet import PARQUET
from memferry.formats.parquet_encoder import ParquetEncoder
from support.column_frames import make_frame
from support.encoders import encode_all, encode_file
from support.memories import AWKWARD

_TYPES = {
    "id": "string not null",
    "content": "string not null",
    "namespace": "string not null",
    "tags": "list<element: string not null> not null",
    "source": "string not null",
    "source_ref": "string",
    "metadata": "string",
    "created_at": "timestamp[ms, tz=UTC] not null",
    "updated_at": "timestamp[ms, tz=UTC] not null",
}


def make_rows(count: int, content_bytes: int = 100) -> list[dict[str, Any]]:
    """Memory objects with awkward texts, nulls, and tags of all numbers."""
    return [
        {
            "id": f"01900000-0000-7000-8000-{i:012}",
            "content": AWKWARD[i % len(AWKWARD)] + "x" * (i * 7 % content_bytes),
            "namespace": f"namespace {i % 3}",
            "tags": [*AWKWARD, ""][: i % 17],
            "source": "agent",
            "source_ref": None if i % 3 else f"chat:{i}",
            "metadata": None if i % 5 else f'{{"i":{i}.50}}',
            "created_at": i,
            "updated_at": 8_640_000_000_000_000 - i,
        }
        for i in range(count)
    ]


def encode(frames: Sequence[bytes], fields: Sequence[str] = FIELDS) -> bytes:
    """The file of some frames, each handed over by itself."""
    return encode_file(ParquetEncoder(fields), frames)


def cut(rows: list[dict[str, Any]], size: int) -> list[bytes]:
    """Frames of so many rows."""
    return [make_frame(rows[at : at + size]) for at in range(0, len(rows), size)]


def read(data: bytes) -> list[dict[str, Any]]:
    """The rows of a file, with times in epoch milliseconds."""
    table = pq.read_table(io.BytesIO(data))
    for name in {"created_at", "updated_at"} & set(table.column_names):
        at = table.column_names.index(name)
        table = table.set_column(at, name, table[name].cast("int64"))
    return list(table.to_pylist())


def test_every_value_comes_back_as_it_was() -> None:
    rows = make_rows(1_000)

    assert read(encode(cut(rows, 100))) == rows


def test_each_column_has_its_type() -> None:
    schema = pq.read_schema(io.BytesIO(encode([])))

    types = {field.name: f"{field.type}{'' if field.nullable else ' not null'}" for field in schema}
    assert types == _TYPES


def test_a_file_without_rows_has_all_columns_and_no_row_group() -> None:
    file = pq.ParquetFile(io.BytesIO(encode([])))

    assert (file.metadata.num_rows, file.num_row_groups) == (0, 0)
    assert file.schema_arrow.names == list(FIELDS)


@pytest.mark.parametrize("most_bytes", [1, 5_000, 50_000])
def test_the_same_rows_give_the_same_bytes_in_any_frames(
    monkeypatch: pytest.MonkeyPatch, most_bytes: int
) -> None:
    monkeypatch.setattr("memferry.formats.parquet_encoder._GROUP_BYTES", most_bytes)
    rows = make_rows(500)
    whole = encode([make_frame(rows)])

    assert pq.ParquetFile(io.BytesIO(whole)).num_row_groups > 2
    for frames in (cut(rows, 1), cut(rows, 7), [b"".join(cut(rows, 100))], [b"", *cut(rows, 256)]):
        assert encode(frames) == whole


def test_a_row_group_ends_before_the_row_that_makes_it_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("memferry.formats.parquet_encoder._GROUP_BYTES", 4_000)
    contents = [1_000, 1_000, 1_000, 1_000, 1_000, 9_000, 1_000]
    rows = make_rows(len(contents))
    rows = [{**row, "content": "x" * n} for row, n in zip(rows, contents, strict=True)]
    file = pq.ParquetFile(io.BytesIO(encode([make_frame(rows)])))

    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert sizes == [3, 2, 1, 1]


def test_a_row_group_has_a_number_of_rows_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memferry.formats.parquet_encoder._GROUP_ROWS", 300)
    file = pq.ParquetFile(io.BytesIO(encode(cut(make_rows(700), 256))))

    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert sizes == [300, 300, 100]


def test_a_file_ends_before_it_has_more_bytes_than_asked_unless_one_row_has() -> None:
    most_bytes = 1024 * 1024
    contents = [random.randbytes(1_000 if i % 2_500 else most_bytes).hex() for i in range(3_000)]
    rows = [
        {**row, "content": content}
        for row, content in zip(make_rows(len(contents)), contents, strict=True)
    ]
    whole = encode_all(ParquetEncoder(FIELDS, most_bytes), [make_frame(rows)])
    files = encode_all(ParquetEncoder(FIELDS, most_bytes), cut(rows, 7))

    assert files == whole
    assert len(files) > 4
    assert [row for _, data in files for row in read(data)] == rows
    assert [count for count, _ in files] == [len(read(data)) for _, data in files]
    assert [count for count, data in files if len(data) > most_bytes] == [1, 1]
    assert all(count for count, _ in files)


def test_texts_are_compressed_by_themselves() -> None:
    group = pq.ParquetFile(io.BytesIO(encode(cut(make_rows(100), 50)))).metadata.row_group(0)

    assert {group.column(i).compression for i in range(group.num_columns)} == {"ZSTD"}


@pytest.mark.parametrize("fields", [["created_at"], ["tags"], ["id", "metadata", "updated_at"]])
def test_only_the_fields_that_were_chosen_are_columns(fields: list[str]) -> None:
    rows = make_rows(300)
    data = encode([make_frame(rows, fields)], fields)

    assert read(data) == [{field: row[field] for field in fields} for row in rows]


@pytest.mark.parametrize(
    "frame",
    [
        struct.pack(">i", 3),
        make_frame(make_rows(2), FIELDS[:8]),
        make_frame(make_rows(2)).replace(struct.pack(">ii", 5, 5), struct.pack(">ii", 5, 4)),
        make_frame(make_rows(2)).replace(b"[]\n", b"   "),
    ],
    ids=["count", "missing", "length", "tags"],
)
def test_a_frame_that_does_not_add_up_ends_the_file(frame: bytes) -> None:
    with pytest.raises(AssertionError):
        encode([frame])


def test_ids_of_another_length_end_the_file() -> None:
    rows = [{"id": row["id"][1:]} for row in make_rows(37)]

    with pytest.raises(AssertionError):
        encode([make_frame(rows, ["id"])], ["id"])


def test_a_format_that_is_not_installed_is_refused_and_no_worker_offers_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "format parquet" in list_needs()

    monkeypatch.setitem(FORMATS, "parquet", replace(PARQUET, package="no_such_package"))

    assert "format parquet" not in list_needs()
    with pytest.raises(Invalid, match=r"^format: parquet is not installed here"):
        ExportRequest.parse(b'{"format": "parquet"}')
