"""CSV comes back exactly; a bad row is rejected alone, and broken quoting says where it is."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memferry.errors import Invalid
from memferry.sources.csv_rows import CsvRows
from support.readers import CSV_HEADER, write_csv
from support.source_files import Notes, Reading, make_bundle, read_files
from support.spreadsheet import add_guards

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)
ROWS = st.fixed_dictionaries(
    {
        "id": st.uuids().map(str),
        "content": TEXT,
        "namespace": TEXT,
        "tags": st.lists(TEXT, max_size=3),
        "source": TEXT,
        "source_ref": TEXT | st.none(),
        "created_at": st.integers(0, 8_640_000_000_000_000),
        "updated_at": st.integers(0, 8_640_000_000_000_000),
    }
)
ID = "0195b1c2-aaaa-7bbb-8ccc-000000000001"
LINE = f'{ID},Tea,default,"[""a""]",agent,,1735689600000,1735689600001'


def read(text: str | bytes) -> Reading:
    """Read a table of which the source must think that it can be read."""
    assert CsvRows().recognises(make_bundle({"t": text}))
    return read_files(CsvRows(), {"t": text})


def make_table(*lines: str) -> str:
    """A table with the header of our exports."""
    return "\r\n".join((CSV_HEADER, *lines))


# A machine at work takes its time.
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ROWS, max_size=5))
def test_any_rows_come_back(rows: list[dict[str, Any]]) -> None:
    reading = read(write_csv(rows))

    assert [
        {
            "id": str(record.id),
            "content": record.content,
            "namespace": record.namespace,
            "tags": list(record.tags),
            "source": record.source,
            "source_ref": record.source_ref,
            "created_at": record.created_at,
            "updated_at": record.updated_at,
        }
        for record in reading.records
    ] == rows
    assert all(record.origin is None for record in reading.records)
    assert reading.notes == Notes()


def test_the_column_of_metadata_keeps_every_byte() -> None:
    metadata = '{"z":1.50,"a":"\\u00e9, ""x"""}'
    reading = read(f'{CSV_HEADER},metadata\r\n{LINE},"{metadata.replace(chr(34), chr(34) * 2)}"')

    assert reading.records[0].metadata == metadata
    assert read(f"{CSV_HEADER},metadata\r\n{LINE},").records[0].metadata is None


def test_a_table_of_some_columns_is_ours_in_any_order() -> None:
    record = read(f"content,created_at,id\r\nTea,5,{ID}\r\n").records[0]

    assert (str(record.id), record.content, record.created_at) == (ID, "Tea", 5)
    assert record.origin is None


def test_an_id_of_mnueron_becomes_a_key() -> None:
    record = read(make_table(LINE.replace(ID, "mem_7"))).records[0]

    assert (record.id, record.key) == (None, "mem_7")


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_line_ends_within_a_cell_stay(line_end: str) -> None:
    content = "one\ntwo\r\nthree\rfour"
    reading = read(make_table(LINE.replace("Tea", f'"{content}"')).replace("\r\n", line_end))

    assert reading.contents == [content if line_end == "\r\n" else content.replace("\r\n", "\n")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a,b", "has 2 cells, the header 8"),
        (LINE + ",x", "has 9 cells, the header 8"),
        (LINE.replace('""a""', "7"), "tags: is no JSON list"),
        (LINE.replace('"[""a""]"', "tea"), "tags: is no JSON list"),
    ],
)
def test_a_bad_row_is_rejected_alone(line: str, reason: str) -> None:
    reading = read(make_table(LINE, line, LINE))

    assert reading.contents == ["Tea", "Tea"]
    assert [place.at for place, _ in reading.notes.rejections] == ["line 3"]
    assert reason in reading.notes.rejections[0][1]


def test_bytes_that_are_no_utf8_are_rejected_with_their_row() -> None:
    data = make_table(LINE, LINE.replace("Tea", "Thé"), LINE).encode("latin-1")
    reading = read(data)

    assert reading.contents == ["Tea", "Tea"]
    assert [place.at for place, _ in reading.notes.rejections] == ["line 3"]


