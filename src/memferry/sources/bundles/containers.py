"""From files on disk to a bundle: how they are packed is told by content, never by name."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from memferry.errors import Invalid
from memferry.sources.base import Bundle, Member, refuse_file
from memferry.sources.bundles import tar_archive, zip_archive
from memferry.sources.bundles.answers import is_export_answer, open_payload
from memferry.sources.bundles.archives import ArchiveEntry
from memferry.sources.bundles.compression import find_decompressor
from memferry.sources.bundles.limits import BundleLimits, UnpackedBytes
from memferry.sources.bundles.members import (
    FileMember,
    PackedMember,
    StreamedMember,
    UnreadableMember,
)
from memferry.sources.bundles.tar_archive import is_tar
from memferry.sources.bundles.zip_archive import ZIP_MAGICS

_HEAD_BYTES = 512
# Such as a compressed archive that somebody has compressed again.
_MOST_LAYERS = 3
# An archive in an archive is opened, one in that is not.
_MOST_DEPTH = 2
_AGE_MAGICS = (b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")
# Documents of office programs, books and programs are zip archives too: they hold no memories.
_DOCUMENT_STARTS = ("[Content_Types].xml", "mimetype", "META-INF/")
# A name is shown to people, and a terminal must not obey it.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SYSTEM_FILES = frozenset([".DS_Store", "Thumbs.db", "desktop.ini"])


@contextmanager
def open_bundle(
    files: Sequence[tuple[str, Path]], directory: Path, limits: BundleLimits | None = None
) -> Iterator[Bundle]:
    """The members of uploaded files, each a name and where it lies; unpacks below `directory`.

    Members are valid inside of the context alone. Raises Invalid for what is damaged, encrypted or
    larger than the limits.
    """
    with ExitStack() as stack:
        opener = _Opener(directory, limits or BundleLimits(), stack)
        for name, path in files:
            label = opener.make_name(name) if name else name
            opener.add(FileMember(label, path), "" if len(files) == 1 else f"{label}/")
        yield opener.bundle


class _Opener:
    """Opens files and archives, one within another."""

    def __init__(self, directory: Path, limits: BundleLimits, stack: ExitStack) -> None:
        self._directory = directory
        self._limits = limits
        self._unpacked_bytes = UnpackedBytes(limits)
        self._stack = stack
        self._members: list[Member] = []
        self._names = Counter[str]()
        self._left_out = Counter[str]()
        self._archives = 0

    @property
    def bundle(self) -> Bundle:
        """All members."""
        is_archive = self._archives > 0 or len(self._members) > 1
        return Bundle(self._members, is_archive, self._left_out)

    def add(self, member: StreamedMember, within: str, *, depth: int = 0) -> None:
        """Take a file in, or what is in it if it is an archive; `within` begins their names."""
        member, head = self._decompress(member)
        if head.startswith(_AGE_MAGICS):
            raise refuse_file(member.name, "is encrypted with age: decrypt it first")
        if (head.startswith(ZIP_MAGICS) or is_tar(head)) and depth < _MOST_DEPTH:
            self._add_archive(member, within, depth)
        else:
            self._add_member(member)

    def _decompress(self, member: StreamedMember) -> tuple[StreamedMember, bytes]:
        """What is inside of compression or of an answer, and how it begins."""
        for _ in range(_MOST_LAYERS):
            head = member.peek(_HEAD_BYTES) if member.is_readable else b""
            decompress = open_payload if is_export_answer(head) else find_decompressor(head)
            if decompress is None:
                return member, head
            stream = partial(_open_layer, member.stream, decompress)
            member = self._make_member(member.name, member.size, stream)
        raise refuse_file(member.name, "is compressed too many times over")

    def _add_archive(self, member: StreamedMember, within: str, depth: int) -> None:
        self._archives += 1
        if self._archives > self._limits.archives:
            raise Invalid("file", f"holds more than {self._limits.archives} archives")
        file = self._stack.enter_context(member.open())
        entries = self._list_entries(file)
        if entries and entries[0].name.startswith(_DOCUMENT_STARTS):
            self._add_member(member)
            return
        for entry in entries:
            if reason := _find_reason_against(entry):
                self._left_out[reason] += 1
            elif not entry.is_directory:
                name = self.make_name(within + entry.name)
                inside = self._make_entry(file, entry, name)
                self.add(inside, f"{name}/", depth=depth + 1)

    def _list_entries(self, file: BinaryIO) -> Sequence[ArchiveEntry]:
        most = self._limits.members - len(self._members)
        if is_tar(file.read(_HEAD_BYTES)):
            return tar_archive.list_entries(file, most)
        return zip_archive.list_entries(file, most)

    def _make_entry(self, file: BinaryIO, entry: ArchiveEntry, name: str) -> StreamedMember:
        if entry.fault is not None:
            return UnreadableMember(name, entry.fault)
        return self._make_member(name, entry.packed_bytes, partial(entry.open, file))

    def _make_member(self, name: str, size: int, stream: Callable[[], BinaryIO]) -> PackedMember:
        return PackedMember(
            name, size, stream, directory=self._directory, unpacked_bytes=self._unpacked_bytes
        )

    def _add_member(self, member: StreamedMember) -> None:
        if len(self._members) >= self._limits.members:
            raise Invalid("file", f"holds more than {self._limits.members} files")
        self._members.append(member)

    def make_name(self, name: str) -> str:
        """A label that stands once: an archive may hold several files of one name."""
        parts = [part for part in name.split("/") if part not in {"", ".", ".."}]
        label = path = _CONTROLS.sub("\ufffd", "/".join(parts)) or "unnamed"
        while label in self._names:
            self._names[path] += 1
            folder, slash, file_name = path.rpartition("/")
            stem, dot, suffix = file_name.partition(".")
            label = f"{folder}{slash}{stem} ({self._names[path]}){dot}{suffix}"
        self._names[label] = 1
        return label


def _open_layer(
    stream: Callable[[], BinaryIO], decompress: Callable[[BinaryIO], BinaryIO]
) -> BinaryIO:
    return decompress(stream())


def _find_reason_against(entry: ArchiveEntry) -> str | None:
    """Why an entry of an archive is no member of its bundle; None: it is one."""
    name = entry.name.rpartition("/")[2]
    if entry.is_link:
        return "link"
    if name in _SYSTEM_FILES or entry.name.startswith("__MACOSX/") or name.startswith("._"):
        return "system file"
    return None
