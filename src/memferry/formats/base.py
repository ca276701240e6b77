"""What a format promises: PostgreSQL renders every row, Python only joins the pieces."""

from abc import ABC
from typing import ClassVar, LiteralString

from memferry.model.copy import CopyOptions


class TextFormat(ABC):
    """One SQL select list per row, and the bytes around the rows.

    COPY ends each record with `record_end`; the file has `separator` there. Where the two are the
    same, the last byte of it must not occur inside a record; where not, `record_end` must not.
    Nothing in Python runs once per row.
    """

    name: ClassVar[LiteralString]
    safe: ClassVar[bool] = False
    """Whether no spreadsheet runs anything in it."""
    extension: ClassVar[str]
    media_type: ClassVar[str]
    columns: ClassVar[LiteralString]
    """Select list over the view `memories`, aliased `memory`."""
    copy: ClassVar[CopyOptions]
    joins: ClassVar[bool] = False
    """Whether a record is one text that COPY writes as it is: then many may come in one value."""
    record_end: ClassVar[bytes]
    head: ClassVar[bytes] = b""
    separator: ClassVar[bytes]
    ends_with_separator: ClassVar[bool] = False
    tail: ClassVar[bytes] = b""
