"""The size and the SHA-256 of bytes that pass by."""

import hashlib


class Digest:
    """Counts and hashes every chunk."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self.size_bytes = 0

    def add(self, chunk: bytes) -> None:
        """The next bytes."""
        self._sha256.update(chunk)
        self.size_bytes += len(chunk)

    @property
    def sha256(self) -> bytes:
        """Digest of the bytes so far."""
        return self._sha256.digest()
