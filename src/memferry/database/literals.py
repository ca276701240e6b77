"""Literals: values written into a statement, since COPY takes no parameters.

Sessions of ours have `standard_conforming_strings` on, so in a literal only the quote is special
(https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-STRINGS).
"""

import re
from collections.abc import Sequence
from uuid import UUID

_PLACE = re.compile(r"\$([0-9]+)")


def bind_literals(statement: str, arguments: Sequence[object]) -> str:
    """The statement with each `$n` replaced by the n-th argument; each place must name its type."""
    literals = [literal(argument) for argument in arguments]
    return _PLACE.sub(lambda place: literals[int(place[1]) - 1], statement)


def literal(value: object) -> str:
    """A whole number, a text, a UUID, a list of texts or None as PostgreSQL reads it."""
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return f"'{value:d}'"
    if isinstance(value, list):
        return _quote(array(value))
    if isinstance(value, str | UUID):
        return _quote(str(value))
    raise TypeError(f"no literal for {type(value).__name__}")


def array(items: Sequence[str]) -> str:
    """A list of texts in text form (https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO)."""
    if not items:
        return "{}"
    quoted = (item.replace("\\", "\\\\").replace('"', '\\"') for item in items)
    return "{" + ",".join(f'"{item}"' for item in quoted) + "}"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
