"""JSON of other memory stores: text, times, tags and ids in their places, all else in metadata."""

import json
from typing import Any

import pytest

from memferry.sources import SOURCES
from memferry.sources.base import Record
from memferry.sources.generic_json import GenericJson
from support.source_files import Notes, make_bundle, read_files

MOMENT = "2026-03-04T05:06:07Z"
MOMENT_MS = 1772600767000


def read_one(value: Any) -> Record:
    """The only record of a file, of which the generic reader must think that it can be read."""
    assert GenericJson().recognises(make_bundle({"x": value}))
    reading = read_files(GenericJson(), {"x": value})
    assert reading.notes == Notes()
    assert len(reading.records) == 1
    return reading.records[0]


MEM0 = {
    "id": "m-1",
    "memory": "Likes rye bread",
    "hash": "md5",
    "created_at": "2026-03-04T05:06:07+00:00",
    "updated_at": None,
    "metadata": {"mood": "fine", "weight": 1.5},
    "user_id": "ada",
    "categories": ["food"],
    "expiration_date": "2027-01-01",
}
MEM0_RECORD = {
    "content": "Likes rye bread",
    "key": "m-1",
    "source": "mem0",
    "tags": ["food"],
    "created_at": MOMENT_MS,
    "metadata": {
        "mood": "fine",
        "weight": 1.5,
        "hash": "md5",
        "user_id": "ada",
        "expiration_date": "2027-01-01",
    },
    "origin": {"id": "m-1", "time_from": "record"},
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([MEM0], MEM0_RECORD),
        ({"results": [MEM0]}, MEM0_RECORD),
        ({"count": 1, "next": None, "previous": None, "results": [MEM0]}, MEM0_RECORD),
        (MEM0, MEM0_RECORD),
        (
            {
                "namespace": ["ada", "facts"],
                "key": "k1",
                "value": {"content": "Owns two bikes", "mood": "fine"},
                "created_at": MOMENT,
                "updated_at": MOMENT,
            },
            {
                "content": "Owns two bikes",
                "key": "k1",
                "namespace": "ada.facts",
                "source": "langgraph",
                "created_at": MOMENT_MS,
                "updated_at": MOMENT_MS,
                "metadata": {"value": {"mood": "fine"}},
            },
        ),
        (
            [{"namespace": ["a"], "key": "k", "value": {"kind": "M", "content": {"content": "x"}}}],
            {"content": "x", "source": "langgraph", "metadata": {"value": {"kind": "M"}}},
        ),
        (
            {
                "name": "Helper",
                "system": "You help.",
                "core_memory": [{"label": "human", "value": "Ada", "limit": 5000}],
                "messages": [],
                "tool_exec_environment_variables": {"KEY": "secret"},
            },
            {
                "content": "Ada",
                "source": "letta",
                "metadata": {"label": "human", "limit": 5000},
                "created_at": None,
                "origin": {},
            },
        ),
        (
            {"blocks": [{"id": "block-0", "label": "human", "value": "Ada"}], "metadata": {}},
            {"content": "Ada", "key": "block-0", "metadata": {"label": "human"}},
        ),
        (
            {"mif_version": "2.0", "memories": [{"id": "m", "content": "x", "memory_type": "f"}]},
            {"content": "x", "source": "mif", "metadata": {"memory_type": "f"}},
        ),
        (
            {
                "schema": "portable-ai-memory",
                "schema_version": "1.0",
                "owner": {"id": "o"},
                "memories": [
                    {
                        "id": "p",
                        "type": "fact",
                        "content": "x",
                        "content_hash": "sha256:1",
                        "temporal": {"created_at": MOMENT},
                    }
                ],
            },
            {
                "content": "x",
                "source": "pam",
                "created_at": MOMENT_MS,
                "metadata": {
                    "type": "fact",
                    "content_hash": "sha256:1",
                    "temporal": {"created_at": MOMENT},
                },
            },
        ),
        (
            {"format": "omi", "memories": [{"id": "o", "content": "x", "created": MOMENT}]},
            {"content": "x", "key": "o", "created_at": MOMENT_MS, "metadata": None},
        ),
        (
            {
                "kind": "memory",
                "external_system": "x",
                "external_id": "1",
                "scope": {"user_id": "ada"},
                "created_at": MOMENT,
                "content": "y",
                "categories": [],
            },
            {
                "content": "y",
                "key": "1",
                "source": "cogx",
                "metadata": {"kind": "memory", "external_system": "x", "scope": {"user_id": "ada"}},
            },
        ),
        (
            {
                "memories": [
                    {
                        "content": {"parts": [{"text": "one"}, {"text": "two"}]},
                        "author": "ada",
                        "timestamp": "2026-03-04T05:06:07",
                        "custom_metadata": {"a": 1},
                    }
                ]
            },
            None,
        ),
        (
            {"edges": [{"uuid": "e", "fact": "Ada drinks tea", "source_node_uuid": "n"}]},
            {
                "content": "Ada drinks tea",
                "source": "graphiti",
                "metadata": {"source_node_uuid": "n"},
            },
        ),
        (
            {"exportedAt": MOMENT, "totalCount": 1, "documents": [{"id": "d", "content": "x"}]},
            {"content": "x", "key": "d"},
        ),
        (
            [
                {
                    "id": "t",
                    "content": "x",
                    "name": None,
                    "tree": "work.tea",
                    "meta": {"a": 1},
                    "temporal": {"start": MOMENT, "end": None},
                }
            ],
            {
                "content": "x",
                "namespace": "work.tea",
                "source": "memory-engine",
                "created_at": MOMENT_MS,
                "metadata": {"a": 1, "temporal": {"start": MOMENT, "end": None}},
            },
        ),
        (
            [
                {
                    "id": "w",
                    "user_id": "u",
                    "content": "x",
                    "created_at": 1772600767,
                    "updated_at": 0,
                }
            ],
            {
                "content": "x",
                "source": "open-webui",
                "created_at": MOMENT_MS,
                "updated_at": None,
                "metadata": {"user_id": "u", "updated_at": 0},
            },
        ),
        (["Likes tea"], {"content": "Likes tea", "source": "json", "created_at": None}),
    ],
)
def test_a_record_of_another_store_keeps_all_it_has(value: Any, expected: Any) -> None:
    if expected is None:
        expected = {
            "content": "one\ntwo",
            "source": "google-adk",
            "metadata": {"a": 1, "author": "ada"},
            "created_at": MOMENT_MS,
        }
        reading = read_files(GenericJson(), {"x": value})
        assert reading.notes.repaired == {"time without zone": 1}
        record = reading.records[0]
    else:
        record = read_one(value)
    values = {name: getattr(record, name) for name in expected}
    if "metadata" in expected and record.metadata is not None:
        values["metadata"] = json.loads(record.metadata)

    assert values == expected
    assert record.id is None


