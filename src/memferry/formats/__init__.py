"""The formats an export can have; a new format is one new file and its line here."""

from memferry.formats.base import BinaryFormat, Format, TextFormat
from memferry.formats.csv import CSV
from memferry.formats.csv_safe import CSV_SAFE
from memferry.formats.json import JSON
from memferry.formats.ndjson import NDJSON

FORMATS: dict[str, TextFormat] = {format_.name: format_ for format_ in (JSON, NDJSON, CSV)}
SAFE_FORMATS: dict[str, TextFormat] = {CSV_SAFE.name: CSV_SAFE}
"""Those of the formats that have a variant for spreadsheets, and that variant."""

__all__ = ["FORMATS", "SAFE_FORMATS", "BinaryFormat", "Format", "TextFormat"]
