"""What client commands print: tables for people, one JSON object a line for programs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import typer
from rich.table import Table
from rich.text import Text

from memferry.cli.console import make_console, open_standard_output, show_name
from memferry.cli.times import show_minute

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a line, for programs.")]
Columns: TypeAlias = Mapping[str, Callable[[Any], object]]
"""The titles of a table, and what stands below each for one row."""

_LINES = 3
_KEY_WIDTH = 38
_SHOWN_CHARACTERS = 10_000
_console = make_console()


def print_json(rows: Iterable[object]) -> None:
    """Print each row as one line of JSON; times are epoch milliseconds."""
    from memferry.client.exact_json import encode_exact

    with open_standard_output() as stream:
        for row in rows:
            stream.write(encode_exact(row) + b"\n")


def print_rows(rows: Iterable[object], columns: Columns, *, as_json: bool, empty: str) -> None:
    """Print rows as a table; without any row `empty`, which says what to do next."""
    if as_json:
        print_json(rows)
        return
    table = Table(*columns, box=None, pad_edge=False)
    for column in table.columns[:1]:
        column.no_wrap = True
    for row in rows:
        table.add_row(*(_show(read(row)) for read in columns.values()))
    _print_table(table, empty)


def print_entries(rows: Iterable[Any], columns: Columns, *, as_json: bool, empty: str) -> None:
    """Print rows of long texts: the first column is a cell, all others are lines of the second."""
    if as_json:
        print_json(rows)
        return
    first, second, *others = columns.items()
    table = Table(first[0], second[0], box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.columns[0].no_wrap = True
    most = max(_console.width - _KEY_WIDTH, _KEY_WIDTH) * _LINES
    for row in rows:
        text = Text(_cut(_show(second[1](row)).plain, most))
        for line in (_cut(_show(read(row)).plain, most) for _, read in others):
            text.append(f"\n{line}" if line else "", style="dim")
        table.add_row(_show(first[1](row)), text)
    _print_table(table, empty)


def print_memories(rows: Iterable[Any], *, as_json: bool, empty: str) -> None:
    """Print memories: their ids, and the first lines of their texts."""
    columns: Columns = {
        "id": lambda row: row.id,
        "memory": lambda row: " ".join(row.content[:_SHOWN_CHARACTERS].split()),
        "place": _describe,
    }
    print_entries(rows, columns, as_json=as_json, empty=empty)


def print_fields(fields: Mapping[str, object]) -> None:
    """Print names and values, one a line; None is left out."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in fields.items():
        if value is not None:
            table.add_row(Text(name, style="bold"), Text(_show(value).plain))
    _console.print(table)


def print_line(line: str) -> None:
    """Print a line as it is, without what a terminal would take for a command."""
    _console.print(show_name(line), soft_wrap=True)


def tell(line: str) -> None:
    """Print a line for people on standard error, so that standard output holds data alone."""
    make_console(stderr=True).print(show_name(line), soft_wrap=True)


def _print_table(table: Table, empty: str) -> None:
    if table.row_count:
        _console.print(table)
    else:
        tell(empty)


def _show(value: object) -> Text:
    """A value as a cell; a list with spaces between."""
    if value is None:
        return Text("")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, int):
        return Text(f"{value:,}", justify="right")
    parts: Sequence[object] = value if isinstance(value, list | tuple) else (value,)
    return Text(show_name(" ".join(map(str, parts))))


def _describe(row: Any) -> str:
    """Where a memory is and when it was changed, with its score if it was searched."""
    parts = [row.namespace, *(f"#{tag}" for tag in row.tags), show_minute(row.updated_at)]
    score = getattr(row, "score", None)
    return "  ".join(parts if score is None else [*parts, f"score {score:.2f}"])


def _cut(text: str, most: int) -> str:
    """The beginning of a text that is too long for its cell."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
