"""Edits of SQL: places are runs of tokens, so white space and comments do not count."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from guards.edits import Edit, Span, choose_one

_TOKEN = re.compile(
    r"""(?P<blank>\s+|--[^\n]*)
    |'(?:[^']|'')*'           # a string
    |"(?:[^"]|"")*"           # a quoted name
    |\$\w+                    # a parameter
    |[^\W\d]\w*|\d+(?:\.\d+)? # a name, a number
    |\.\.\.                   # in a pattern: whatever parentheses hold
    |[^\s\w]                  # a sign
    """,
    re.VERBOSE,
)
# A statement of the schema begins a line; what belongs to it is indented.
_BEGINNING = re.compile(r"^(?=(?:CREATE|ALTER|GRANT|REVOKE|DROP|COMMENT)\b)", re.MULTILINE)
_NEW = {"make_true": "TRUE", "make_false": "FALSE", "drop": ""}


class _Token(NamedTuple):
    text: str
    span: Span


def apply_to_sql(text: str, name: str, edit: Edit) -> str:
    """A statement without a protection; of a schema the one that `name` heads.

    Raises UnclearPlace.
    """
    scope = _find_statement(text, name) if name else Span(0, len(text))
    pattern = [token.text for token in split_tokens(edit.place[0])]
    spans = (span for span in _find_runs(text, pattern) if scope.holds(span))
    return choose_one(spans, edit.place[0]).put(text, _NEW.get(edit.kind, edit.new))


def split_tokens(text: str) -> Iterator[_Token]:
    """The tokens of SQL, without white space and comments."""
    for match in _TOKEN.finditer(text):
        if match["blank"] is None:
            yield _Token(match[0], Span(*match.span()))


def _find_statement(text: str, name: str) -> Span:
    starts = [match.start() for match in _BEGINNING.finditer(text)]
    spans = map(Span, starts, [*starts[1:], len(text)])
    return choose_one((span for span in spans if _is_headed(span.cut(text), name)), name)


def _is_headed(statement: str, name: str) -> bool:
    """Whether its first line holds the name, or any line of a right that is granted."""
    head = statement if statement.startswith("GRANT") else statement.partition("\n")[0]
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", head) is not None


def _find_runs(text: str, pattern: list[str]) -> Iterator[Span]:
    tokens = list(split_tokens(text))
    for start, token in enumerate(tokens):
        end = _match_run(tokens, start, pattern)
        if end > start:
            yield Span(token.span.start, tokens[end - 1].span.end)


def _match_run(tokens: list[_Token], start: int, pattern: list[str]) -> int:
    """Where the run ends that begins at `start`; `start` if the pattern does not match."""
    at = start
    for word in pattern:
        if word == "...":
            at = _skip_balanced(tokens, at)
        elif at < len(tokens) and tokens[at].text == word:
            at += 1
        else:
            return start
    return at


def _skip_balanced(tokens: list[_Token], at: int) -> int:
    """Where the parenthesis closes that is open at `at`."""
    depth = 0
    while at < len(tokens) and (depth or tokens[at].text != ")"):
        depth += {"(": 1, ")": -1}.get(tokens[at].text, 0)
        at += 1
    return at
