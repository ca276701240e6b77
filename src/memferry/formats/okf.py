"""Open Knowledge Format 0.2: a zip of Markdown files with front matter, one for each memory.

https://github.com/GoogleCloudPlatform/knowledge-catalog/blob/main/okf/SPEC.md
"""

from collections.abc import Iterator

import msgspec

from memferry.formats.base import BinaryFormat, Encoder, Piece
from memferry.formats.ndjson import NDJSON
from memferry.formats.okf_files import (
    Memory,
    find_folder,
    measure_index,
    render_index,
    render_memory,
)
from memferry.formats.zip_stream import ZipMember, ZipStream, pack_member

# An index of more is nothing to look at, and the names lie in memory.
_INDEXED_FOLDERS = 1_000
# Of a bundle that is a part: what any reader of bundles takes, ours as well.
_MOST_MEMBERS = 200_000
_DECODER = msgspec.json.Decoder(Memory)


class OkfEncoder:
    """Makes a file of each memory; the index comes last, when the folders are known."""

    def __init__(self, most_bytes: int | None = None) -> None:
        """`most_bytes` is where a bundle ends and a next one begins; None: nowhere."""
        self._most_bytes = most_bytes
        self._start_bundle()

    def encode(self, records: bytes) -> Iterator[Piece]:
        """The members of some memories."""
        members: list[bytes] = []
        for line in _split_lines(records):
            memory = _DECODER.decode(line)
            folder = find_folder(memory.namespace)
            name = f"{folder}/{memory.id}.md"
            member = pack_member(name, render_memory(memory), memory.updated_at)
            if not self._fits(folder, member):
                yield Piece(len(members), b"".join(members))
                yield from self._end_bundle()
                members = []
            self._count(folder)
            members.append(self._zip.add(member))
        if members:
            yield Piece(len(members), b"".join(members))

    def finish(self) -> Iterator[Piece]:
        """The index and the directory of the zip."""
        index = pack_member("index.md", render_index(self._folders, more=self._more), 0)
        yield Piece(0, self._zip.add(index))
        for data in self._zip.finish():
            yield Piece(0, data)

    def close(self) -> None:
        """Remove what the zip keeps on disk."""
        self._zip.close()

    def _start_bundle(self) -> None:
        self._zip = ZipStream()
        self._folders: dict[str, int] = {}
        self._more = 0
        self._index_bytes = measure_index()

    def _end_bundle(self) -> Iterator[Piece]:
        yield from self.finish()
        yield Piece(0, b"", ends_file=True)
        self.close()
        self._start_bundle()

    def _fits(self, folder: str, member: ZipMember) -> bool:
        """Whether a memory can be in this bundle; the first one of a bundle always can."""
        if self._most_bytes is None or self._zip.members == 0:
            return True
        index_bytes = self._index_bytes + measure_index(folder)
        total_bytes = self._zip.measure_with(member) + index_bytes
        return self._zip.members < _MOST_MEMBERS and total_bytes <= self._most_bytes

    def _count(self, folder: str) -> None:
        """Keep the number of memories of a folder, for the index."""
        if folder in self._folders:
            self._folders[folder] += 1
        elif len(self._folders) < _INDEXED_FOLDERS:
            self._folders[folder] = 1
            self._index_bytes += measure_index(folder)
        else:
            self._more += 1


def _split_lines(records: bytes) -> list[bytes]:
    """JSON text holds no raw line break."""
    return records.split(b"\n")[:-1]


def _make_okf(most_bytes: int | None = None) -> BinaryFormat:
    def start() -> Encoder:
        return OkfEncoder(most_bytes)

    return BinaryFormat(
        name="okf",
        extension="okf.zip",
        media_type="application/zip",
        rows=NDJSON,
        start=start,
        cut=_make_okf,
    )


OKF = _make_okf()
"""All fields of a memory; PostgreSQL sends them as lines of JSON."""
