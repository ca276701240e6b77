"""How a format wants COPY to write."""

from typing import Literal, LiteralString, TypedDict


class CopyOptions(TypedDict, total=False):
    """Options of COPY … TO STDOUT (https://www.postgresql.org/docs/current/sql-copy.html)."""

    format: Literal["csv", "binary"]
    delimiter: LiteralString
    quote: LiteralString
    null: LiteralString
    force_quote: list[LiteralString]
