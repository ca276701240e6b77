"""Tables of other memory systems in PostgreSQL, recognised by their columns."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString

import asyncpg

from memferry.database.pool import Connection
from memferry.database.sql import sql
from memferry.errors import Invalid

_MOST_NAMES = 20


@dataclass(frozen=True, kw_only=True)
class TableKind:
    """Tables that one system makes, and the statement that reads their rows as records."""

    name: LiteralString
    """The name of the system, which becomes the `source` of the memories."""
    columns: Mapping[str, str | None]
    """Columns that such a table has at least, with their types; None: any type."""
    statement: LiteralString

    def recognises(self, columns: Mapping[str, str]) -> bool:
        """Whether a table with these columns is of this kind."""
        return all(
            name in columns and type_ in {None, columns[name]}
            for name, type_ in self.columns.items()
        )


# A new kind is one entry and its statement.
TABLE_KINDS = (
    TableKind(
        name="langgraph",
        columns={"prefix": None, "key": None, "value": "jsonb"},
        statement=sql("imports/select_langgraph"),
    ),
    TableKind(
        name="mem0",
        columns={"id": "uuid", "vector": None, "payload": "jsonb"},
        statement=sql("imports/select_mem0"),
    ),
    TableKind(
        name="open_webui",
        columns={"id": None, "user_id": None, "content": None, "created_at": "bigint"},
        statement=sql("imports/select_open_webui"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class ForeignTable:
    """A table that can be imported."""

    name: str
    """With its schema, quoted as SQL needs it."""
    kind: TableKind


async def find_table(connection: Connection, name: str | None) -> ForeignTable:
    """Find the table to import: the one of this name, or the only one of a known kind.

    Raises Invalid, which says what is there, if that is none or more than one.
    """
    rows = await connection.fetch(sql("imports/list_foreign_tables"))
    tables = {row["name"]: json.loads(row["columns"]) for row in rows}
    if name is not None:
        tables = {table: tables[table] for table in tables if name in {table, _drop_schema(table)}}
        if not tables:
            raise Invalid("table", f"there is no table {name}; there are {_list_names(rows)}")
    known = [
        ForeignTable(name=table, kind=kind)
        for table, columns in tables.items()
        for kind in TABLE_KINDS
        if kind.recognises(columns)
    ]
    if not known:
        kinds = ", ".join(kind.name for kind in TABLE_KINDS)
        raise Invalid("from", f"no table of a known kind ({kinds}); there are {_list_names(rows)}")
    if len(known) > 1:
        names = ", ".join(f"{table.name} ({table.kind.name})" for table in known[:_MOST_NAMES])
        raise Invalid("table", f"several could be meant, name one: {names}")
    return known[0]


def _drop_schema(name: str) -> str:
    return name.partition(".")[2]


def _list_names(rows: Sequence[asyncpg.Record]) -> str:
    names = [row["name"] for row in rows]
    more = ", …" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more if names else "no tables"