@pytest.mark.parametrize(
    ("data", "mended", "kind"),
    [
        (b"a\x00b", "ab", "NUL"),
        (b"a\xed\xa0\xbd\xed\xb8\x80b", "a😀b", "surrogates as bytes"),
    ],
)
def test_what_can_be_mended_is_counted(data: bytes, mended: str, kind: str) -> None:
    reading = read(make_table(LINE).encode().replace(b"Tea", data))

    assert reading.contents == [mended]
    assert reading.notes.repaired == {kind: 1}


FORMULAS = ["=1+1", "'=1", "tea\n=1;@x", " +1", "it's tea", "'", "=", "\ttea", "a;'-b", "safe"]


def write_safe_csv(contents: list[str]) -> bytes:
    """An export with guards: every text is quoted, and nothing else."""
    lines = [CSV_HEADER]
    for content in contents:
        texts = [content, "default", json.dumps([content], ensure_ascii=False), "agent", ""]
        cells = [add_guards(text).replace('"', '""') for text in texts]
        lines.append(f'{ID},"{chr(34) + chr(44) + chr(34)}",1,2'.replace('","', '","'.join(cells)))
    return "\r\n".join(lines).encode()


def test_guards_of_csv_safe_are_taken_away_and_counted() -> None:
    reading = read(write_safe_csv(FORMULAS))

    assert reading.contents == FORMULAS
    assert [record.tags for record in reading.records] == [[text] for text in FORMULAS]
    assert reading.notes.repaired == {"guard of csv_safe": 7}


def test_a_table_whose_guards_are_not_certain_stays_as_it_is() -> None:
    plain = make_table(LINE.replace("Tea", "'=1"), LINE.replace("Tea", '"\'=1,"'))
    all_quoted = io.StringIO()
    csv.writer(all_quoted, quoting=csv.QUOTE_ALL).writerows(csv.reader(io.StringIO(plain)))

    assert read(plain).contents == ["'=1", "'=1,"]
    assert read(all_quoted.getvalue()).contents == ["'=1", "'=1,"]


@pytest.mark.parametrize(
    "line",
    [
        LINE.replace("Tea", '"Tea'),
        LINE.replace("Tea", '"Tea"x'),
        LINE.replace("Tea", '"Tea" '),
        LINE.replace("Tea", "Te\ra"),
    ],
)
def test_broken_quoting_is_an_error_that_names_the_line(line: str) -> None:
    with pytest.raises(Invalid, match="'t' has broken quoting from line 3 on"):
        read(make_table(LINE, line, LINE))


def test_the_line_of_a_row_counts_the_line_ends_within_cells() -> None:
    reading = read(make_table(LINE.replace("Tea", '"a\nb\nc"'), LINE, "x"))

    assert [record.place.at for record in reading.records] == ["line 2", "line 5"]
    assert reading.notes.rejections[0][0].at == "line 6"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_of_another_store_keeps_all_its_columns(delimiter: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["memory", "created_at", "user_id", "categories", "extra"])
    writer.writerow(["Likes tea", "2026-03-04T05:06:07Z", "ada", "food, drink", '{"a":1.50}'])
    record = read(text.getvalue()).records[0]

    assert (record.content, record.created_at) == ("Likes tea", 1772600767000)
    assert record.tags == ["food", "drink"]
    assert json.loads(record.metadata or "") == {"user_id": "ada", "extra": {"a": 1.5}}
    assert record.source == "mem0"


def test_a_table_of_no_known_program_says_that_it_was_one() -> None:
    assert [record.source for record in read("text,kind\ntea,drink\n").records] == ["csv"]


@pytest.mark.parametrize("text", ["tea\nmore", "memory\nmore", "a,b\n1,2", "", "x" * 70_000])
def test_text_is_not_taken_for_a_table(text: str) -> None:
    assert not CsvRows().recognises(make_bundle({"t": text}))


def test_a_line_without_end_is_refused_before_it_fills_memory() -> None:
    with pytest.raises(Invalid, match="bytes in line 3"):
        read(make_table(LINE, "x" * (17 * 1024 * 1024)))


def test_a_quote_that_is_never_closed_does_not_fill_memory() -> None:
    with pytest.raises(Invalid, match="broken quoting from line 2 on"):
        read(make_table('"' + ("x" * 1023 + "\n") * (17 * 1024)))
