"""Whatever chance makes of an export: what is read stays valid, and nothing but Invalid ends it."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from memferry.errors import Invalid
from memferry.sources.base import Record, Source
from memferry.sources.chatgpt import ChatGptExport
from memferry.sources.claude import ClaudeExport
from memferry.sources.markdown import MarkdownFiles
from memferry.sources.paste import PastedText
from support.source_files import read_files

JUNK: list[Any] = [
    *(None, True, 0, -1, 1e308, 10**30, "", "x", "m-1", "\x00", "\U0001f602", [], {}, [[]]),
    *({"": None}, ["a", 5, None], {"parts": 5}, {"text": ["x"]}, "2026-13-45", "9" * 40),
]
CHATGPT: Any = [
    {
        "id": "c",
        "title": "x",
        "create_time": 1,
        "update_time": 2,
        "current_node": "m-2",
        "mapping": {
            f"m-{number}": {
                "parent": f"m-{number - 1}",
                "message": {
                    "id": f"m-{number}",
                    "author": {"role": "user"},
                    "create_time": number,
                    "content": {"content_type": "text", "parts": ["x", {"text": "y"}]},
                    "metadata": {"attachments": [{"name": "a"}], "model_slug": "m"},
                },
            }
            for number in range(4)
        },
    }
]
CLAUDE: Any = [
    {
        "uuid": "c",
        "name": "x",
        "created_at": "2026-01-01T00:00:00Z",
        "summary": "s",
        "chat_messages": [
            {
                "uuid": f"m{number}",
                "parent_message_uuid": f"m{number - 1}",
                "sender": "human",
                "text": "x",
                "created_at": "2026-01-01T00:00:00Z",
                "content": [{"type": "text", "text": "y"}],
                "attachments": [{"file_name": "a", "extracted_content": "z"}],
            }
            for number in range(4)
        ],
    },
]
PROJECTS: Any = [{"uuid": "p", "name": "n", "prompt_template": "y", "docs": [{"content": "z"}]}]
MEMORIES: Any = {"conversations_memory": "# a\nb", "project_memories": {"p": "c"}}
TEXTS = {
    "paste": "```\n[2026-01-15] - Tea\n  green\n- [unknown] - x\n1. y\n```\n## H\n**B**\nz:\n",
    "own paste": "[2026-01-15] - Tea\n  green\r  x\n[2026-01-16] - y\n",
    "note": "---\ntitle: x\ntags: [a, b]\ncreated: 2026-01-01\nmemferry: {id: x}\n---\nbody\n---\n",
    "blocks": "---\nid: 1\ncreated_at: 2026\ntype: x\n---\na\n---\nid: 2\ncreated_at: 1\n---\nb\n",
}


def damage(value: Any, choice: random.Random) -> Any:
    """The value with junk in the place of some of its parts."""
    if choice.random() < 0.03:
        return choice.choice(JUNK)
    if isinstance(value, dict):
        return {name: damage(part, choice) for name, part in value.items()}
    if isinstance(value, list):
        return [damage(part, choice) for part in value]
    return value


def damage_text(text: str, choice: random.Random) -> bytes:
    """The text with some bytes removed, doubled or replaced."""
    data = bytearray(text.encode())
    for _ in range(choice.randint(1, 6)):
        at = choice.randrange(len(data))
        data[at : at + choice.randint(0, 3)] = choice.choice(
            [
                b"",
                b"\x00",
                b"\xff",
                b"\xed\xa0\xbd",
                b"\n",
                b"---\n",
                b"[",
                b"*",
                b"- ",
                b": ",
                b"\r",
            ]
        )
    return bytes(data)


def check(source: Source, files: dict[str, Any], **options: Any) -> None:
    """All records can be stored, or are to be refused by name of a field; none is read twice."""
    try:
        records = read_files(source, files, **options).records
    except Invalid:
        return
    for record in records:
        assert record.content
        assert (record.id is None) != (record.key is None)
        assert "\x00" not in f"{record.content}{record.metadata}"
        record.content.encode()
        assert record.created_at is None or record.created_at >= 0
        json.loads(record.metadata or "{}")
        assert isinstance(record, Record)


@pytest.mark.parametrize(
    ("source", "files"),
    [
        (ChatGptExport(), {"conversations.json": CHATGPT, "memories.json": ["x", {"text": "y"}]}),
        (ClaudeExport(), {"c.json": CLAUDE, "p.json": PROJECTS, "m.json": MEMORIES}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_junk_in_the_place_of_any_value_ends_nothing(
    source: Source, files: dict[str, Any], seed: int
) -> None:
    choice = random.Random(seed)
    for number in range(300):
        damaged = {name: damage(content, choice) for name, content in files.items()}
        check(
            source,
            damaged,
            branches=number % 2 == 0,
            per=("message", "conversation")[number % 3 == 0],
        )


@pytest.mark.parametrize("make", [PastedText, MarkdownFiles])
@pytest.mark.parametrize("text", TEXTS)
def test_junk_in_the_place_of_any_byte_ends_nothing(
    make: Callable[[], Source], text: str, seed: int
) -> None:
    choice = random.Random(seed)
    for _ in range(100):
        check(make(), {"a.md": damage_text(TEXTS[text], choice)})


@pytest.mark.parametrize(
    "source", [ChatGptExport(), ClaudeExport()], ids=lambda source: source.name
)
def test_a_newer_export_of_a_conversation_gives_the_same_records_again(source: Source) -> None:
    text = json.dumps(CHATGPT if source.name == "chatgpt" else CLAUDE)
    whole, older = json.loads(text), json.loads(text)
    if source.name == "chatgpt":
        del older[0]["mapping"]["m-3"]
        whole[0]["current_node"], older[0]["current_node"] = "m-3", "m-2"
    else:
        older[0]["chat_messages"].pop()
    before = read_files(source, {"": older}).records
    after = read_files(source, {"": whole}).records

    assert len(after) > len(before) > 0
    assert after[: len(before)] == before
