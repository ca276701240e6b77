"""The account export of ChatGPT: layouts, the message tree, hidden traffic, saved memories."""

import random
from collections.abc import Mapping
from typing import Any

import pytest

from memferry.sources.chatgpt import ChatGptExport
from support.source_files import Reading, make_bundle, read_files

CHATGPT = ChatGptExport()
START = 1_714_000_000


def say(role: str, *parts: Any, **more: Any) -> dict[str, Any]:
    """A message; `more` are its other fields."""
    content = {"content_type": "text", "parts": list(parts)}
    return {"author": {"role": role}, "content": content, "recipient": "all", **more}


def converse(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A conversation of messages that answer one another, a second apart, below a root."""
    mapping: dict[str, Any] = {"root": {"id": "root", "message": None, "parent": None}}
    parent = "root"
    for number, message in enumerate(messages, 1):
        id_ = f"m-{number}"
        full = {"id": id_, "create_time": START + number, "metadata": {}, **message}
        mapping[id_] = {"id": id_, "message": full, "parent": parent, "children": []}
        parent = id_
    conversation = {"id": "c-1", "title": "Lemons", "create_time": START, "update_time": START + 99}
    return {**conversation, "mapping": mapping, "current_node": parent, **more}


def read(*conversations: Any, **options: Any) -> Reading:
    return read_files(CHATGPT, {"conversations.json": list(conversations)}, **options)


TALK = (say("user", "How long do lemons keep?"), say("assistant", "A month."))


def test_each_message_is_a_memory_of_its_thread() -> None:
    first, second = read(converse(*TALK)).records

    assert (first.content, first.created_at) == (
        "How long do lemons keep?",
        (START + 1) * 1000,
    )
    assert (first.key, first.source_ref, first.tags) == ("c-1/m-1", "m-1", [])
    assert first.origin == {"seq": 1, "time_from": "record"}
    assert read(converse(*TALK)).metadata == [
        {"parent_ref": "c-1", "title": "Lemons", "chunk_index": 1, "role": "user"},
        {"parent_ref": "c-1", "title": "Lemons", "chunk_index": 2, "role": "assistant"},
    ]
    assert second.place.at == "[0] message m-2"


LAYOUTS: dict[str, Mapping[str, Any]] = {
    "one file": {"conversations.json": [converse(*TALK)]},
    "a shard alone, of any name": {"download (3)": [converse(*TALK)]},
    "one conversation": {"chat.json": converse(*TALK)},
    "shards": {
        "conversations-000.json": [converse(say("user", "How long do lemons keep?"))],
        "conversations-001.json": [converse(say("user", "x"), TALK[1], current_node="m-2")],
    },
    "a folder with other files": {
        "ChatGPT/conversations.json": [converse(*TALK)],
        "ChatGPT/user.json": {"id": "u", "email": "ada@example.com"},
        "ChatGPT/message_feedback.json": [{"message_id": "m-1", "rating": "thumbs_up"}],
        "ChatGPT/chat.html": "<html>",
        "ChatGPT/conversation_asset_file_names.json": {"a.dat": "a.png"},
        "ChatGPT/a.dat": b"\x89PNG",
    },
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_is_recognised_and_read(layout: str) -> None:
    files = LAYOUTS[layout]

    assert CHATGPT.recognises(make_bundle(files))
    assert {"How long do lemons keep?", "A month."} <= set(read_files(CHATGPT, files).contents)


def test_other_files_of_the_export_are_left_out_and_counted() -> None:
    notes = read_files(CHATGPT, LAYOUTS["a folder with other files"]).notes

    assert notes.left_out == {"other file of the export": 5}
    assert notes.rejections == []


@pytest.mark.parametrize(
    "other",
    [
        [{"uuid": "u", "chat_messages": [{"text": 'talks of {"mapping": {}}'}]}],
        [{"content": 'about "mapping": {'}],
        {"mapping": "x"},
        "plain text",
        b"\x89PNG\r\n",
        "",
    ],
)
def test_other_files_are_not_taken_for_conversations(other: Any) -> None:
    assert not CHATGPT.recognises(make_bundle({"conversations.json": other}))


def test_the_active_branch_is_read_and_the_other_one_counted() -> None:
    conversation = converse(*TALK)
    edit = {"id": "e", "create_time": START + 7, **say("user", "And limes?")}
    conversation["mapping"]["e"] = {"id": "e", "message": edit, "parent": "root"}
    reading = read(conversation)

    assert reading.contents == ["How long do lemons keep?", "A month."]
    assert reading.notes.left_out == {"other branch": 1}

    branches = read(conversation, branches=True)
    assert branches.contents == ["How long do lemons keep?", "A month.", "And limes?"]
    assert [record.tags for record in branches.records] == [[], [], ["branch"]]
    assert branches.metadata[2]["chunk_index"] == 1
    assert branches.records[0] == reading.records[0]


@pytest.mark.parametrize("current", [None, "gone", 5, ["m-1"]])
def test_without_a_current_node_the_newest_leaf_ends_the_branch(current: Any) -> None:
    conversation = converse(*TALK, current_node=current)
    older = {"id": "o", "create_time": START - 9, **say("user", "Older")}
    conversation["mapping"]["o"] = {"message": older, "parent": "root"}
    reading = read(conversation)

    assert reading.contents == ["How long do lemons keep?", "A month."]
    assert reading.notes.repaired == {"missing current node": 1}


def test_a_cycle_and_a_missing_parent_end_the_branch_and_are_noted() -> None:
    cycle = converse(*TALK)
    cycle["mapping"]["m-1"]["parent"] = "m-2"
    orphan = converse(*TALK)
    orphan["mapping"]["m-1"]["parent"] = "gone"
    everyone = converse(*TALK, current_node=None)
    everyone["mapping"]["m-1"]["parent"] = "m-2"

    for conversation in (cycle, orphan, everyone):
        reading = read(conversation)
        assert reading.contents == ["How long do lemons keep?", "A month."]
        assert reading.notes.repaired["broken message tree"] == 1


def test_a_branch_of_any_depth_is_read_in_its_order() -> None:
    messages = [say("user", str(number)) for number in range(5_000)]
    conversation = converse(*messages)
    shuffled = list(conversation["mapping"].items())
    random.Random(1).shuffle(shuffled)
    reading = read({**conversation, "mapping": dict(shuffled)})

    assert reading.contents == [str(number) for number in range(5_000)]
    assert [metadata["chunk_index"] for metadata in reading.metadata] == list(range(1, 5_001))


def test_the_order_of_the_mapping_does_not_matter() -> None:
    conversation = converse(*TALK, current_node=None)
    turned = {**conversation, "mapping": dict(reversed(conversation["mapping"].items()))}

    assert read(conversation).records == read(turned).records


HIDDEN: dict[str, list[dict[str, Any]]] = {
    "tool traffic": [
        say("tool", "search results"),
        say("assistant", "search(lemons)", recipient="browser"),
        say("assistant", content={"content_type": "code", "text": "print(1)"}),
        say("tool", content={"content_type": "execution_output", "text": "1"}),
        say("assistant", content={"content_type": "tether_quote", "text": "quote"}),
    ],
    "hidden reasoning": [
        say("assistant", content={"content_type": "thoughts", "thoughts": [{"content": "hm"}]}),
        say("assistant", content={"content_type": "reasoning_recap", "content": "Thought for 2s"}),
    ],
    "hidden message": [
        say("user", "x", metadata={"is_visually_hidden_from_conversation": True}),
    ],
    "message of the system": [say("system", ""), say("critic", "bad")],
    "message without text": [
        say("user", content={"content_type": "multimodal_text", "parts": [{"asset_pointer": "a"}]}),
        say("assistant", ""),
        say("assistant", content=None),
    ],
    "unknown content type": [say("assistant", content={"content_type": "hologram", "data": [1]})],
}


@pytest.mark.parametrize("reason", HIDDEN)
def test_what_nobody_has_said_is_left_out_and_counted(reason: str) -> None:
    reading = read(converse(*HIDDEN[reason], *TALK))

    assert reading.contents == ["How long do lemons keep?", "A month."]
    assert reading.notes.left_out == {reason: len(HIDDEN[reason])}
    assert reading.notes.rejections == []


def test_words_of_an_unknown_type_are_kept_with_the_whole_content() -> None:
    content = {"content_type": "hologram", "parts": ["Look!"], "depth": 3}
    reading = read(converse(say("assistant", content=content)))

    assert reading.contents == ["Look!"]
    assert (reading.records[0].origin or {})["content"] == content
    assert reading.notes.repaired == {"unknown content type": 1}


def test_words_beside_images_and_in_speech_are_kept_and_files_named() -> None:
    parts = [
        {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"},
        {"content_type": "audio_transcription", "text": "What is this?"},
        "A lemon?",
    ]
    message = say("user", content={"content_type": "multimodal_text", "parts": parts})
    message["metadata"] = {"attachments": [{"id": "f", "name": "lemon.pdf"}]}
    reading = read(converse(message))

    assert reading.contents == ["What is this?\n\nA lemon?"]
    assert (reading.records[0].origin or {})["attachments"] == ["lemon.pdf", "file-service://x"]


def test_citation_marks_go_and_other_private_characters_stay() -> None:
    mark = "\ue200cite\ue202turn0search1\ue202turn0news2\ue201"
    reading = read(
        converse(say("assistant", f"A month{mark}.\ue200filecite\ue202turn1file0\ue201 \ue200x"))
    )

    assert reading.contents == ["A month. \ue200x"]
    assert reading.notes.repaired == {"citation marks": 1}


def test_a_conversation_not_to_be_remembered_is_left_out_with_its_memories() -> None:
    saved = say("assistant", "Keeps bees", recipient="bio")
    reading = read(converse(saved, *TALK, is_do_not_remember=True), converse(*TALK, id="c-2"))

    assert [record.key for record in reading.records] == ["c-2/m-1", "c-2/m-2"]
    assert reading.notes.left_out == {"conversation not to be remembered": 1}


def user_context(**fields: str) -> dict[str, Any]:
    content = {"content_type": "user_editable_context", **fields}
    hidden = {"is_visually_hidden_from_conversation": True}
    return say("user", content=content, metadata=hidden, create_time=None)


def model_context(text: str) -> dict[str, Any]:
    return say(
        "system", content={"content_type": "model_editable_context", "model_set_context": text}
    )


def test_custom_instructions_are_one_memory_per_text_with_the_earliest_time() -> None:
    new = converse(user_context(user_profile="Ada", user_instructions="Be brief"), *TALK)
    old = converse(user_context(user_profile="Ada"), id="c-0", create_time=START - 500)
    reading = read(new, old)
    ada, brief = reading.records[2:]

    assert (ada.content, ada.tags, ada.created_at) == (
        "Ada",
        ["custom-instructions"],
        (START - 500) * 1000,
    )
    assert ada.origin == {"field": "user_profile", "time_from": "record"}
    assert (brief.content, brief.created_at) == ("Be brief", START * 1000)
    assert ada.key in {record.key for record in read(old, new).records}


def test_saved_memories_are_found_where_they_were_saved_and_where_they_were_shown() -> None:
    shown = "1. [2024-04-20]. Keeps bees\n2. [2024-04-24]. Likes tea,\nbut green\n\n3. Sails"
    conversations = [
        converse(model_context(shown), *TALK),
        converse(say("assistant", "Keeps bees", recipient="bio"), id="c-2"),
        converse(model_context(shown), id="c-3"),
    ]
    saved = read(*conversations).records[2:]

    assert {(record.content, record.created_at) for record in saved} == {
        ("Keeps bees", (START + 1) * 1000),
        ("Likes tea,\nbut green", 1_713_916_800_000),
        ("Sails", None),
    }
    assert {tag for record in saved for tag in record.tags} == {"saved-memory"}
    assert saved[0].source_ref == "m-1"
    assert read(*conversations).notes.left_out == {"repeated saved-memory": 4}
    assert {record.key for record in saved} == {
        record.key for record in read(*reversed(conversations)).records if record.tags
    }


def test_a_file_of_saved_memories_is_read_beside_conversations() -> None:
    tea = {"content": "Likes tea", "created_at": START, "enabled": False}
    memories = ["Keeps bees", tea, {"text": "Sails"}, 5]
    reading = read_files(
        CHATGPT, {"conversations.json": [converse(*TALK)], "memories.json": memories}
    )

    assert reading.contents[2:] == ["Keeps bees", "Likes tea", "Sails"]
    assert reading.records[3].created_at == START * 1000
    assert reading.records[3].origin == {"enabled": False, "time_from": "record"}
    assert [place.at for place, _ in reading.notes.rejections] == ["[3]"]


@pytest.mark.parametrize("time", [None, 0, "absent"])
def test_a_message_without_time_has_that_of_its_conversation_and_says_so(time: Any) -> None:
    conversation = converse(say("user", "x", create_time=time))
    if time == "absent":
        del conversation["mapping"]["m-1"]["message"]["create_time"]
    (record,) = read(conversation).records

    assert record.created_at == START * 1000
    assert (record.origin or {})["time_from"] == "conversation"


@pytest.mark.parametrize("time", [float(START), str(START), "2024-04-24T23:06:40Z"])
def test_numbers_and_texts_are_times(time: Any) -> None:
    (record,) = read(converse(say("user", "x", create_time=time))).records

    assert (record.created_at, (record.origin or {})["time_from"]) == (START * 1000, "record")


def test_no_time_at_all_is_not_made_up() -> None:
    conversation = converse(say("user", "x", create_time=None), create_time=None)
    (record,) = read(conversation).records

    assert record.created_at is None
    assert "time_from" not in (record.origin or {})


def test_a_conversation_can_be_one_memory() -> None:
    (record,) = read(converse(*TALK), per="conversation").records

    assert record.content == "user: How long do lemons keep?\n\nassistant: A month."
    assert (record.key, record.source_ref, record.created_at) == ("c-1#0", "c-1", START * 1000)
    assert record.updated_at == (START + 99) * 1000
    assert (record.origin or {})["messages"] == [
        {"id": "m-1", "role": "user", "created_at": (START + 1) * 1000},
        {"id": "m-2", "role": "assistant", "created_at": (START + 2) * 1000},
    ]


def test_a_conversation_larger_than_a_memory_becomes_several_in_their_order() -> None:
    messages = [say("user", f"{number} " + "x" * 400_000) for number in range(5)]
    reading = read(converse(*messages), per="conversation")

    assert [metadata["chunk_index"] for metadata in reading.metadata] == [0, 1, 2]
    assert all(len(content.encode()) <= 1024 * 1024 for content in reading.contents)
    assert [record.created_at for record in reading.records] == [
        START * 1000,
        (START + 3) * 1000,
        (START + 5) * 1000,
    ]


def test_one_bad_conversation_never_loses_the_others() -> None:
    bad: list[Any] = [
        None,
        "text",
        {},
        {"mapping": []},
        {"mapping": {"a": 5, "b": None, "c": {"message": "x"}, "d": {"message": {}}}},
        {"mapping": {"a": {"message": {"author": [], "content": 5, "metadata": "x"}}}},
        converse(say("user", "x" * 9, create_time=[], metadata=None), title={"a": 1}, id=5),
        {"mapping": {}},
    ]
    reading = read(*bad, converse(*TALK))

    assert reading.contents[-2:] == ["How long do lemons keep?", "A month."]
    assert [place.at for place, _ in reading.notes.rejections] == [
        *("[0]", "[1]", "[2]", "[3]"),
        *("[4] message a", "[4] message c"),
    ]


def test_damaged_text_is_mended_and_noted() -> None:
    text = '[{"mapping": {"a": {"message": {"author": {"role": "user"}, "content": '
    text += '{"content_type": "text", "parts": ["a\\u0000b \\ud83d c"]}}}}}]'
    reading = read_files(CHATGPT, {"x": text})

    assert reading.contents == ["ab \ufffd c"]
    assert reading.notes.repaired["NUL"] == 1


def test_a_file_that_is_cut_off_keeps_what_came_before() -> None:
    whole = make_bundle({"x": [converse(*TALK), converse(*TALK, id="c-2")]}).members[0].peek(10**6)
    reading = read_files(CHATGPT, {"x": whole[:-50]})

    assert reading.contents == ["How long do lemons keep?", "A month."]
    assert "cut off" in reading.notes.rejections[0][1]


def test_a_huge_title_is_cut_and_noted() -> None:
    reading = read(converse(*TALK, title="x" * 1_000_000))

    assert len(reading.metadata[0]["title"]) == 1000
    assert reading.notes.repaired == {"title cut": 1}


def test_a_conversation_without_id_has_the_same_keys_each_time() -> None:
    conversation = converse(*TALK, id=None)
    other = converse(*TALK, id=None, title="Limes")
    keys = [record.key for record in read(conversation).records]

    assert keys == [record.key for record in read(conversation).records]
    assert not {*keys} & {record.key for record in read(other).records}
