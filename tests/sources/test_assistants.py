"""What assistants hand out is recognised among all sources, by its content alone."""

from typing import Any

import pytest

from memferry.sources import SOURCES, ReadOptions
from support.source_files import Notes, make_bundle

CHATGPT = [{"title": "x", "mapping": {"a": {"message": None, "parent": None}}, "current_node": "a"}]
PASTE = "Here it is:\n```\n[2026-01-15] - Keeps bees\n[unknown] - Likes tea\n```\n"
FILES: list[tuple[Any, str]] = [(CHATGPT, "chatgpt"), (PASTE, "paste")]


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
