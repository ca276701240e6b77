"""The formats an export can have; a new format is one new file and its line here."""

from memferry.formats.base import TextFormat
from memferry.formats.csv import Csv
from memferry.formats.csv_safe import CsvSafe
from memferry.formats.json import Json
from memferry.formats.ndjson import Ndjson

FORMATS: dict[str, type[TextFormat]] = {each.name: each for each in (Json, Ndjson, Csv)}
SAFE_FORMATS: dict[str, type[TextFormat]] = {CsvSafe.name: CsvSafe}
"""Those of the formats that have a variant for spreadsheets, and it."""

__all__ = ["FORMATS", "SAFE_FORMATS", "TextFormat"]