def test_the_next_file_of_the_same_store_gives_the_same_keys() -> None:
    row = {"text": "Tea", "created_at": MOMENT}
    first, second = read_one([row]), read_one([{**row, "seen_by": "bob"}])

    assert first.key == second.key
    assert first.key != read_one([{**row, "text": "Coffee"}]).key
    assert first.key != read_one([{**row, "created_at": None}]).key


def test_metadata_of_others_keeps_its_spelling() -> None:
    line = b'{"memory":"x","score":1.50,"metadata":{"n":12345678901234567890,"e":1E5}}'

    assert (
        read_files(GenericJson(), {"x": line}).records[0].metadata
        == '{"n":12345678901234567890,"e":1E5,"score":1.50}'
    )


def test_a_key_that_own_metadata_has_too_is_told_apart() -> None:
    record = read_one([{"memory": "x", "user_id": "ada", "metadata": {"user_id": "bob"}}])

    assert json.loads(record.metadata or "") == {"user_id": "bob"}
    assert record.origin == {"fields": {"user_id": "ada"}}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"id": "1"}, "no text under content"),
        ({"memory": 7}, "no text under content"),
        (7, "expected object"),
        (b'{"memory":"x","memory":"y"}', "given twice"),
        (b'{"memory":"caf\xe9"}', "no valid JSON"),
        (b'{"memory":"x","a":{"b":1,"b":2}}', "given twice"),
        (b'{"content":' + b'{"content":' * 500 + b'"x"' + b"}" * 501, "nested deeper"),
    ],
)
def test_a_bad_record_is_rejected_alone(row: Any, reason: str) -> None:
    bad = row if isinstance(row, bytes) else json.dumps(row).encode()
    data = b'[{"memory":"a"},%b,{"memory":"b"}]' % bad
    reading = read_files(GenericJson(), {"x": data})

    assert reading.contents == ["a", "b"]
    assert [place.at for place, _ in reading.notes.rejections] == ["[1]"]
    assert reason in reading.notes.rejections[0][1]


