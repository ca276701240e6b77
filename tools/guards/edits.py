"""The edits that take a protection away, and how a place is found and changed exactly once.

An edit names its place by words, not by source text: the identifiers and constants that the place
mentions. It applies within one function, class, constant or SQL statement.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "make_true",
    "make_false",
    "drop_statement",
    "drop_item",
    "drop_definition",
    "set_item",
    "drop_text",
    "replace",
    "replace_text",
    "drop",
]


class UnclearPlace(Exception):
    """An edit, or the name it applies within, matches no place or more than one."""


@dataclass(frozen=True)
class Edit:
    """One change of the source: `place` finds where, `new` stands there afterwards."""

    kind: Kind
    place: tuple[str, ...]
    new: str = ""

    def __str__(self) -> str:
        change = f" -> {self.new}" if self.new else ""
        return f"{self.kind} {' '.join(' '.join(self.place).split())}{change}"


@dataclass(frozen=True)
class Span:
    """A piece of a source, as offsets of its characters."""

    start: int
    end: int

    def holds(self, other: "Span") -> bool:
        """Whether the other piece lies within this one."""
        return self.start <= other.start and other.end <= self.end

    def cut(self, source: str) -> str:
        """The text of this piece."""
        return source[self.start : self.end]

    def put(self, source: str, text: str) -> str:
        """The source with a text in the place of this piece."""
        return source[: self.start] + text + source[self.end :]


def choose_one(spans: Iterable[Span], what: str) -> Span:
    """The only piece of those that match; UnclearPlace if there is none, or more than one."""
    match list(spans):
        case [span]:
            return span
        case several:
            raise UnclearPlace(f"{what}: {len(several)} places match")


def make_true(*words: str) -> Edit:
    """A condition holds always."""
    return Edit("make_true", words)


def make_false(*words: str) -> Edit:
    """A condition holds never."""
    return Edit("make_false", words)


def drop_statement(*words: str) -> Edit:
    """A statement of Python, such as a call, does not run."""
    return Edit("drop_statement", words)


def drop_item(*words: str) -> Edit:
    """An argument, an element or an entry of Python is left out; if it has a key, by its key."""
    return Edit("drop_item", words)


def set_item(key: str, value: str) -> Edit:
    """An argument or entry of Python that has a key gets another value."""
    return Edit("set_item", (key,), value)


def drop_definition() -> Edit:
    """The function that the guard names is not there; that of a base class is."""
    return Edit("drop_definition", ())


def drop_text(text: str) -> Edit:
    """A piece of a string literal is left out."""
    return Edit("drop_text", (text,))


def replace_text(text: str, new: str) -> Edit:
    """A piece of a string literal becomes another one."""
    return Edit("replace_text", (text,), new)


def replace(code: str, new: str) -> Edit:
    """An expression of Python, or a piece of a statement of SQL, becomes another one."""
    return Edit("replace", (code,), new)


def drop(code: str) -> Edit:
    """A clause of SQL is left out; `...` in it matches whatever parentheses hold."""
    return Edit("drop", (code,))
