"""Markdown: our own export comes back to the byte, and each dialect keeps all that it says."""

import json
from typing import Any
from uuid import UUID

import pytest

from memferry.sources.markdown import MarkdownFiles
from memferry.sources.reading.times import NO_ZONE, UNREADABLE
from support.memories import AWKWARD
from support.source_files import Reading, make_bundle, read_files

MARKDOWN = MarkdownFiles()
JAN_2 = 1_767_312_000_000
ID = "0195f3a0-0000-7000-8000-000000000001"


def read(files: dict[str, Any], **options: Any) -> Reading:
    return read_files(MARKDOWN, files, **options)


def own(content: str, *, tags: Any = (), **more: Any) -> str:
    """A file of our own OKF export; `more` changes what stands below `memferry`."""
    block = {
        "id": ID,
        "namespace": "home",
        "source": "chat",
        "source_ref": "m-1",
        "created_at": 1741064767000,
        "updated_at": 1741064767001,
        **more,
    }
    front = {"type": "memory", "title": "x", "tags": list(tags)}
    generated = {"by": "human:ada", "at": "2001-01-01T00:00:00Z"}
    lines = [f"{name}: {json.dumps(value)}" for name, value in front.items()]
    lines += [f"generated: {json.dumps(generated)}", f"memferry: {json.dumps(block)}"]
    return "\n".join(["---", *lines, "---", content])


def test_our_own_export_is_restored_with_id_times_and_metadata() -> None:
    metadata = '{"b":1.50,"a":[null,"\\u00e9\\"\\\\"]}'
    reading = read({"home/x.md": own("Green tea", tags=["#drinks", "a, b", ""], metadata=metadata)})
    (record,) = reading.records

    assert (record.id, record.key, record.origin) == (UUID(ID), None, None)
    assert (record.content, list(record.tags)) == ("Green tea", ["#drinks", "a, b", ""])
    assert (record.namespace, record.source, record.source_ref) == ("home", "chat", "m-1")
    assert record.metadata == metadata
    assert (record.created_at, record.updated_at) == (1741064767000, 1741064767001)
    assert reading.notes.repaired == {}


@pytest.mark.parametrize(
    "content", [*AWKWARD, "\n", "\n\nx\n\n", "---\na: 1\n---\n", "a\r\nb\r", " "]
)
def test_the_content_of_our_own_export_comes_back_to_the_byte(content: str) -> None:
    assert read({"x.md": own(content)}).contents == [content]


def test_metadata_of_any_size_that_may_be_stored_comes_back() -> None:
    metadata = json.dumps({"a": '"' * 500_000}, separators=(",", ":"))

    assert read({"x.md": own("x" * 1024 * 1024, metadata=metadata)}).records[0].metadata == metadata


def test_our_own_export_is_read_whatever_its_files_are_called() -> None:
    names = [".trash/a.md", "templates/b.md", "index.md", "log.md", "MEMORY.md", ".obsidian/c.md"]
    reading = read({name: own("{{x}}") for name in names})

    assert reading.contents == ["{{x}}"] * len(names)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"id": "x"}, "memferry.id"),
        ({"created_at": "soon"}, "memferry.created_at"),
        ({"namespace": ["home"]}, "memferry.namespace"),
        ({"colour": "red"}, "memferry.colour"),
        ({"tags": [["a"]]}, "tags"),
    ],
)
def test_a_damaged_own_file_is_rejected_by_name_of_the_field(
    wrong: dict[str, Any], reason: str
) -> None:
    reading = read({"a.md": own("x", **wrong), "b.md": own("y")})

    assert reading.contents == ["y"]
    assert [(place.member, reason in text) for place, text in reading.notes.rejections] == [
        ("a.md", True)
    ]


def test_a_note_keeps_all_of_its_front_matter() -> None:
    note = "---\ntitle: Tea\nid: 0123\ntags: [drinks]\ncreated: 2026-01-02T00:00:00Z\nown: {a: 1}\n"
    reading = read({"tea.md": f"{note}---\n\nGreen tea\n"})
    (record,) = reading.records

    assert record.content == "\nGreen tea\n"
    assert (record.key, record.source_ref) == ("tea.md", "tea.md")
    assert (record.tags, record.created_at) == (["drinks"], JAN_2)
    assert record.origin == {"time_from": "record"}
    assert reading.metadata == [{"frontmatter": {"title": "Tea", "id": "0123", "own": {"a": "1"}}}]


