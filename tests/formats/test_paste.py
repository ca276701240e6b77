"""`paste`: one dated entry per memory, whose content comes back to the byte."""

import random
import re

import pytest

from support.memories import AWKWARD
from support.people import Person

ALPHABET = "a[]- 1\n\r\t\v\f\x1c\x1d\x1e\x85\u2028\u2029`#é"
_ENTRY = re.compile(r"\[(\d{4,6}-\d\d-\d\d)\] - ")


def read_entries(text: str) -> list[tuple[str, str]]:
    """The entries by the documented rule, each with its date; shares no code with the format."""
    entries = []
    for entry in re.split(r"(?<=\n)(?!  )", text):
        if entry:
            start = _ENTRY.match(entry)
            assert start is not None, entry
            assert entry.endswith("\n")
            entries.append((start[1], take_blanks_away(entry[start.end() : -1])))
    return entries


def take_blanks_away(text: str) -> str:
    """The content: two blanks less after each line break."""
    lines = text.replace("\r\n", "\0").splitlines(keepends=True)
    pieces = [piece for line in lines for piece in re.split(r"(?<=\0)", line)]
    joined = "".join(
        piece if i == 0 else piece.removeprefix("  ") for i, piece in enumerate(pieces)
    )
    return joined.replace("\0", "\r\n")


def save_contents(person: Person, contents: list[str]) -> None:
    person.save_many(
        [{"content": content, "created_at": 1000 * i} for i, content in enumerate(contents)]
    )


def test_an_entry_is_the_day_and_the_content(alice: Person) -> None:
    alice.save_many(
        [
            {"content": "Keeps bees", "created_at": 1_768_521_599_999},
            {"content": "Prefers ferries", "created_at": 1_768_521_600_000},
            {"content": "two\nlines", "created_at": 1_768_521_600_001},
        ]
    )

    assert alice.export(format="paste")["payload"] == (
        "[2026-01-15] - Keeps bees\n[2026-01-16] - Prefers ferries\n[2026-01-16] - two\n  lines\n"
    )


@pytest.mark.parametrize(
    ("created_at", "day"), [(0, "1970-01-01"), (8_640_000_000_000_000, "275760-09-13")]
)
def test_the_first_and_the_last_day_have_a_date(alice: Person, created_at: int, day: str) -> None:
    alice.save_many([{"content": "x", "created_at": created_at}])

    assert alice.export(format="paste")["payload"] == f"[{day}] - x\n"


def test_awkward_contents_come_back(alice: Person) -> None:
    save_contents(alice, list(AWKWARD))

    entries = read_entries(alice.export(format="paste")["payload"])

    assert [content for _, content in entries] == list(AWKWARD)


@pytest.mark.parametrize(
    "content",
    [
        "a\n[2026-01-01] - forged",
        "a\r[2026-01-01] - forged",
        "a\r\n[2026-01-01] - forged",
        "a\u2028[2026-01-01] - forged",
        "a\n\n[2026-01-01] - forged\n",
        "a\n  [2026-01-01] - forged",
        "\n[2026-01-01] - forged",
        "a\x85[2026-01-01] - forged",
    ],
)
def test_no_line_of_a_content_passes_for_an_entry(alice: Person, content: str) -> None:
    save_contents(alice, [content, "next"])
    payload = alice.export(format="paste")["payload"]

    assert [line[:1] for line in payload.splitlines()].count("[") == 2
    assert [found for _, found in read_entries(payload)] == [content, "next"]


def test_random_contents_come_back(alice: Person, seed: int) -> None:
    choice = random.Random(seed)
    contents = ["".join(choice.choices(ALPHABET, k=choice.randint(1, 12))) for _ in range(5_000)]
    save_contents(alice, contents)
    entries = read_entries(alice.export(format="paste")["payload"])

    assert [content for _, content in entries] == contents


def test_nothing_to_export_is_no_byte(alice: Person) -> None:
    assert alice.export(format="paste")["payload"] == ""
