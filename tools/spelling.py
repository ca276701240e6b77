"""Looks up every word of pages, docstrings, comments and messages in a dictionary.

`./run check` runs it. Code, names with capitals inside and tests are left out. Words that are
right and not in it stand in tools/words.txt, below the reason why they are right.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from spellchecker import SpellChecker

ROOT = Path(__file__).parent.parent
WORDS = ROOT / "tools/words.txt"
_PLACES = ("*.md", "src", "tools", "clients/typescript/src")
_LEAST_SPACES = 2
"""A text with so many spaces is a message; with fewer it is a name or a value."""
_WORD = re.compile(r"[A-Za-z]+(?:[-'][A-Za-z]+)*")
_AROUND_WORDS = ".,;:!?()[]{}\"'*_…|#"
_MARKUP = re.compile(
    r"```.*?^ *```|`[^`]*`|<!--.*?-->|</?[a-z!][^>]*>|\]\([^)]*\)|\w+://\S+|&\w+;"
    r"|{[{%#].*?[}%#]}|^ *(?:>>>|\.\.\.) .*?$|\b(?:noqa|fmt|type|pragma|mypy): *\S+",
    re.MULTILINE | re.DOTALL,
)
_INDENTED_CODE = re.compile(r"^    .*$", re.MULTILINE)

Prose = Iterator[tuple[int, str]]
"""Texts, each with the number of its first line."""


def _read_page(text: str) -> Prose:
    yield 1, _INDENTED_CODE.sub("", text)


def _read_python(text: str) -> Prose:
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Constant(value=str(value)) if value.count(" ") >= _LEAST_SPACES:
                yield node.lineno, value
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _read_template(text: str) -> Prose:
    yield 1, text


def _read_sql(text: str) -> Prose:
    return _read_comments(text, re.compile(r"--(.*)"))


def _read_script(text: str) -> Prose:
    return _read_comments(text, re.compile(r"(?:^|\s)(?://|/?\*)(.*)"))


def _read_comments(text: str, comment: re.Pattern[str]) -> Prose:
    for number, line in enumerate(text.splitlines(), 1):
        if found := comment.search(line):
            yield number, found[1]


READERS: dict[str, Callable[[str], Prose]] = {
    ".md": _read_page,
    ".py": _read_python,
    ".sql": _read_sql,
    ".html": _read_template,
    ".js": _read_script,
    ".ts": _read_script,
}


def list_files() -> list[Path]:
    """The tracked files that hold prose; what a library generates is not ours to spell."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--", *_PLACES]
    names = subprocess.check_output(command, text=True).split("\0")
    files = [ROOT / name for name in names if name and not name.endswith("schema.ts")]
    return [file for file in files if file.suffix in READERS]


def list_words(file: Path) -> Iterator[tuple[int, str]]:
    """The words of a file in lower case, each with its line."""
    for first, text in READERS[file.suffix](file.read_text()):
        prose = _MARKUP.sub(lambda markup: " " + "\n" * markup[0].count("\n"), text)
        for number, line in enumerate(prose.split("\n"), first):
            for word in _split_line(line):
                yield number, word


def _split_line(line: str) -> Iterator[str]:
    """The words of a line, without those that are names by the capitals within them."""
    for token in line.split():
        word = token.strip(_AROUND_WORDS).removesuffix("'s")
        if _WORD.fullmatch(word):
            yield from (part.lower() for part in word.split("-") if part[1:].islower())


@cache
def _load_dictionary() -> SpellChecker:
    return SpellChecker(distance=1)


def read_own_words() -> set[str]:
    """The words that are right and that the dictionary lacks."""
    lines = WORDS.read_text().splitlines()
    return {word.lower() for line in lines if not line.startswith("#") for word in line.split()}


def find_faults(files: Iterable[Path], own_words: set[str]) -> Iterator[str]:
    """Each word that nothing knows, with its file and line."""
    dictionary = _load_dictionary()
    for file in files:
        for number, word in list_words(file):
            if word not in dictionary and word not in own_words:
                yield f"{file}:{number}: {word}"


def find_useless_words(files: Iterable[Path], own_words: set[str]) -> set[str]:
    """Own words that the dictionary has, or that no file uses."""
    used = {word for file in files for _, word in list_words(file)}
    return {word for word in own_words if word not in used or word in _load_dictionary()}


def main() -> int:
    """Say what was found; 1 if anything was."""
    files, own_words = list_files(), read_own_words()
    faults = list(find_faults(files, own_words))
    faults += [f"{WORDS}: {word}: take it away" for word in find_useless_words(files, own_words)]
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    sys.stdout.write(f"spelling: {len(faults)} faults in {len(files)} files\n")
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main())
