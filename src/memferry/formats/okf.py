"""Open Knowledge Format 0.2: a zip of Markdown files with front matter, one for each memory.

https://github.com/GoogleCloudPlatform/knowledge-catalog/blob/main/okf/SPEC.md
"""

from collections.abc import Iterator

import msgspec

from memferry.formats.base import BinaryFormat
from memferry.formats.ndjson import NDJSON
from memferry.formats.okf_files import Memory, find_folder, render_index, render_memory
from memferry.formats.zip_stream import ZipStream

# An index of more is nothing to look at, and the names lie in memory.
_INDEXED_FOLDERS = 1_000
_DECODER = msgspec.json.Decoder(Memory)


class OkfEncoder:
    """Makes a file of each memory; the index comes last, when the folders are known."""

    def __init__(self) -> None:
        self._zip = ZipStream()
        self._folders: dict[str, int] = {}
        self._more = 0

    def encode(self, records: bytes) -> bytes:
        """The members of some memories."""
        return b"".join([self._add(_DECODER.decode(line)) for line in _split_lines(records)])

    def finish(self) -> Iterator[bytes]:
        """The index and the directory of the zip."""
        yield self._zip.add("index.md", render_index(self._folders, more=self._more), 0)
        yield from self._zip.finish()

    def close(self) -> None:
        """Remove what the zip keeps on disk."""
        self._zip.close()

    def _add(self, memory: Memory) -> bytes:
        folder = find_folder(memory.namespace)
        if folder in self._folders or len(self._folders) < _INDEXED_FOLDERS:
            self._folders[folder] = self._folders.get(folder, 0) + 1
        else:
            self._more += 1
        name = f"{folder}/{memory.id}.md"
        return self._zip.add(name, render_memory(memory), memory.updated_at)


def _split_lines(records: bytes) -> list[bytes]:
    """JSON text holds no raw line break."""
    return records.split(b"\n")[:-1]


OKF = BinaryFormat(
    name="okf",
    extension="okf.zip",
    media_type="application/zip",
    rows=NDJSON,
    start=OkfEncoder,
)
"""All fields of a memory; PostgreSQL sends them as lines of JSON."""
