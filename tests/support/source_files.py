"""Files of other systems, read as records: what a source yields, and what it notes."""

import io
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from memferry.sources.base import Bundle, Place, ReadOptions, Record, Source


@dataclass(frozen=True)
class BytesMember:
    """A file whose bytes a test made."""

    name: str
    data: bytes

    def open(self) -> BinaryIO:
        """A new file at its beginning."""
        return io.BytesIO(self.data)

    def peek(self, size: int) -> bytes:
        """The first bytes."""
        return self.data[:size]


@dataclass
class Notes:
    """A journal that keeps all it is told."""

    repairs: list[tuple[str, Place]] = field(default_factory=list)
    rejections: list[tuple[Place, str]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def repair(self, kind: str, place: Place) -> None:
        """Keep it."""
        self.repairs.append((kind, place))

    def reject(self, place: Place, reason: str) -> None:
        """Keep it."""
        self.rejections.append((place, reason))

    def leave_out(self, reason: str, count: int = 1) -> None:
        """Count it."""
        self.left_out[reason] += count

    @property
    def repaired(self) -> Counter[str]:
        """The kinds of repairs with their numbers."""
        return Counter(kind for kind, _ in self.repairs)


@dataclass(frozen=True)
class Reading:
    """What one source made of some files."""

    records: list[Record]
    notes: Notes

    @property
    def contents(self) -> list[str]:
        """The contents in their order."""
        return [record.content for record in self.records]

    @property
    def metadata(self) -> list[dict[str, Any]]:
        """The metadata of all records; {} where there is none."""
        return [json.loads(record.metadata or "{}") for record in self.records]


def make_bundle(files: Mapping[str, Any]) -> Bundle:
    """A bundle of files by name: bytes, text, or what is written as JSON."""
    members = [BytesMember(name, encode_file(value)) for name, value in files.items()]
    return Bundle(members, is_archive=len(members) > 1)


def encode_file(value: Any) -> bytes:
    """Bytes as they are, text as UTF-8, all else as JSON."""
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode()


def read_files(source: Source, files: Mapping[str, Any], **options: Any) -> Reading:
    """Read files with a source and keep everything it says."""
    notes = Notes()
    records = list(source.read(make_bundle(files), ReadOptions(**options), notes))
    return Reading(records, notes)
