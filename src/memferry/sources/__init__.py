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
from memferry.sources.chatgpt import ChatGptExport
from memferry.sources.containers import open_bundle
from memferry.sources.limits import Limits
from memferry.sources.memferry import Memferry
from memferry.sources.paste import PastedText
from memferry.sources.recognition import Assignment, Sources

SOURCES = Sources(
    # These read a whole archive or folder: all of its members are theirs.
    accounts=(ChatGptExport(),),
    # Members of these stand for themselves: one archive may hold those of several sources.
    files=(Memferry(), PastedText()),
)
"""All sources, the most particular ones first; a new one is one new file and its line here."""

__all__ = [
    "SOURCES",
    "Assignment",
    "Bundle",
    "Journal",
    "Limits",
    "Member",
    "Place",
    "ReadOptions",
    "Record",
    "Source",
    "Sources",
    "open_bundle",
]
