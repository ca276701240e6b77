"""What assistants hand out is recognised among all sources, by its content alone."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from memferry.sources import SOURCES, ReadOptions, open_bundle
from support.source_files import Notes, encode_file, make_bundle

CHATGPT = [{"title": "x", "mapping": {"a": {"message": None, "parent": None}}, "current_node": "a"}]
CLAUDE = [{"uuid": "c", "name": "x", "chat_messages": [{"sender": "human", "text": "Hello"}]}]
MEMORIES = {"conversations_memory": "Likes tea", "account_uuid": "a"}
PASTE = "Here it is:\n```\n[2026-01-15] - Keeps bees\n[unknown] - Likes tea\n```\n"
FILES: list[tuple[Any, str]] = [
    (CHATGPT, "chatgpt"),
    (PASTE, "paste"),
    ("---\ntitle: Tea\n---\n- 2026-01-15: tea\n", "markdown"),
    (CLAUDE, "claude"),
    (MEMORIES, "claude"),
]


@pytest.mark.parametrize(("content", "name"), FILES)
@pytest.mark.parametrize("file", ["", "conversations.json", "users.json", "notes.txt", "a.zip"])
def test_one_file_is_recognised_under_any_name(content: Any, name: str, file: str) -> None:
    (assignment,) = SOURCES.assign(make_bundle({file: content}), Notes())

    assert assignment.source.name == name


@pytest.mark.parametrize(("content", "name"), FILES)
def test_a_byte_order_mark_and_utf_16_do_not_hide_it(content: Any, name: str) -> None:
    data = make_bundle({"": content}).members[0].peek(10**6)
    for other in (b"\xef\xbb\xbf" + data, data.decode().encode("utf-16")):
        (assignment,) = SOURCES.assign(make_bundle({"": other}), Notes())

        assert assignment.source.name == name
        assert list(assignment.source.read(assignment.bundle, ReadOptions(), Notes())) is not None


def read_uploads(directory: Path, uploads: dict[str, bytes]) -> list[tuple[str, list[str]]]:
    """What is read of uploaded files: each source with the contents of its memories."""
    paths: list[tuple[str, Path]] = []
    for name, data in uploads.items():
        path = directory / str(len(paths))
        path.write_bytes(data)
        paths.append((name, path))
    with open_bundle(paths, directory) as bundle:
        return [
            (source.name, [record.content for record in source.read(part, ReadOptions(), Notes())])
            for source, part in SOURCES.assign(bundle, Notes())
        ]


def pack(files: dict[str, Any]) -> bytes:
    """A zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, encode_file(content))
    return buffer.getvalue()


def test_an_archive_is_one_account_whatever_else_it_holds(tmp_path: Path) -> None:
    files = {"a/chat.html": "<html>", "a/conversations-000.json": CHATGPT, "a/x.dat": b"\x89PNG"}

    assert read_uploads(tmp_path, {"x": pack(files)}) == [("chatgpt", [])]


def test_archives_that_were_downloaded_one_by_one_are_one_account(tmp_path: Path) -> None:
    uploads = {
        "conversations-000.zip": pack({"conversations.json": CLAUDE}),
        "projects-000.zip": pack({"p.json": {"uuid": "p", "name": "x", "prompt_template": "Yes"}}),
        "memories.json": encode_file(MEMORIES),
        "users.json": encode_file([{"uuid": "a", "email_address": "ada@example.com"}]),
    }

    assert read_uploads(tmp_path, uploads) == [("claude", ["Hello", "Yes", "Likes tea"])]


def test_an_archive_of_notes_and_lines_is_read_by_both(tmp_path: Path) -> None:
    files = {"v/a.md": "- 2026-01-15: a note", "v/lines.txt": PASTE, "v/a.png": b"\x89PNG"}

    assert read_uploads(tmp_path, {"v.zip": pack(files)}) == [
        ("markdown", ["- 2026-01-15: a note"]),
        ("paste", ["Keeps bees", "Likes tea"]),
    ]