@pytest.mark.parametrize(
    ("front", "tags"),
    [
        ("tags: [a, b]", ["a", "b"]),
        ("tags: [a, a]", ["a"]),
        ("tags: a, b", ["a", "b"]),
        ("tags: a b", ["a b"]),
        ('tags: "#a #b/c"', ["a", "b/c"]),
        ('tags: ["#a", "b"]', ["a", "b"]),
        ("tags:\n  - a\n  - b", ["a", "b"]),
        ("tags:", []),
        ("categories: [a]", ["a"]),
    ],
)
def test_tags_are_lists_or_texts_with_or_without_signs(front: str, tags: list[str]) -> None:
    (record,) = read({"": f"---\n{front}\n---\nx"}).records

    assert (list(record.tags), record.metadata) == (tags, None)


def test_tags_of_another_shape_stay_in_the_front_matter() -> None:
    reading = read({"": "---\ntags: {a: b}\n---\nx"})

    assert (list(reading.records[0].tags), reading.metadata) == (
        [],
        [{"frontmatter": {"tags": {"a": "b"}}}],
    )


@pytest.mark.parametrize(
    "front",
    [
        "generated: {by: x, at: 2026-01-02T00:00:00Z}\ncreated: 2030-01-01T00:00:00Z",
        "created_at: 2026-01-02T00:00:00Z",
        "created: 1767312000",
        "date: 2026-01-02T00:00:00+00:00",
        "timestamp: 2026-01-02T00:00:00Z",
    ],
)
def test_each_way_to_say_when_it_was_written_is_understood(front: str) -> None:
    assert read({"": f"---\n{front}\n---\nx"}).records[0].created_at == JAN_2


def test_times_without_zone_are_noted_and_unreadable_ones_stay_where_they_are() -> None:
    reading = read(
        {"": "---\ncreated: soon\ndate: 2026-01-02\nmodified: 2026-01-02 10:00\n---\nx"},
        timezone="Asia/Tokyo",
    )
    (record,) = reading.records

    assert record.created_at == JAN_2 - 9 * 3_600_000
    assert record.updated_at == JAN_2 + 3_600_000
    assert reading.metadata == [{"frontmatter": {"created": "soon"}}]
    assert reading.notes.repaired == {NO_ZONE: 2, UNREADABLE: 1}


def test_a_note_without_a_time_has_none() -> None:
    (record,) = read({"x.md": "words", "y.md": ""}).records

    assert (record.content, record.created_at, record.origin) == ("words", None, {})


def test_unreadable_front_matter_stays_in_the_content_and_is_noted() -> None:
    reading = read({"a.md": "---\ntitle: a: b\n---\nx", "b.md": "y"})

    assert reading.contents == ["---\ntitle: a: b\n---\nx", "y"]
    assert reading.notes.repaired == {"unreadable front matter": 1}


def test_a_note_of_front_matter_alone_is_kept_whole() -> None:
    text = "---\ndescription: Ada, a sailor\n---\n\n"

    assert read({"a.md": text}).contents == [text]


def test_bytes_that_are_no_text_are_mended_and_noted() -> None:
    data = b'\xef\xbb\xbf---\ntitle: "a\\0b"\n---\ncaf\xc3\xa9 \x00'
    reading = read({"": data})

    assert reading.contents == ["caf\xe9 "]
    assert reading.metadata == [{"frontmatter": {"title": "ab"}}]
    assert reading.notes.repaired == {"byte order mark": 1, "NUL": 2}


def test_a_file_of_another_encoding_is_rejected_alone() -> None:
    reading = read({"a.md": b"caf\xe9", "b.md": "x"})

    assert reading.contents == ["x"]
    assert [(place.member, reason) for place, reason in reading.notes.rejections] == [
        ("a.md", "is not UTF-8, byte 3 is 0xE9: convert the file first")
    ]


def test_the_folder_becomes_a_tag_the_namespace_or_nothing() -> None:
    files = {"vault/food/hot/tea.md": "tea", "vault/x.md": "x"}
    tagged, spaced, plain = (
        read(files, folders=folders).records for folders in ("tag", "namespace", "none")
    )

    assert [record.tags for record in tagged] == [["food"], []]
    assert [record.namespace for record in spaced] == ["food/hot", None]
    assert [(record.tags, record.namespace) for record in plain] == [([], None)] * 2
    assert [record.key for record in plain] == list(files)


