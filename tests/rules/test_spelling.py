"""The spelling check of `./run check` finds what it is there for, and lets code and names be."""

from pathlib import Path

import pytest

from spelling import find_faults, find_useless_words, list_files, read_own_words

PLANTED = {
    "page.md": "# Titles\n\nA page with an [occured](x.md) mistake.\n",
    "docstring.py": '"""Title.\n\nA part that occured early.\n"""\n',
    "comment.py": "x = 1\n\ny = 2  # what occured before\n",
    "message.py": "x = 1\n\nraise ValueError(f'{x} has occured in it')\n",
    "statement.sql": "-- Why.\nSELECT 1\n-- because it occured\n",
    "template.html": "<p>\n{{ name }}\nit <b>occured</b></p>\n",
    "script.js": "const x = 1;\n\n// it occured\n",
    "client.ts": "/**\n * Some text.\n * It occured. */\n",
}
RIGHT = {
    "code.md": "Text.\n\n    occured\n\nand `occured`, [x](occured.md), OccuredError, OCCURED.\n",
    "fence.md": 'Text.\n\n```json\n{"a": "it has occured here"}\n```\n',
    "value.py": 'x = "occured"\noccured = x\n',
    "example.py": '"""Text.\n\n>>> occured = 1\n"""\n',
    "own.md": "Webhooks of memferry are recognised.\n",
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_mistake_is_found_with_its_line(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text(PLANTED[name])

    assert list(find_faults([file], read_own_words())) == [f"{file}:3: occured"]


@pytest.mark.parametrize("name", RIGHT)
def test_code_names_and_own_words_are_no_mistakes(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text(RIGHT[name])

    assert list(find_faults([file], read_own_words())) == []


def test_an_own_word_that_is_not_used_or_is_known_is_named(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("Webhooks send a message.\n")

    assert find_useless_words([file], {"webhooks", "message", "zstd"}) == {"message", "zstd"}


def test_pages_code_statements_and_templates_are_read() -> None:
    assert {file.suffix for file in list_files()} == {".md", ".py", ".sql", ".html", ".js", ".ts"}
