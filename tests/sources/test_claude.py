"""The account export of Claude: both layouts, the message tree, projects, memories."""

from collections.abc import Mapping
from typing import Any

import pytest

from memferry.errors import Invalid
from memferry.sources.chatgpt import ChatGptExport
from memferry.sources.claude import ClaudeExport
from support.source_files import Reading, make_bundle, read_files

CLAUDE = ClaudeExport()
ROOT = "00000000-0000-4000-8000-000000000000"
FEB_3 = 1_770_091_446_790


def say(id_: str, sender: str, words: str, **more: Any) -> dict[str, Any]:
    """A message with one block of text; `more` are its other fields."""
    content = [{"type": "text", "text": words, "citations": []}]
    time = f"2026-02-03T04:04:{int(id_[-1]):02}Z"
    return {
        "uuid": id_,
        "sender": sender,
        "text": words,
        "created_at": time,
        "updated_at": time,
        "content": content,
        "attachments": [],
        "files": [],
        **more,
    }


def converse(*messages: Any, **more: Any) -> dict[str, Any]:
    return {
        "uuid": "c",
        "name": "Boat varnish",
        "summary": "",
        "account": {"uuid": "a"},
        "created_at": "2026-02-03T04:04:06.789612Z",
        "updated_at": "2026-02-03T05:00:00Z",
        "chat_messages": list(messages),
        **more,
    }


def read(*conversations: Any, **options: Any) -> Reading:
    return read_files(CLAUDE, {"conversations.json": list(conversations)}, **options)


TALK = (say("m1", "human", "How many coats?"), say("m2", "assistant", "Use two coats"))
PROJECT = {
    "uuid": "p",
    "name": "Garden",
    "description": "Beds",
    "prompt_template": "Be green",
    "is_private": True,
    "created_at": "2026-01-01T00:00:00Z",
    "creator": {"uuid": "a"},
    "docs": [
        {
            "uuid": "d",
            "filename": "soil.md",
            "content": "Clay",
            "created_at": "2026-01-02T00:00:00Z",
        }
    ],
}
MEMORY = "Lives in Oslo\n\n**Work**\n\nBuilds boats\n\n## Food\nTea\n\n## Food\nBread\n"
MEMORIES = {
    "account_uuid": "a",
    "conversations_memory": MEMORY,
    "project_memories": {"p": "Grows leeks", "q": "Lost"},
}
USERS = [{"uuid": "a", "full_name": "Ada", "email_address": "ada@example.com"}]


def test_each_message_is_a_memory_of_its_thread() -> None:
    reading = read(converse(*TALK))
    first = reading.records[0]

    assert reading.contents == ["How many coats?", "Use two coats"]
    assert (first.key, first.source_ref, first.created_at) == ("c/m1", "m1", 1_770_091_441_000)
    assert first.origin == {"seq": 0, "time_from": "record"}
    assert reading.metadata == [
        {"parent_ref": "c", "title": "Boat varnish", "chunk_index": 0, "role": "user"},
        {"parent_ref": "c", "title": "Boat varnish", "chunk_index": 1, "role": "assistant"},
    ]


