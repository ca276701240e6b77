"""What the service exports is recognised, and read back exactly, in every variant."""

import json
from typing import Any

import pytest

from memferry.sources import SOURCES
from memferry.sources.base import ReadOptions, Record
from support.memories import AWKWARD, save_everywhere
from support.people import Person
from support.source_files import Notes, make_bundle
from support.spreadsheet import HOSTILE

EXACT = (
    {"format": "json"},
    {"format": "ndjson"},
    {"format": "csv", "csv_metadata": True},
    {"format": "csv", "csv_metadata": True, "csv_safe": True},
)


def read_export(person: Person, **body: Any) -> tuple[list[Record], Notes]:
    """Export and read back, by whatever source recognises the file."""
    payload = person.export(**body)["payload"]
    notes = Notes()
    ((source, bundle),) = SOURCES.assign(make_bundle({"export": payload}), notes)
    return list(source.read(bundle, ReadOptions(), notes)), notes


def show(record: Record) -> dict[str, Any]:
    """The record as a row; metadata as text."""
    return {
        "id": str(record.id),
        "content": record.content,
        "namespace": record.namespace,
        "tags": list(record.tags),
        "source": record.source,
        "source_ref": record.source_ref,
        "metadata": record.metadata,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    }


@pytest.fixture
def bob_has_all(bob: Person) -> Person:
    """Someone whose memories hold everything that is awkward anywhere."""
    save_everywhere(bob, (*AWKWARD, *HOSTILE))
    items = [
        {"content": text, "metadata": {text: [text, 1.5, None, {"=": text}]}} for text in AWKWARD
    ]
    bob.save_many([*items, {"content": "bare"}])
    return bob


@pytest.mark.parametrize("body", EXACT, ids=" ".join)
def test_an_export_is_read_back_exactly(bob_has_all: Person, body: dict[str, Any]) -> None:
    rows = [
        json.loads(line) for line in bob_has_all.export(format="ndjson")["payload"].split("\n")[:-1]
    ]
    records, notes = read_export(bob_has_all, **body)

    shown = [show(record) for record in records]
    assert [row | {"metadata": json.loads(row["metadata"] or "null")} for row in shown] == rows
    assert all(record.key is None and record.origin is None for record in records)
    assert (notes.rejections, notes.left_out) == ([], {})
    assert set(notes.repaired) <= {"guard of csv_safe"}


@pytest.mark.parametrize("body", EXACT, ids=" ".join)
def test_the_text_of_metadata_is_the_same_in_every_format(
    bob_has_all: Person, body: dict[str, Any]
) -> None:
    lines = bob_has_all.export(format="ndjson")["payload"].split("\n")[:-1]
    records, _ = read_export(bob_has_all, **body)

    for line, record in zip(lines, records, strict=True):
        assert f',"metadata":{record.metadata or "null"},"created_at":' in line


@pytest.mark.parametrize("body", EXACT, ids=" ".join)
def test_an_export_without_memories_is_read_back(alice: Person, body: dict[str, Any]) -> None:
    if body["format"] == "ndjson":
        assert alice.export(**body)["payload"] == ""
        return

    assert read_export(alice, **body) == ([], Notes())


@pytest.mark.parametrize("format_", ["json", "ndjson", "csv"])
def test_an_export_of_some_fields_keeps_what_it_has(alice: Person, format_: str) -> None:
    saved = alice.save("Tea", namespace="home", tags=["a"])
    ((record,), _) = read_export(alice, format=format_, fields=["content", "id", "tags"])

    assert (str(record.id), record.content, list(record.tags)) == (saved["id"], "Tea", ["a"])
    ((record,), _) = read_export(alice, format=format_, fields=["content", "created_at"])
    assert (record.id, record.content, record.created_at) == (None, "Tea", saved["created_at"])
