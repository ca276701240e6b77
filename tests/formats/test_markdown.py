"""Markdown: a parser of CommonMark finds the documented structure, and each text as it was."""

import random
import re
from collections.abc import Sequence
from typing import Any

import pytest
from markdown_it import MarkdownIt

from support.documents import MARKUP, Part, arrange, make_rows, show_time, sort_within_times
from support.markdown_documents import COMMONMARK, read_document
from support.people import Person

ALPHABET = "a1 \t\n\r`~*_[]()<>#+-=.!|&\\:$^{}%\"'/é\u2028"
_CONTROLS = re.compile("[\x01-\x1f\x7f-\x9f\u2028\u2029]+")
EXTENDED = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def flatten(text: str) -> str:
    """A text as a line shows it: without control characters, and blanks at its ends."""
    return _CONTROLS.sub(" ", text).strip()


def expect_rows(part: Part) -> list[tuple[str, str]]:
    """A part of the document without its namespace."""
    found = [] if part.thread is None else [("h3", flatten(part.thread))]
    for row in part.rows:
        time = show_time(row["created_at"], "%Y-%m-%dT%H:%M:%SZ")
        found.append(("h3" if part.thread is None else "h4", time))
        found.append(expect_content(row["content"]))
        found.append(("details", expect_details(row)))
    return found


def expect_content(text: str) -> tuple[str, str]:
    if text.startswith(" ") or _CONTROLS.search(text):
        lines = f"{text}\n".replace("\r\n", "\n").replace("\r", "\n")
        return "fence", lines.removesuffix("\n")
    return "blockquote", text.strip()


def expect_details(row: Any) -> str:
    source = f"Source: {_CONTROLS.sub(' ', row['source'])}"
    if row["source_ref"]:
        source += f", {_CONTROLS.sub(' ', row['source_ref'])}"
    lines = [source]
    if row["tags"]:
        lines.append(f"Tags: {_CONTROLS.sub(' ', ', '.join(row['tags']))}")
    if row["updated_at"] != row["created_at"]:
        lines.append(f"Changed: {show_time(row['updated_at'], '%Y-%m-%dT%H:%M:%SZ')}")
    return "\n".join(line.rstrip() for line in lines)


def expect_document(parts: Sequence[Part]) -> list[tuple[str, str]]:
    found, namespace = [("h1", "Memories")], None
    for part in parts:
        if part.namespace != namespace:
            found.append(("h2", flatten(part.namespace)))
            namespace = part.namespace
        found += expect_rows(part)
    return found


def export_document(person: Person, rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], str]:
    person.save_many(rows)
    export = person.export(format="markdown")
    listed: list[dict[str, Any]] = []
    page = person.get("/api/memories?limit=500")
    listed += page.json()
    while (following := page.links.get("next")) is not None:
        page = person.get(following["url"])
        listed += page.json()
    return listed, export["payload"]


def spread_times(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows at different times: the order of threads of one time is not documented."""
    return [dict(row, created_at=1_700_000_000_000 + 977 * i) for i, row in enumerate(rows)]


@pytest.mark.parametrize("parser", [COMMONMARK, EXTENDED], ids=["commonmark", "extended"])
def test_no_text_is_markup_and_each_stands_where_it_belongs(
    alice: Person, parser: MarkdownIt
) -> None:
    rows, text = export_document(alice, spread_times(make_rows()))
    parts = [part for run in sort_within_times(list(arrange(rows))) for part in run]

    assert read_document(text, parser) == expect_document(parts)


def test_random_texts_are_no_markup(alice: Person, seed: int) -> None:
    choice = random.Random(seed)

    def make_text() -> str:
        return "".join(choice.choices(ALPHABET, k=choice.randint(1, 14)))

    rows, text = export_document(
        alice,
        spread_times(
            [
                {
                    "content": make_text(),
                    "namespace": choice.choice(["a", make_text()]),
                    "source": make_text(),
                    "tags": [make_text()],
                }
                for _ in range(2_000)
            ]
        ),
    )

    assert read_document(text, EXTENDED) == expect_document(list(arrange(rows)))


def test_a_conversation_has_its_title_and_runs_by_its_numbers(alice: Person) -> None:
    alice.save_many(
        [
            {"content": content, "created_at": 1_700_000_000_000 + time}
            | {"metadata": {"parent_ref": "c-1", "chunk_index": number, "title": "Lemons"}}
            for content, number, time in (("third", 10, 0), ("second", 9, 2), ("first", 0, 1))
        ]
    )
    text = alice.export(format="markdown")["payload"]

    assert re.findall(r"^(?:### .*|> .*)$", text, re.MULTILINE) == [
        "### Lemons", "> first", "> second", "> third",
    ]  # fmt: skip


def test_a_document_reads_like_this(alice: Person) -> None:
    alice.save_many(
        [
            {
                "content": "Prefers ferries to bridges.",
                "namespace": "travel",
                "tags": ["sea", "boats"],
                "source": "chat",
                "source_ref": "c-1",
                "created_at": 1_768_521_599_999,
            },
            {
                "content": "Varnish:\n- two coats",
                "namespace": "travel",
                "source_ref": "c-1",
                "created_at": 1_768_521_600_000,
                "updated_at": 1_768_521_700_000,
            },
            {"content": "Takes *no* sugar.", "namespace": "home", "created_at": 0},
        ]
    )

    assert alice.export(format="markdown")["payload"] == (
        "# Memories\n\n"
        "## home\n\n"
        "### 1970-01-01T00:00:00Z\n\n"
        "> Takes \\*no\\* sugar.\n\n"
        "Source: agent\n\n"
        "## travel\n\n"
        "### c-1\n\n"
        "#### 2026-01-15T23:59:59Z\n\n"
        "> Prefers ferries to bridges.\n\n"
        "Source: chat, c-1  \n"
        "Tags: sea, boats\n\n"
        "#### 2026-01-16T00:00:00Z\n\n"
        "```\nVarnish:\n- two coats\n```\n\n"
        "Source: agent, c-1  \n"
        "Changed: 2026-01-16T00:01:40Z\n"
    )


def test_an_empty_document_has_its_heading(alice: Person) -> None:
    assert alice.export(format="markdown")["payload"] == "# Memories\n"


@pytest.mark.parametrize("content", MARKUP)
def test_a_content_of_several_lines_is_there_to_the_byte(alice: Person, content: str) -> None:
    alice.save(f"{content}\n")
    payload = alice.export(format="markdown")["payload"]
    fence = re.search(r"^(`{3,})\n", payload, re.MULTILINE)

    assert fence is not None
    assert f"\n{fence[1]}\n{content}\n\n{fence[1]}\n" in payload
    assert fence[1] not in content
