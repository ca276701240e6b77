"""What a guard is, and how the lists write one down."""

from collections.abc import Iterator
from dataclasses import dataclass

from guards.edits import Edit
from guards.python import apply_to_python
from guards.sql import apply_to_sql

_SOURCE = "src/memferry"


@dataclass(frozen=True)
class Guard:
    """A protection within one function or statement, and the tests that miss it."""

    file: str
    name: str
    edit: Edit
    tests: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.file.removeprefix(f'{_SOURCE}/')} {self.name}: {self.edit}"

    def take_away(self, source: str) -> str:
        """The source of the file without the protection; raises UnclearPlace."""
        apply = apply_to_sql if self.file.endswith(".sql") else apply_to_python
        return apply(source, self.name, self.edit)


def guard_function(path: str, name: str, tests: str, *edits: Edit) -> Iterator[Guard]:
    """Guards of a function, class or constant of the package, all missed by the same tests."""
    return _guard(f"{_SOURCE}/{path}", name, tests, edits)


def guard_tool(path: str, name: str, tests: str, *edits: Edit) -> Iterator[Guard]:
    """Guards of a function or constant of one of the tools."""
    return _guard(f"tools/{path}", name, tests, edits)


def guard_statement(names: str, tests: str, *edits: Edit) -> Iterator[Guard]:
    """Guards of one statement, or that several have in common."""
    for name in names.split():
        yield from _guard(f"{_SOURCE}/database/statements/{name}.sql", "", tests, edits)


def guard_schema(file: str, name: str, tests: str, *edits: Edit) -> Iterator[Guard]:
    """Guards of a table, view, function or right of the schema."""
    return _guard(f"{_SOURCE}/database/schema/{file}.sql", name, tests, edits)


def _guard(file: str, name: str, tests: str, edits: tuple[Edit, ...]) -> Iterator[Guard]:
    addresses = tuple(f"tests/{test}" for test in tests.split())
    return (Guard(file, name, edit, addresses) for edit in edits)
