"""Front matter: every scalar stays text, and what could grow beyond bounds is refused."""

import time

import pytest

from memferry.sources.reading.front_matter import (
    UnreadableFrontMatter,
    parse_front_matter,
    split_front_matter,
)

BOMB = "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 64))])


def test_no_scalar_becomes_a_number_a_date_or_a_truth_value() -> None:
    text = "id: 0123\nv: 1.10\nyes: no\nday: 2026-01-02\nlist: [1, ~]\nmap: {a: 0x10}\nnothing:\n"

    assert parse_front_matter(text) == {
        "id": "0123",
        "v": "1.10",
        "yes": "no",
        "day": "2026-01-02",
        "list": ["1", "~"],
        "map": {"a": "0x10"},
        "nothing": "",
    }


@pytest.mark.parametrize("text", ["", "\n", "# a comment\n"])
def test_empty_front_matter_is_an_empty_mapping(text: str) -> None:
    assert parse_front_matter(text) == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("title: a: b", "line 1"),
        ("- a\n- b", "no mapping"),
        ("just words", "no mapping"),
        ("a: 1\n--- \nb: 2", "no mapping"),
        ("a: 1\na: 2", "twice"),
        ("? [a]\n: b", "key is no text"),
        ("a: &x 1\nb: *x", "aliases"),
        (BOMB, "aliases"),
        ("a: " + "[" * 40 + "]" * 40, "nests deeper"),
        # Some versions of the parser have a limit of their own: which of the two refuses is open.
        ("a: " + "[" * 100_000, "nests deeper|nesting depth"),
        ("{a: " * 100_000, "nests deeper|nesting depth"),
        ('a: "\\ud83d"', "line 1"),
        ("a: \x01", "not allowed"),
        ("a: [" + "x," * 200_000 + "]", "more than 100000"),
    ],
)
def test_what_is_no_plain_mapping_is_refused_with_its_reason(text: str, reason: str) -> None:
    start = time.monotonic()
    with pytest.raises(UnreadableFrontMatter, match=reason):
        parse_front_matter(text)

    assert time.monotonic() - start < 5


def test_a_tag_of_yaml_makes_no_object() -> None:
    assert parse_front_matter("a: !!python/object/apply:os.system [ls]") == {"a": ["ls"]}


@pytest.mark.parametrize(
    ("text", "front", "body"),
    [
        ("---\na: 1\n---\nx\n", "a: 1\n", "x\n"),
        ("---\r\na: 1\r\n---\r\n\r\nx", "a: 1\r\n", "\r\nx"),
        ("---\na: 1\n...\nx", "a: 1\n", "x"),
        ("---\na: 1\n---", "a: 1\n", ""),
        ("---\n---\nx", "", "x"),
        ("---\na: 1\n---\nx\n---\ny", "a: 1\n", "x\n---\ny"),
        ("---\na: 1\n", None, "---\na: 1\n"),
        ("x\n---\na: 1\n---\n", None, "x\n---\na: 1\n---\n"),
        ("----\na\n----\n", None, "----\na\n----\n"),
        ("", None, ""),
    ],
)
def test_the_body_is_all_that_follows_the_closing_line(
    text: str, front: str | None, body: str
) -> None:
    assert split_front_matter(text) == (front, body)