def test_obsidian_keeps_its_settings_its_trash_and_its_templates() -> None:
    files = {
        "v/a.md": '---\naliases: [A]\ntags: ["#b"]\n---\nSee [[b]] #c',
        "v/.trash/b.md": "gone",
        "v/.obsidian/plugins/p/README.md": "# P",
        "v/templates/daily.md": "# {{date}}",
        "v/templates/keep.md": "no placeholder",
        "v/index.md": "an own note",
    }
    reading = read(files)

    assert reading.contents == ["See [[b]] #c", "no placeholder", "an own note"]
    assert reading.notes.left_out == {"file of a hidden folder": 2, "template": 1}


@pytest.mark.parametrize("index", ['---\nokf_version: "0.2"\n---\n# Index', "# Index\n- [a](a.md)"])
def test_an_okf_bundle_has_its_lists_left_out(index: str) -> None:
    concept = "---\ntype: preference\ntitle: Tea\nx-own: 1\n---\nGreen tea"
    reading = read({"index.md": index, "food/log.md": "- made", "food/tea.md": concept})

    assert reading.contents == ["Green tea"]
    assert reading.metadata == [
        {"frontmatter": {"type": "preference", "title": "Tea", "x-own": "1"}}
    ]
    assert reading.notes.left_out == {"index of a folder": 2}


def test_claude_code_has_its_index_left_out_unless_it_says_more() -> None:
    topic = (
        "---\nname: tests\ndescription: How to test\nmetadata:\n  type: feedback\n---\nRun all\n"
    )
    index = "# Memory\n- [tests](tests.md) \u2014 how to test\n"
    listed = read({"p/memory/MEMORY.md": index, "p/memory/tests.md": topic})
    told = read({"p/memory/MEMORY.md": f"{index}- Prefers tabs\n", "p/memory/tests.md": topic})

    assert listed.contents == ["Run all\n"]
    assert listed.notes.left_out == {"index of a folder": 1}
    assert listed.metadata[0]["frontmatter"]["metadata"] == {"type": "feedback"}
    assert told.contents == [f"{index}- Prefers tabs\n", "Run all\n"]


def test_basic_memory_and_letta_keep_body_and_fields() -> None:
    note = (
        "---\ntitle: Tea\ntype: note\npermalink: food/tea\ntags: a, b\n---\n- [fact] green #x (y)\n"
    )
    reading = read({"m/system/human.md": "---\ndescription: Who\n---\nAda", "m/food/tea.md": note})

    assert reading.contents == ["Ada", "- [fact] green #x (y)\n"]
    assert [record.tags for record in reading.records] == [["system"], ["a", "b", "food"]]
    assert reading.metadata[1]["frontmatter"]["permalink"] == "food/tea"


BLOCKS = """---
id: 1
created_at: 2026-01-02T00:00:00Z
type: fact
categories: [food]
---

Likes tea
---
and rules

---
id: 2
created_at: 2026-01-02T00:00:00Z
branch: main
---
Likes bread
"""


def test_a_file_of_many_memories_is_read_one_by_one() -> None:
    reading = read({"mem0-export-1.md": BLOCKS})
    first, second = reading.records

    assert reading.contents == ["Likes tea\n---\nand rules", "Likes bread"]
    assert (first.key, first.source_ref, first.tags, first.created_at) == (
        "1",
        "1",
        ["food"],
        JAN_2,
    )
    assert reading.metadata[1] == {"frontmatter": {"id": "2", "branch": "main"}}
    assert second.place.at == "line 12"


def test_a_memory_of_any_length_is_refused_and_the_others_are_read() -> None:
    long = BLOCKS.replace("and rules", ("x" * 2_500_000 + "\n") * 2)
    reading = read({"a.md": long, "b.md": "y" * 9_000_000, "c.md": "z"})

    assert reading.contents == ["Likes bread", "z"]
    assert [place.member for place, _ in reading.notes.rejections] == ["a.md", "b.md"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"": "---\na: 1\n---\nx"}, True),
        ({"notes.md": "# Heading\n\nwords"}, False),
        ({"a.md": "# Heading", "b.md": ""}, True),
        ({"": "---\nkey: value\nother: 1\n"}, False),
        ({"": "---\n[2026-01-15] - Tea\n---\n"}, False),
        ({"a.md": "x", "b.png": b"\x89PNG"}, False),
    ],
)
def test_content_is_recognised_by_front_matter_and_in_archives_by_name(
    files: dict[str, Any], *, expected: bool
) -> None:
    assert MARKDOWN.recognises(make_bundle(files)) is expected
