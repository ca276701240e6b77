"""What a guard is, and how the lists write it down."""

from collections.abc import Iterator
from dataclasses import dataclass

_SOURCE = "src/memferry"
# The text that protects; or that text and what stands in its place without it.
Cut = str | tuple[str, str]


@dataclass(frozen=True)
class Guard:
    """A piece of one file, its absence, and the tests that see it."""

    file: str
    text: str
    without: str
    tests: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.file.rpartition('/')[2]}: {' '.join(self.text.split())}"


def module(path: str, tests: str, *cuts: Cut) -> Iterator[Guard]:
    """Guards of one module of the package, all seen by the same tests."""
    yield from _guards(f"{_SOURCE}/{path}", tests, cuts)


def statement(names: str, tests: str, *cuts: Cut) -> Iterator[Guard]:
    """Guards of one statement, or that several have in common."""
    for name in names.split():
        yield from _guards(f"{_SOURCE}/database/statements/{name}.sql", tests, cuts)


def schema(name: str, tests: str, *cuts: Cut) -> Iterator[Guard]:
    """Guards of one file of the schema: the tables, or the views."""
    yield from _guards(f"{_SOURCE}/database/schema/{name}.sql", tests, cuts)


def check(name: str, tests: str, *cuts: Cut) -> Iterator[Guard]:
    """Guards of one of the scripts of `./run check`."""
    yield from _guards(f"tools/{name}.py", tests, cuts)


def _guards(file: str, tests: str, cuts: tuple[Cut, ...]) -> Iterator[Guard]:
    named = tuple(f"tests/{each}" for each in tests.split())
    for cut in cuts:
        text, without = (cut, "") if isinstance(cut, str) else cut
        yield Guard(file, text, without, named)
