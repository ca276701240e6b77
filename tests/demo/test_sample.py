"""The sample the project ships: enough of every kind of text to make the demo honest."""

import json
import unicodedata
from typing import Any

import pytest

from memferry.demo.sources import read_sample

LINES = [bytes(line).decode() for line in read_sample()]
ROWS: list[dict[str, Any]] = [json.loads(line) for line in LINES]
AWKWARD = {
    "quote": '"',
    "comma": ",",
    "line feed": "\n",
    "lone carriage return": "\ra",
    "carriage return and line feed": "\r\n",
    "tab": "\t",
    "backslash": "\\",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "next line": "\u0085",
    "byte order mark": "\ufeff",
    "zero width space": "\u200b",
    "joined emoji": "👩\u200d👩\u200d👧\u200d👦",
    "right to left": "\u200f",
    "Chinese": "绿茶",
    "decomposed accent": "cafe\u0301",
    "beyond the first plane": "𐌰",
    "noncharacter": "\uffff",
    "control characters": "\x01\x02",
    "delete": "\x7f",
    "end of COPY": "\n\\.\n",
    "end of a record of ours": ',"."\n',
}


def test_the_sample_has_about_three_hundred_different_memories() -> None:
    assert 300 <= len(ROWS) <= 330
    assert len({row["content"] for row in ROWS}) == len(ROWS)


def test_each_line_of_the_sample_is_a_memory() -> None:
    keys = {"content", "namespace", "tags", "source", "source_ref", "metadata", "created_at"}

    assert all(set(row) == keys for row in ROWS)
    assert all(row["content"] and "\x00" not in row["content"] for row in ROWS)


@pytest.mark.parametrize("kind", AWKWARD)
def test_the_sample_has_every_awkward_kind_of_text(kind: str) -> None:
    assert any(AWKWARD[kind] in row["content"] for row in ROWS)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", " "])
def test_some_contents_of_the_sample_start_like_a_formula(start: str) -> None:
    assert any(row["content"].startswith(start) for row in ROWS)


@pytest.mark.parametrize("number", ["9007199254740993", "1.50", "100.00", "1e-7"])
def test_numbers_of_the_sample_are_exported_digit_by_digit(number: str) -> None:
    assert any(number in line for line in LINES)


def test_no_line_of_the_sample_hides_a_character() -> None:
    hidden = [char for line in LINES for char in line if unicodedata.category(char) in ("Cc", "Cf")]

    # Flags and families of emoji are the one thing that reads better unescaped.
    assert set(hidden) <= {"\U000e0067"}
