"""Documents in parts: each is whole by itself, and shows every memory below the same headings."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from memferry.model.export import LEAST_PART_BYTES
from support.documents import make_rows
from support.markdown_documents import COMMONMARK, read_document
from support.pages import Page
from support.people import Person, make_person
from support.service import Service

_Place = tuple[str, str | None, object]


@pytest.fixture(scope="module")
def alice(service: Service, database_url: str) -> Iterator[Person]:
    """Alice with some five parts of awkward memories, in threads that are longer than a part."""
    with make_person("alice", service, database_url) as person:
        rows = make_rows()
        for i, row in enumerate(rows):
            row["content"] += "\n\n### 2026\n\n```\n</section>" + "x" * 60_000
            if i % 3 == 0:
                row |= {"namespace": "long", "source_ref": None, "metadata": {"parent_ref": "t"}}
        person.save_many(rows)
        yield person


def export_parts(person: Person, file_format: str) -> list[tuple[int, str]]:
    """The parts of an export: rows and text of each."""
    done = person.wait_for(person.export(format=file_format, max_part_bytes=LEAST_PART_BYTES))
    return [(part["rows"], httpx.get(part["download_url"]).text) for part in done["parts"]]


def read_markdown(text: str) -> list[_Place]:
    """Of each record its namespace, its thread, and what else it says."""
    found, places, namespace, thread = read_document(text, COMMONMARK), list[_Place](), "", None
    for i, (kind, heading) in enumerate(found):
        if kind == "h2":
            namespace, thread = heading, None
        elif kind == "h3" and found[i + 1][0] == "h4":
            thread = heading
        elif kind in ("h3", "h4"):
            thread = None if kind == "h3" else thread
            places.append((namespace, thread, found[i : i + 3]))
    return places


def read_html(text: str) -> list[_Place]:
    """Of each record its namespace, its thread, and what else it says."""
    return [(part.namespace, part.thread, row) for part in Page(text).parts for row in part.rows]


@pytest.mark.parametrize(
    ("file_format", "read"), [("markdown", read_markdown), ("html", read_html)]
)
def test_each_part_is_a_document_and_shows_each_memory_where_it_belongs(
    alice: Person, file_format: str, read: Any
) -> None:
    whole = read(alice.export(format=file_format)["payload"])
    parts = export_parts(alice, file_format)
    places = [read(text) for _, text in parts]

    assert len(parts) > 3
    assert [place for part in places for place in part] == whole
    assert [len(part) for part in places] == [rows for rows, _ in parts]
    assert all(len(text.encode()) <= LEAST_PART_BYTES for _, text in parts)


@pytest.mark.parametrize("file_format", ["markdown", "html"])
def test_documents_without_rows_are_the_same_in_parts(alice: Person, file_format: str) -> None:
    chosen = {"format": file_format, "namespace": "none", "compression": "gzip"}
    recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
    one = alice.wait_for(alice.export(**chosen, encrypt_to=recipient))
    cut = alice.wait_for(
        alice.export(**chosen, encrypt_to=recipient, max_part_bytes=LEAST_PART_BYTES)
    )

    assert (cut["sha256"], cut["bytes_done"]) == (one["sha256"], one["bytes_done"])
    assert [part["rows"] for part in cut["parts"]] == [0]
