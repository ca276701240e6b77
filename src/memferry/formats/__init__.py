"""The formats an export can have; a new format is one new file and its line here."""

from collections import deque
from contextlib import closing

from memferry.formats.base import BinaryFormat, Columns, Format, TextFormat
from memferry.formats.csv import CSV
from memferry.formats.csv_safe import CSV_SAFE
from memferry.formats.json import JSON
from memferry.formats.ndjson import NDJSON
from memferry.formats.parquet import PARQUET

_ALL: tuple[Format, ...] = (JSON, NDJSON, CSV, PARQUET)
FORMATS: dict[str, Format] = {format_.name: format_ for format_ in _ALL}
SAFE_FORMATS: dict[str, TextFormat] = {CSV_SAFE.name: CSV_SAFE}
"""Those of the formats that have a variant for spreadsheets, and that variant."""


def load_encoders() -> None:
    """Load what the installed formats need by writing an empty file of each."""
    for format_ in FORMATS.values():
        if isinstance(format_, BinaryFormat) and format_.installed:
            with closing(format_.start()) as encoder:
                deque(encoder.finish(), maxlen=0)


__all__ = [
    "FORMATS",
    "SAFE_FORMATS",
    "BinaryFormat",
    "Columns",
    "Format",
    "TextFormat",
    "load_encoders",
]