def test_what_is_no_memory_is_counted() -> None:
    value = {
        "agents": [{"id": "agent-0"}],
        "blocks": [{"value": "x", "embedding": [0.1]}, {"value": ""}],
        "next": "https://example.org/?page=2",
        "memories": [{"content": "gone", "state": "deleted"}],
    }
    reading = read_files(GenericJson(), {"x": value})

    assert reading.contents == ["x"]
    assert reading.notes.left_out == {
        "item of 'agents'": 1,
        "embedding": 1,
        "empty text": 1,
        "next page, which is not in the file": 1,
        "deleted": 1,
    }


def test_a_record_that_would_fill_memory_is_rejected_alone() -> None:
    hostile = b"[" + b"[]," * (4 * 1024 * 1024) + b"[]]"
    data = b'{"memories":[{"content":"a"},{"content":%b},{"content":"b"}],"more":{"a":%b}}'
    reading = read_files(GenericJson(), {"x": data % (hostile, hostile)})

    assert reading.contents == ["a", "b"]
    assert [place.at for place, _ in reading.notes.rejections] == ["memories[1]"]
    assert reading.notes.left_out == {"large member beside the memories": 1}


def test_secrets_beside_the_memories_are_never_copied() -> None:
    agent = {
        "secrets": {"TOKEN": "hidden"},
        "tool_exec_environment_variables": {"TOKEN": "hidden"},
        "agents": [{"secrets": {"TOKEN": "hidden"}}],
        "blocks": [{"label": "human", "value": "Ada"}],
    }

    assert "hidden" not in repr(read_files(GenericJson(), {"x": agent}))


@pytest.mark.parametrize(
    "value",
    [
        {"a": 1},
        [{"a": 1}],
        [1],
        [],
        b"",
        b"tea",
        {"user": {"name": "Ada"}},
        [{"uuid": "u", "full_name": "Ada", "email_address": "a@example.org"}],
        {"value": {"a": 1}},
    ],
)
def test_json_without_texts_is_not_taken_for_memories(value: Any) -> None:
    assert not GenericJson().recognises(make_bundle({"x": value}))


def test_an_empty_answer_is_read_as_empty() -> None:
    bundle = make_bundle({"x": {"results": []}})

    assert GenericJson().recognises(bundle)
    assert read_files(GenericJson(), {"x": {"results": []}}).records == []


LINES = (
    b'{"id":"1","content":"a","state":"active","app":"x","categories":["tea"]}\n'
    b'{"id":"2","content":"b","state":"deleted","app":"x","categories":[]}\n'
)
DOCUMENT = {
    "user": {"id": "u"},
    "apps": [{"id": "x"}],
    "categories": [{"id": "c"}],
    "memories": [{"id": "1", "content": "a", "app_id": "x", "state": "active"}],
}


def test_a_backup_of_openmemory_gives_each_memory_once() -> None:
    files = {"b/memories.json": DOCUMENT, "b/memories.jsonl": LINES}
    notes = Notes()
    (assignment,) = SOURCES.assign(make_bundle(files), notes)
    reading = read_files(assignment.source, files)

    assert assignment.source.name == "openmemory"
    assert reading.contents == ["a"]
    assert reading.records[0].tags == ["tea"]
    assert reading.notes.left_out == {
        "file that repeats the memories, or holds none": 1,
        "deleted": 1,
    }


def test_the_document_of_openmemory_is_read_where_it_is_alone() -> None:
    reading = read_files(
        SOURCES.assign(make_bundle({"m": DOCUMENT}), Notes())[0].source, {"m": DOCUMENT}
    )

    assert reading.contents == ["a"]
    assert reading.notes.left_out == {"item of 'apps'": 1, "item of 'categories'": 1}
