"""A zip archive that is made while it is sent: stored, not compressed, and never sought."""

import zipfile
from typing import IO


class StreamedArchive:
    """Takes files one after the other; `take` answers what can be sent since the last call."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._archive = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_STORED)

    def open_member(self, name: str) -> IO[bytes]:
        """Open a new member to be written; the one before must be closed."""
        return self._archive.open(zipfile.ZipInfo(name), "w", force_zip64=True)

    def take(self) -> bytes:
        """The bytes that were written since the last call."""
        return self._sink.take()

    def close(self) -> bytes:
        """The rest of the archive; no member follows."""
        self._archive.close()
        return self._sink.take()


class _Sink:
    """A file that cannot be sought."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: the pieces are taken when their time comes."""

    def close(self) -> None:
        """Do nothing."""

    def take(self) -> bytes:
        data, self._pieces = b"".join(self._pieces), []
        return data
