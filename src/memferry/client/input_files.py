"""Files of this machine that are to be imported, as one stream: a file as it is, several packed."""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

import pyrage

from memferry.client.decrypt import Identities
from memferry.errors import Invalid, WrongKey
from memferry.files.archive import StreamedArchive

STANDARD_INPUT = Path("-")
_CHUNK_BYTES = 1024 * 1024
_MOST_FILES = 100_000
_AGE_STARTS = (b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")
_JUNK = frozenset(["__MACOSX", "Thumbs.db", "desktop.ini"])


@dataclass(frozen=True)
class InputFile:
    """One file, and the name under which the report speaks of it."""

    name: str
    path: Path

    def open(self) -> BinaryIO:
        """Open it; raises Invalid, which names `file`."""
        if self.path == STANDARD_INPUT:
            return sys.stdin.buffer
        try:
            return self.path.open("rb")
        except OSError as fault:
            raise Invalid("file", f"cannot read {self.path}: {fault.strerror}") from fault

    @property
    def size_bytes(self) -> int | None:
        """Its size; None for what is no plain file."""
        return self.path.stat().st_size if self.path.is_file() else None


@dataclass(frozen=True)
class Input:
    """All that one import sends."""

    files: Sequence[InputFile]
    skipped: int = 0
    """Links, hidden files and those of the system within folders."""
    identities: Identities | None = None

    @property
    def name(self) -> str:
        """The name of the file; that of an archive is nobody's."""
        return self.files[0].name if len(self.files) == 1 else ""

    @property
    def size_bytes(self) -> int | None:
        """How many bytes come; None if that is not known before."""
        if len(self.files) != 1 or self.identities is not None:
            return None
        return self.files[0].size_bytes

    def iterate_chunks(self) -> Iterator[bytes]:
        """Yield the file, or an archive of all; raises Invalid, which names `file` or `identity`.

        What is encrypted comes decrypted. Raises WrongKey.
        """
        return self._iterate_file() if len(self.files) == 1 else self._iterate_archive()

    def _iterate_file(self) -> Iterator[bytes]:
        with self._open(self.files[0]) as file:
            yield from _read_chunks(file)

    def _iterate_archive(self) -> Iterator[bytes]:
        archive = StreamedArchive()
        for input_file in self.files:
            with self._open(input_file) as file, archive.open_member(input_file.name) as member:
                for chunk in _read_chunks(file):
                    member.write(chunk)
                    yield archive.take()
        yield archive.close()

    @contextmanager
    def _open(self, input_file: InputFile) -> Iterator[BinaryIO]:
        """Open a file, decrypted if it is encrypted."""
        with input_file.open() as file, tempfile.TemporaryFile() as plain:
            if not _peek(file).startswith(_AGE_STARTS):
                yield file
                return
            if self.identities is None:
                raise Invalid("identity", "the file is encrypted; name the file of your key")
            try:
                pyrage.decrypt_io(file, plain, self.identities)
            except pyrage.DecryptError as fault:
                raise WrongKey(f"{input_file.name} is not for this key: {fault}") from fault
            plain.seek(0)
            yield cast(BinaryIO, plain)


def find_files(paths: Sequence[Path], identities: Identities | None = None) -> Input:
    """Find what is meant: files, whole folders, or `-` for standard input.

    Links and hidden files in folders are skipped. Raises Invalid, which names `file`.
    """
    if STANDARD_INPUT in paths and len(paths) > 1:
        raise Invalid("file", "standard input goes alone")
    files, skipped = list[InputFile](), 0
    for path in paths:
        if path.is_dir():
            below, passed_over = _walk(path, path.resolve().name if len(paths) > 1 else "")
            files, skipped = files + below, skipped + passed_over
        else:
            files.append(InputFile("" if path == STANDARD_INPUT else path.name, path))
    if not files:
        raise Invalid("file", "there is no file in the folder")
    if len(files) > _MOST_FILES:
        raise Invalid("file", f"more than {_MOST_FILES:,} files; pack them into an archive")
    return Input(files, skipped, identities)


def _walk(folder: Path, prefix: str) -> tuple[list[InputFile], int]:
    """The files below a folder by their names, and how many were skipped."""
    files, skipped = list[InputFile](), 0
    for directory, folders, names in os.walk(folder):
        inner = [name for name in sorted(folders) if not _is_junk(Path(directory, name))]
        skipped += len(folders) - len(inner)
        folders[:] = inner
        for name in sorted(names):
            path = Path(directory, name)
            if _is_junk(path) or not path.is_file():
                skipped += 1
            else:
                files.append(InputFile(str(Path(prefix) / path.relative_to(folder)), path))
    return files, skipped


def _is_junk(path: Path) -> bool:
    return path.is_symlink() or path.name.startswith(".") or path.name in _JUNK


def _peek(file: BinaryIO) -> bytes:
    return file.peek(len(_AGE_STARTS[1])) if isinstance(file, BufferedReader) else b""


def _read_chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk
