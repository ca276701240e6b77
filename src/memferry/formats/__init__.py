"""The formats an export can have; a new format is one new file and its line here."""

from collections import deque
from collections.abc import Mapping
from contextlib import closing
from dataclasses import fields
from typing import Any

from memferry.errors import Invalid
from memferry.formats.base import BinaryFormat, Columns, Encoder, Format, Order, Piece, TextFormat
from memferry.formats.csv import CSV
from memferry.formats.html import HTML
from memferry.formats.json import JSON
from memferry.formats.markdown import MARKDOWN
from memferry.formats.ndjson import NDJSON
from memferry.formats.okf import OKF
from memferry.formats.parquet import PARQUET
from memferry.formats.paste import PASTE
from memferry.formats.variant import ALL_FIELDS, FIELDS, INCLUDED, Variant

_ALL: tuple[Format, ...] = (JSON, NDJSON, CSV, PASTE, MARKDOWN, HTML, PARQUET, OKF)
FORMATS: dict[str, Format] = {format_.name: format_ for format_ in _ALL}
"""Each format as it is without options."""
VARIANT_OPTIONS = frozenset(field.name for field in fields(Variant))
"""The options of a request that change the records of a format."""


def find_format(name: str, options: Mapping[str, Any]) -> Format:
    """The format of this name with those of the options that change its records.

    Raises Invalid that names `format`, or the option that does not go with it.
    """
    if name not in FORMATS:
        raise Invalid("format", f"unknown; expected one of {', '.join(FORMATS)}")
    format_ = FORMATS[name]
    if not format_.installed:
        raise Invalid("format", f"{name} is not installed here: pip install 'memferry[{name}]'")
    chosen = {option: value for option, value in options.items() if option in VARIANT_OPTIONS}
    for option in chosen:
        if option not in format_.variants:
            others = [other.name for other in FORMATS.values() if option in other.variants]
            raise Invalid(option, f"goes only with format {' or '.join(others)}")
    return format_.vary(Variant(**chosen))


def load_encoders() -> None:
    """Load what the installed formats need, by writing an empty file of each."""
    for format_ in FORMATS.values():
        if isinstance(format_, BinaryFormat) and format_.installed:
            with closing(format_.start()) as encoder:
                deque(encoder.finish(), maxlen=0)


__all__ = [
    "ALL_FIELDS",
    "FIELDS",
    "FORMATS",
    "INCLUDED",
    "BinaryFormat",
    "Columns",
    "Encoder",
    "Format",
    "Order",
    "Piece",
    "TextFormat",
    "Variant",
    "find_format",
    "load_encoders",
]
