"""Our own JSON and NDJSON come back exactly; what is damaged is mended or rejected alone."""

import gzip
import json
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memferry.sources.memferry import FIELDS, Memferry
from support.source_files import Notes, Reading, make_bundle, read_files

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
ROWS = st.fixed_dictionaries(
    {
        "id": st.uuids().map(str),
        "content": TEXT,
        "namespace": TEXT,
        "tags": st.lists(TEXT, max_size=3),
        "source": TEXT,
        "source_ref": TEXT | st.none(),
        "metadata": st.dictionaries(TEXT, TEXT | st.integers(0, 9) | st.lists(TEXT)) | st.none(),
        "created_at": st.integers(0, 8_640_000_000_000_000),
        "updated_at": st.integers(0, 8_640_000_000_000_000),
    }
)
ID = "0195b1c2-aaaa-7bbb-8ccc-00000000000{}"


def make_row(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A row as it is exported."""
    row: dict[str, Any] = {
        "id": ID.format(number),
        "content": f"Tea {number}",
        "namespace": "default",
        "tags": [],
        "source": "agent",
        "source_ref": None,
        "metadata": None,
        "created_at": 1735689600000 + number,
        "updated_at": 1735689600000 + number,
    }
    return row | fields


def make_lines(*rows: dict[str, Any] | bytes) -> bytes:
    """NDJSON; bytes are lines as they are."""
    texts = (row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)
    return b"".join(text + b"\n" for text in texts)


def read(data: bytes) -> Reading:
    """Read a file of which a source must know that it is ours."""
    assert Memferry().recognises(make_bundle({"export": data}))
    return read_files(Memferry(), {"export": data})


def show(reading: Reading) -> list[dict[str, Any]]:
    """The records as rows."""
    return [
        {
            "id": str(record.id),
            "content": record.content,
            "namespace": record.namespace,
            "tags": list(record.tags),
            "source": record.source,
            "source_ref": record.source_ref,
            "metadata": json.loads(record.metadata or "null"),
            "created_at": record.created_at,
            "updated_at": record.updated_at,
        }
        for record in reading.records
    ]


# A machine at work takes its time.
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(ROWS, min_size=1, max_size=5),
    st.fixed_dictionaries(
        {"ensure_ascii": st.booleans(), "separators": st.sampled_from([None, (",", ":")])}
    ),
)
def test_any_rows_come_back_from_every_layout(
    rows: list[dict[str, Any]], style: dict[str, Any]
) -> None:
    texts = [json.dumps(row, **style) for row in rows]
    layouts = (
        "".join(text + "\n" for text in texts),
        "[" + ",\n".join(texts) + "]",
        json.dumps(rows, indent=1, **style),
        json.dumps(rows, **style),
        json.dumps({"total": 1, "memories": rows, "limit": 50}, **style),
    )

    for layout in layouts:
        reading = read(layout.encode())
        assert show(reading) == rows
        assert reading.notes == Notes()
        assert all(record.key is None and record.origin is None for record in reading.records)


def test_metadata_keeps_every_byte() -> None:
    metadata = '{"z":1.50,"a":-0,"n":12345678901234567890,"\\u0061\\/":"\\u00e9","a ":1E+5}'
    line = json.dumps(make_row()).replace('"metadata": null', f'"metadata":{metadata}')

    assert read(line.encode()).records[0].metadata == metadata


@pytest.mark.parametrize("number", range(2, len(FIELDS)))
def test_an_export_of_some_fields_is_ours(number: int) -> None:
    for fields in permutations(FIELDS[2:], number - 2):
        whole = make_row(expires_at=4102444800000)
        row = {name: whole[name] for name in ("id", "content", *fields)}
        record = read(make_lines(row)).records[0]
        assert (record.id, record.content) == (UUID(ID.format(1)), "Tea 1")
        assert (record.origin is None) == ("created_at" in fields)
        if number > 4:
            break


@pytest.mark.parametrize("data", [b"[]", b" [ ]\n"])
def test_an_export_without_memories_is_ours(data: bytes) -> None:
    assert read(data).records == []


@pytest.mark.parametrize("time", [0, 9_999_999_999])
def test_a_whole_row_is_ours_however_early_it_was_saved(time: int) -> None:
    row = make_row(created_at=time, updated_at=time)

    assert show(read(make_lines(row))) == [row]


@pytest.mark.parametrize(
    "row",
    [
        {"id": "x", "memory": "Tea", "created_at": "2026-01-01"},
        {"id": ID, "content": "Tea", "created_at": "2026-01-01T00:00:00Z"},
        {"id": ID, "content": "Tea", "created_at": 1735689600, "updated_at": 1735689600},
        {"content": "Tea", "created_at": 1735689600000},
        {"id": ID, "content": "Tea", "user_id": "ada"},
        {"id": ID, "content": ["Tea"]},
    ],
)
def test_rows_of_others_are_not_ours(row: dict[str, Any]) -> None:
    assert not Memferry().recognises(make_bundle({"x": json.dumps([row])}))


def test_an_id_that_is_no_uuid_becomes_a_key() -> None:
    reading = read(make_lines(make_row(id="mem_7")))

    record = reading.records[0]
    assert (record.id, record.key) == (None, "mem_7")
    assert record.origin == {"id": "mem_7", "time_from": "record"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id": 7, "content": "x"}', "id: expected str"),
        (b'{"id": null}', "content: is required"),
        (b'{"content": "x", "score": 1}', "score: unknown field"),
        (b'{"content": "caf\xe9"}', "is no valid JSON"),
        (b'{"content": "x", "metadata": {"a": "caf\xe9"}}', "is no valid JSON"),
        (b'{"content": "x"', "is no valid JSON"),
        (b'{"content": "x", "tags": [1]}', "tags[0]: expected str"),
        (b'{"content": ' + b"[" * 9000 + b"]" * 9000 + b"}", "content: nested deeper"),
        (b'["x"]', "expected object"),
        (b"what is this", "is no valid JSON"),
    ],
)
def test_a_bad_line_is_rejected_alone(line: bytes, reason: str) -> None:
    reading = read(make_lines(make_row(1), line, make_row(2)))

    assert reading.contents == ["Tea 1", "Tea 2"]
    assert [place.at for place, _ in reading.notes.rejections] == ["line 2"]
    assert reason in reading.notes.rejections[0][1]


@pytest.mark.parametrize(
    ("content", "mended", "kind"),
    [
        (rb"a\ud83d!", "a\ufffd!", "half a surrogate pair"),
        (rb"a\\ud83d!", "a\\ud83d!", None),
        (rb"\ud83d\ude00", "😀", None),
        (rb"a\udE00\uD83D", "a\ufffd\ufffd", "half a surrogate pair"),
        (b"a\xed\xa0\xbd\xed\xb8\x80b", "a😀b", "surrogates as bytes"),
        (b"a\xed\xa0\xbdb", "a\ufffdb", "surrogates as bytes"),
        (rb"a\u0000b", "ab", "NUL"),
        (b"a\x00b", "ab", "NUL"),
        (rb"a\\u0000b", "a\\u0000b", None),
        (b"a\tb", "a\tb", "control character"),
    ],
)
def test_text_that_no_decoder_takes_is_mended_and_counted(
    content: bytes, mended: str, kind: str | None
) -> None:
    line = json.dumps(make_row(2, content="?")).encode().replace(b'"?"', b'"' + content + b'"')
    for data in (make_lines(make_row(1), line), b"[%b,%b]" % (make_lines(make_row(1)), line)):
        reading = read(data)
        assert reading.contents == ["Tea 1", mended]
        assert list(reading.notes.repaired) == [kind] * (kind is not None)
        assert reading.notes.rejections == []


@pytest.mark.parametrize("line", [b'{"id": broken}', b"broken", b"{", b"null", b'"x"'])
def test_a_bad_first_record_loses_no_other(line: bytes) -> None:
    row = make_lines(make_row(1)).rstrip()
    lists = () if line == b"{" else (b"[%b,%b]" % (line, row),)
    for data in (line + b"\n" + row + b"\n" + row, *lists):
        reading = read(data)
        assert set(reading.contents) == {"Tea 1"}
        assert len(reading.notes.rejections) == 1


def test_lines_that_were_glued_are_taken_apart() -> None:
    glued = make_lines(make_row(1)).rstrip() + make_lines(make_row(2))
    reading = read(make_lines(make_row(3)) + glued)

    assert reading.contents == ["Tea 3", "Tea 1", "Tea 2"]
    assert reading.notes.repaired == {"glued lines": 1}


@pytest.mark.parametrize("end", [2, 20, 60])
def test_rows_before_the_cut_of_a_file_are_kept(end: int) -> None:
    rows = [make_row(number) for number in range(1, 4)]
    for data in (make_lines(*rows), json.dumps(rows).encode(), json.dumps(rows, indent=2).encode()):
        reading = read(data[:-end])
        assert reading.contents[:2] == ["Tea 1", "Tea 2"]
        assert len(reading.notes.rejections) == 1


def test_a_missing_or_a_doubled_comma_is_a_repair() -> None:
    rows = [json.dumps(make_row(number)) for number in range(1, 5)]
    reading = read(f"[{rows[0]} {rows[1]},,{rows[2]},{rows[3]},]".encode())

    assert len(reading.records) == 4
    assert [place.at for _, place in reading.notes.repairs] == ["[1]", "[2]", "[4]"]
    assert reading.notes.repaired == {"comma": 3}


def test_what_follows_a_list_is_not_dropped_silently() -> None:
    reading = read(json.dumps([make_row()]).encode() + b" [1]")

    assert [place.at for place, _ in reading.notes.rejections] == ["end"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_text_in_another_encoding_is_converted_and_counted(encoding: str) -> None:
    rows = [make_row(1, content="Thé 😀"), make_row(2)]
    for text in (json.dumps(rows, ensure_ascii=False), make_lines(*rows).decode()):
        reading = read(text.encode(encoding))
        assert show(reading) == rows
        assert reading.notes.repaired.total() == 1


def test_a_value_that_is_too_large_is_rejected_alone() -> None:
    large = b'{"content": "' + b"x" * (65 * 1024 * 1024) + b'"}'
    first, last = make_lines(make_row(1)), make_lines(make_row(2))
    for data in (first + large + b"\n" + last, b"[%b,%b,%b]" % (first, large, last)):
        reading = read(data)
        assert reading.contents == ["Tea 1", "Tea 2"]
        assert "is larger than" in reading.notes.rejections[0][1]


def test_gzip_is_no_json() -> None:
    assert not Memferry().recognises(make_bundle({"x": gzip.compress(b"[]")}))