LAYOUTS: dict[str, Mapping[str, Any]] = {
    "one archive": {
        "conversations.json": [converse(*TALK)],
        "users.json": USERS,
        "projects.json": [PROJECT],
        "memories.json": [MEMORIES],
    },
    "a file per project": {
        "data/conversations.json": [converse(*TALK)],
        "data/projects/p.json": PROJECT,
        "data/memories.json": MEMORIES,
        "data/users.json": USERS,
        "data/design_chats/d.json": {"messages": [{"contentBlocks": []}]},
    },
    "archives behind a manifest": {
        "manifest-u.json": {"files": [{"url": "https://example.com/conversations-000.zip"}]},
        "memories.json": MEMORIES,
        "conversations-000.zip/conversations.json": [converse(*TALK)],
        "projects-000.zip/p.json": PROJECT,
    },
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_is_recognised_and_gives_the_same_memories(layout: str) -> None:
    files = LAYOUTS[layout]
    first = read_files(CLAUDE, LAYOUTS["one archive"])
    reading = read_files(CLAUDE, files)

    assert CLAUDE.recognises(make_bundle(files))
    assert [record.key for record in reading.records] == [record.key for record in first.records]
    assert reading.contents == first.contents
    assert reading.notes.rejections == []


@pytest.mark.parametrize(
    "content", [[converse(*TALK)], converse(*TALK), PROJECT, MEMORIES, [MEMORIES]]
)
def test_one_file_of_the_export_is_recognised_alone(content: Any) -> None:
    assert CLAUDE.recognises(make_bundle({"": content}))
    assert read_files(CLAUDE, {"": content}).records


def test_a_manifest_alone_says_what_to_do() -> None:
    files = {"manifest.json": LAYOUTS["archives behind a manifest"]["manifest-u.json"]}

    assert CLAUDE.recognises(make_bundle(files))
    with pytest.raises(Invalid, match="download the files behind"):
        read_files(CLAUDE, files)


def test_users_and_other_products_are_left_out_and_counted() -> None:
    assert read_files(CLAUDE, LAYOUTS["a file per project"]).notes.left_out == {
        "other file of the export": 2
    }


def link(*pairs: tuple[dict[str, Any], str | None]) -> list[dict[str, Any]]:
    return [{**message, "parent_message_uuid": parent} for message, parent in pairs]


EDITED = link(
    (TALK[0], ROOT),
    (TALK[1], "m1"),
    (say("m3", "human", "How many days?"), ROOT),
    (say("m4", "assistant", "Three"), "m3"),
)


def test_the_newest_branch_is_read_and_the_other_one_counted() -> None:
    reading = read(converse(*EDITED))
    branches = read(converse(*EDITED), branches=True)

    assert reading.contents == ["How many days?", "Three"]
    assert reading.notes.left_out == {"other branch": 2}
    assert reading.notes.repaired == {}
    assert branches.contents == ["How many days?", "Three", "How many coats?", "Use two coats"]
    assert [record.tags for record in branches.records] == [[], [], ["branch"], ["branch"]]


def test_the_leaf_that_the_export_names_chooses_the_branch() -> None:
    conversation = converse(*EDITED, current_leaf_message_uuid="m2")

    assert read(conversation).contents == ["How many coats?", "Use two coats"]


@pytest.mark.parametrize("parent", ["absent", None, ""])
def test_without_any_parents_the_order_of_the_list_counts(parent: str | None) -> None:
    messages = [*TALK, say("m3", "human", "Thanks")]
    if parent != "absent":
        messages = link(*((message, parent) for message in messages))
    reading = read(converse(*messages))

    assert reading.contents == ["How many coats?", "Use two coats", "Thanks"]
    assert [metadata["chunk_index"] for metadata in reading.metadata] == [0, 1, 2]


def test_a_message_that_names_no_parent_beside_others_follows_the_one_before() -> None:
    messages = [TALK[0], *link((TALK[1], "m1")), say("m3", "human", "Thanks")]

    assert read(converse(*messages)).contents == ["How many coats?", "Use two coats", "Thanks"]


def test_a_cycle_and_a_missing_parent_are_noted() -> None:
    for parent in ("m2", "gone"):
        reading = read(converse(*link((TALK[0], parent), (TALK[1], "m1"))))

        assert reading.contents == ["How many coats?", "Use two coats"]
        assert reading.notes.repaired == {"broken message tree": 1}


def test_the_blocks_of_text_count_and_not_the_flat_copy() -> None:
    message = say("m1", "assistant", "x", text="hidden plan and x")
    message["content"].append({"type": "text", "text": "and y"})

    assert read(converse(message)).contents == ["x\n\nand y"]


def test_the_flat_copy_counts_where_there_is_no_block_of_text() -> None:
    old = say("m1", "human", "", text="Old file", content=None)
    image = say("m2", "human", "", text="See image", content=[{"type": "image"}])

    assert read(converse(old, image)).contents == ["Old file", "See image"]


HIDDEN: dict[str, list[dict[str, Any]]] = {
    "hidden reasoning": [{"type": "thinking", "thinking": "hm", "summaries": []}],
    "tool traffic": [
        {"type": "tool_use", "name": "artifacts", "input": {"content": "code"}},
        {"type": "tool_result", "content": [{"type": "text", "text": "found"}]},
    ],
    "message of the system": [{"type": "token_budget"}, {"type": "injected_prompt_block"}],
    "unknown content type": [{"type": "hologram"}, {}],
}


@pytest.mark.parametrize("reason", HIDDEN)
def test_blocks_of_other_types_are_left_out_and_counted(reason: str) -> None:
    message = say("m1", "assistant", "x")
    message["content"] = [*HIDDEN[reason], *message["content"]]
    reading = read(converse(message))

    assert reading.contents == ["x"]
    assert reading.notes.left_out == {reason: len(HIDDEN[reason])}


def test_a_message_of_hidden_blocks_alone_is_no_memory_whatever_its_flat_copy_says() -> None:
    message = say("m1", "assistant", "", text="hidden", content=HIDDEN["tool traffic"])
    reading = read(converse(message))

    assert reading.records == []
    assert reading.notes.left_out == {"tool traffic": 2, "message without text": 1}


def test_the_text_of_an_attachment_is_a_memory_beside_its_message() -> None:
    attachments = [
        {"file_name": "a.txt", "file_type": "txt", "extracted_content": "full text"},
        {"file_name": "b.bin", "extracted_content": ""},
    ]
    files = [{"file_name": "c.png"}]
    reading = read(converse(say("m1", "human", "Read", attachments=attachments, files=files)))
    message, attachment = reading.records

    assert reading.contents == ["Read", "full text"]
    assert (message.origin or {})["attachments"] == ["a.txt", "b.bin", "c.png"]
    assert attachment.key == "c/m1/attachment-0"
    assert (attachment.origin or {})["file"] == "a.txt"
    assert reading.metadata[1]["chunk_index"] == 0


def test_a_conversation_without_name_is_called_by_its_first_words() -> None:
    assert read(converse(*TALK, name="")).metadata[0]["title"] == "How many coats?"


def test_a_message_without_time_has_that_of_its_conversation_and_says_so() -> None:
    reading = read(converse(say("m1", "human", "x", created_at=None)))
    record = reading.records[0]

    assert (record.created_at, (record.origin or {})["time_from"]) == (FEB_3, "conversation")


def test_documents_and_instructions_of_a_project_have_its_name_as_a_tag() -> None:
    description, instructions, document = read_files(CLAUDE, {"": PROJECT}).records

    assert (description.content, description.tags) == ("Beds", ["Garden"])
    assert (instructions.content, instructions.tags) == (
        "Be green",
        ["Garden", "custom-instructions"],
    )
    assert (document.content, document.tags, document.source_ref) == ("Clay", ["Garden"], "d")
    assert document.created_at == 1_767_312_000_000
    assert document.origin == {"file": "soil.md", "time_from": "record"}


def test_memories_are_cut_at_their_headings_and_have_no_time() -> None:
    reading = read_files(CLAUDE, {"m.json": MEMORIES, "p.json": PROJECT})
    records = [record for record in reading.records if "saved-memory" in record.tags]

    assert [(record.content, record.tags[1:]) for record in records] == [
        ("Lives in Oslo", []),
        ("**Work**\n\nBuilds boats", []),
        ("## Food\nTea", []),
        ("## Food\nBread", []),
        ("Grows leeks", ["Garden"]),
        ("Lost", []),
    ]
    assert {record.created_at for record in records} == {None}
    assert [record.key for record in records] == [
        *("a/conversations/#1", "a/conversations/Work#1"),
        *("a/conversations/Food#1", "a/conversations/Food#2"),
        *("a/p/#1", "a/q/#1"),
    ]


def test_memories_can_stay_whole() -> None:
    assert read_files(CLAUDE, {"": MEMORIES}, per="conversation").contents[0] == MEMORY.strip()


def test_one_bad_conversation_never_loses_the_others() -> None:
    bad: list[Any] = [
        None,
        {},
        {"chat_messages": {}},
        converse(None, 5, {}, {"sender": []}, uuid=7, name=[]),
    ]
    reading = read(*bad, converse(*TALK))

    assert reading.contents == ["How many coats?", "Use two coats"]
    assert [place.at for place, _ in reading.notes.rejections] == [
        *("[0]", "[1]", "[2]", "[3] message 0", "[3] message 1")
    ]


def test_bad_projects_and_memories_are_rejected_by_themselves() -> None:
    projects = [PROJECT, 5, {"name": "x"}, {"uuid": "u", "docs": [None, {}]}]
    memories = [MEMORIES, "text", {"project_memories": {"p": 5}}]
    reading = read_files(CLAUDE, {"p.json": projects, "m.json": memories})

    assert len(reading.records) == 9
    assert len(reading.notes.rejections) == 4


def test_a_word_in_a_tool_call_makes_no_claude_export_another_one() -> None:
    call = {"type": "tool_use", "input": {"mapping": {"a": {}}, "current_node": "a"}}
    conversation = converse(say("m1", "assistant", "x", content=[call]))

    assert not ChatGptExport().recognises(make_bundle({"": [conversation]}))
    assert CLAUDE.recognises(make_bundle({"": [None, conversation]}))
