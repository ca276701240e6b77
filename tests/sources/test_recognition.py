"""Which source reads which files; what none knows is said in words, and never dropped silently."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from memferry.errors import Invalid
from memferry.sources import SOURCES
from support.source_files import Notes, make_bundle

PAGE = (Path(__file__).parents[2] / "docs/sources.md").read_text()
OURS = json.dumps({"id": "0195b1c2-aaaa-7bbb-8ccc-000000000001", "content": "Tea"})
ENTITY = {"type": "entity", "name": "Ada", "entityType": "person", "observations": ["tea"]}
MANIFEST = {"id": "01J0", "memferry": {"sequence": 1}, "name": "x", "resources": []}
DIGESTS = "0" * 64 + "  memferry-01J0.ndjson\n"


def assign(files: dict[str, Any], name: str | None = None) -> tuple[dict[str, list[str]], Notes]:
    """The names of the files that each source reads."""
    notes = Notes()
    assignments = SOURCES.assign(make_bundle(files), notes, name)
    return {
        source.name: [member.name for member in bundle.members] for source, bundle in assignments
    }, notes


def test_each_member_is_read_by_the_source_that_knows_it() -> None:
    files = {
        "1.ndjson": OURS,
        "2.json": [{"memory": "Tea"}],
        "3": [ENTITY],
        "4.csv": "memory,user_id\r\nTea,ada",
        "5.ndjson": OURS,
        "6.bin": b"\x00\x01",
    }
    groups, notes = assign(files)

    assert groups == {
        "memferry": ["1.ndjson", "5.ndjson"],
        "mcp": ["3"],
        "json": ["2.json"],
        "csv": ["4.csv"],
    }
    assert notes.left_out == {"file of no known kind": 1}


def test_a_manifest_beside_an_export_is_left_out_and_counted() -> None:
    groups, notes = assign({"a.ndjson": OURS, "a.manifest.json": MANIFEST, "a.sha256": DIGESTS})

    assert groups == {"memferry": ["a.ndjson"]}
    assert notes.left_out == {"manifest of an export": 2}


def test_a_source_that_is_named_reads_everything() -> None:
    assert assign({"a": OURS, "b": b""}, "json")[0] == {"json": ["a", "b"]}
    with pytest.raises(Invalid, match="format: expected one of"):
        assign({"a": OURS}, "carrier pigeon")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is an empty file"),
        (b"\x89PNG\r\n\x1a\n", "is a PNG image"),
        (b"\xff\xd8\xff\xe0", "is a JPEG image"),
        (b"%PDF-1.7", "is a PDF"),
        (b"SQLite format 3\x00", "is an SQLite database"),
        (b"<!DOCTYPE html><p>", "is an HTML page"),
        (b"7z\xbc\xaf\x27\x1c", "is a 7z archive"),
        (b"\x00\x01\x02", "is binary data"),
        (b"tea\nbees", "is plain text of 2 lines, which only format=paste reads"),
        (b'{"a": 1, "b": {}}', "is a JSON object with the keys a, b"),
        (b'[{"x": 1}]', "is a JSON list of objects with the keys x"),
        (b"[1, 2]", "is a JSON list whose items are no objects"),
        (b'{"a": 1}\n{"a": 2}', "is lines of JSON objects with the keys a"),
    ],
)
def test_what_no_source_knows_is_said_in_words(data: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=re.escape(f"file: {words}")):
        assign({"x": data})


def test_several_unknown_files_are_described_too() -> None:
    with pytest.raises(Invalid, match=r"is 2 files, such as 'a', a PDF; 'b', a PNG image"):
        assign({"a": b"%PDF-1.7", "b": b"\x89PNG"})


@pytest.mark.parametrize("name", SOURCES.names)
def test_every_source_has_its_row_in_the_documentation(name: str) -> None:
    assert f"| `{name}` |" in PAGE


def test_names_of_sources_are_unique() -> None:
    assert len(set(SOURCES.names)) == len(SOURCES.names)
