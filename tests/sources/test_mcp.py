"""The memory file of MCP's reference server: a memory per observation, one per relation."""

import json

import pytest

from memferry.sources.mcp import McpMemory
from support.source_files import make_bundle, read_files

ADA = {
    "type": "entity",
    "name": "Ada",
    "entityType": "person",
    "observations": ["likes tea", "keeps bees"],
}
DRINKS = {"type": "relation", "from": "Ada", "to": "Tea", "relationType": "drinks"}
LINES = (json.dumps(ADA) + "\n" + json.dumps(DRINKS)).encode()
CONTENTS = ["likes tea", "keeps bees", "Ada drinks Tea"]


@pytest.mark.parametrize(
    "value",
    [
        LINES,
        [ADA, DRINKS],
        {"entities": [ADA], "relations": [DRINKS]},
        json.dumps(ADA) + json.dumps(DRINKS),
    ],
)
def test_every_observation_and_every_relation_is_a_memory(value: object) -> None:
    assert McpMemory().recognises(make_bundle({"m": value}))
    reading = read_files(McpMemory(), {"m": value})

    assert reading.contents == CONTENTS
    assert [record.tags for record in reading.records] == [
        ["entity:Ada", "type:person"],
        ["entity:Ada", "type:person"],
        ["entity:Ada", "entity:Tea"],
    ]
    assert reading.metadata[0] == {"name": "Ada", "entityType": "person"}
    assert reading.metadata[2] == {"from": "Ada", "to": "Tea", "relationType": "drinks"}
    assert {record.created_at for record in reading.records} == {None}
    assert reading.notes.rejections == []


def test_keys_are_the_same_in_any_order_and_differ_by_entity() -> None:
    bob = {**ADA, "name": "Bob"}
    first = read_files(McpMemory(), {"m": [ADA, bob, DRINKS]}).records
    second = read_files(McpMemory(), {"m": [DRINKS, bob, ADA]}).records

    assert len({record.key for record in first}) == 5
    assert {record.key for record in first} == {record.key for record in second}


def test_a_line_that_was_cut_or_glued_loses_no_other() -> None:
    cut = b'{"type":"entity","name":"B'
    reading = read_files(
        McpMemory(), {"m": LINES + b"\n" + cut + b"\n" + LINES.replace(b"\n", b"")}
    )

    assert reading.contents == CONTENTS * 2
    assert [place.at for place, _ in reading.notes.rejections] == ["line 3"]
    assert reading.notes.repaired == {"glued lines": 1}


def test_what_is_no_memory_is_counted_or_rejected() -> None:
    odd = [ADA, {**ADA, "observations": []}, {**ADA, "observations": [7]}, {"type": "x"}]
    reading = read_files(McpMemory(), {"m": odd})

    assert reading.notes.left_out == {"entity without observations": 1}
    assert [place.at for place, _ in reading.notes.rejections] == ["[2]", "[3]"]


def test_fields_that_others_have_added_are_kept() -> None:
    reading = read_files(McpMemory(), {"m": [{**ADA, "project": "home"}]})

    assert reading.metadata[0]["project"] == "home"
