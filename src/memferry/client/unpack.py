"""A file of an export in both its forms: as it lies here, and unpacked."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import pyrage
import zstandard

from memferry.client.decrypt import Identities
from memferry.errors import Invalid
from memferry.files.compress import CODECS, Decompressor
from memferry.files.digest import Digest
from memferry.files.encrypt import EXTENSION

_CHUNK_BYTES = 1024 * 1024
# What so many compressed bytes can become at most fits into memory (a block of zstd: 128 KiB).
_STEP_BYTES = 1024
_AGE = b"age-encryption.org/v1"
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
Take = Callable[[bytes], object]


@dataclass
class Forms:
    """What was read of a file: the digests of both forms, and why it could not be unpacked."""

    most_bytes: int
    file: Digest = field(default_factory=Digest)
    content: Digest = field(default_factory=Digest)
    fault: str | None = None
    sealed: bool = False
    """Whether it is encrypted, and no key was given."""
    packing: str = ""
    """The extension of what it is packed with on the outside; "": nothing."""


def read_forms(path: Path, identities: Identities | None, take: Take, *, most_bytes: int) -> Forms:
    """Read a file to its end; `take` is given the bytes of its content, up to `most_bytes`.

    How it is packed shows in its first bytes. Raises Invalid, which names `file`.
    """
    forms = Forms(most_bytes)
    try:
        with path.open("rb") as file:
            head = file.read(len(_AGE))
            sealed, forms.packing = head == _AGE, find_packing(head)
            file.seek(0)
            _read(file, forms, identities, take, sealed=sealed)
    except OSError as fault:
        raise Invalid("file", f"cannot read {path}: {fault.strerror}") from fault
    return forms


def find_packing(head: bytes) -> str:
    """What a file is packed with on the outside, by its first bytes."""
    if head.startswith(_AGE):
        return EXTENSION
    codec = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)
    return "" if codec is None else CODECS[codec].extension


def _read(
    file: BinaryIO, forms: Forms, identities: Identities | None, take: Take, *, sealed: bool
) -> None:
    unpacker = _Unpacker(forms, take)
    if sealed and identities is not None:
        try:
            pyrage.decrypt_io(_Tee(file, forms.file), unpacker, identities)
            unpacker.end()
        except pyrage.DecryptError as fault:
            forms.fault = forms.fault or f"cannot be decrypted: {fault}"
    for chunk in _read_chunks(file):
        forms.file.add(chunk)
        if not sealed:
            unpacker.write(chunk)
    if not sealed:
        unpacker.end()
    forms.sealed = sealed and identities is None


def _read_chunks(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read(_CHUNK_BYTES), b"")


class _Tee:
    """What pyrage reads; the digest sees all of it."""

    def __init__(self, file: BinaryIO, digest: Digest) -> None:
        self._file = file
        self._digest = digest

    def read(self, size: int) -> bytes:
        """The next bytes."""
        data = self._file.read(size)
        self._digest.add(data)
        return data


class _Unpacker:
    """Decompresses what is written to it, if its first bytes say that it is compressed.

    After a fault it takes the rest and does nothing with it: the digest of the file needs all.
    """

    def __init__(self, forms: Forms, take: Take) -> None:
        self._forms = forms
        self._take = take
        self._reader: Decompressor | None = None
        self._head: bytes | None = b""

    def write(self, data: bytes) -> int:
        """The next bytes."""
        size = len(data)
        if self._head is not None:
            self._head += data
            if len(self._head) < max(map(len, _MAGIC)):
                return size
            data, self._head = self._head, None
            self._reader = _find_reader(data)
        self._hand_on(data)
        return size

    def flush(self) -> None:
        """Nothing is held back."""

    def end(self) -> None:
        """There are no more bytes."""
        if self._head:
            self._hand_on(self._head)
        if self._reader is not None and not getattr(self._reader, "eof", True):
            self._forms.fault = self._forms.fault or "its compressed bytes end too early"

    def _hand_on(self, data: bytes) -> None:
        if self._reader is None:
            self._add(data)
            return
        for start in range(0, len(data), _STEP_BYTES):
            if self._forms.fault is not None:
                return
            try:
                self._add(self._reader.decompress(data[start : start + _STEP_BYTES]))
            except (zlib.error, zstandard.ZstdError, EOFError) as fault:
                self._forms.fault = f"cannot be decompressed: {fault}"

    def _add(self, content: bytes) -> None:
        if self._forms.content.size_bytes > self._forms.most_bytes:
            self._forms.fault = f"has more than {self._forms.most_bytes:,} bytes of content"
        if self._forms.fault is None:
            self._forms.content.add(content)
            self._take(content)


def _find_reader(head: bytes) -> Decompressor | None:
    packing = find_packing(head)
    return next((codec.reader() for codec in CODECS.values() if codec.extension == packing), None)
