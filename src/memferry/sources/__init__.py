"""What people bring: files of other systems and of ours, read as records. Knows no database."""

from memferry.sources.base import (
    Bundle,
    Journal,
    Member,
    Place,
    ReadOptions,
    Record,
    Source,
)
from memferry.sources.bundles.containers import open_bundle
from memferry.sources.bundles.limits import BundleLimits
from memferry.sources.chatgpt import ChatGptExport
from memferry.sources.claude import ClaudeExport
from memferry.sources.csv_rows import CsvRows
from memferry.sources.generic_json import GenericJson
from memferry.sources.markdown import MarkdownFiles
from memferry.sources.mcp import McpMemory
from memferry.sources.memferry import Memferry
from memferry.sources.openmemory import OpenMemoryBackup
from memferry.sources.parquet import ParquetTables
from memferry.sources.paste import PastedText
from memferry.sources.recognition import Assignment, Sources

SOURCES = Sources(
    # These read a whole archive or folder: all of its members are theirs.
    accounts=(ChatGptExport(), ClaudeExport(), OpenMemoryBackup()),
    # Members of these stand for themselves: one archive may hold those of several sources.
    files=(
        Memferry(),
        ParquetTables(),
        McpMemory(),
        GenericJson(),
        MarkdownFiles(),
        CsvRows(),
        PastedText(),
    ),
)
"""All sources, the most particular ones first; a new one is one new file and its line here."""

__all__ = [
    "SOURCES",
    "Assignment",
    "Bundle",
    "BundleLimits",
    "Journal",
    "Member",
    "Place",
    "ReadOptions",
    "Record",
    "Source",
    "Sources",
    "open_bundle",
]
