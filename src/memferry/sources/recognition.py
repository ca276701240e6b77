"""Which source reads which members: told by their content, never by their names."""

import re
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

from memferry.errors import Invalid
from memferry.sources.base import Bundle, Journal, Member, Source
from memferry.sources.reading.elements import HEAD_BYTES, find_layout, peek_names
from memferry.sources.reading.kinds import describe_bundle
from memferry.sources.reading.text import peek_text

# Beside the files of an export lie its manifest and their digests: they hold no memory.
_MANIFEST_NAMES = frozenset(["id", "memferry", "resources"])
_DIGESTS = re.compile(rb"[0-9a-f]{64} [ *]memferry-")


class Assignment(NamedTuple):
    """Members that one source reads."""

    source: Source
    bundle: Bundle


class Sources:
    """All sources, in the order in which they are asked."""

    def __init__(self, accounts: Sequence[Source], files: Sequence[Source]) -> None:
        self._accounts = accounts
        self._files = files

    @property
    def names(self) -> list[str]:
        """The names by which a person may choose one."""
        return [source.name for source in (*self._accounts, *self._files)]

    def assign(self, bundle: Bundle, journal: Journal, name: str | None = None) -> list[Assignment]:
        """Who reads which members; with `name` that source reads all.

        Raises Invalid that says what was seen if no source knows anything in the bundle. Members
        that none knows, beside such that one does, are left out and counted.
        """
        for reason, count in bundle.left_out.items():
            journal.leave_out(reason, count)
        bundle = _leave_manifests_out(bundle, journal)
        if name is not None:
            return [Assignment(self._find(name), bundle)]
        for source in self._accounts:
            if source.recognises(bundle):
                return [Assignment(source, bundle)]
        return self._group(bundle, journal)

    def _find(self, name: str) -> Source:
        for source in (*self._accounts, *self._files):
            if source.name == name:
                return source
        raise Invalid("format", f"expected one of {', '.join(self.names)}")

    def _group(self, bundle: Bundle, journal: Journal) -> list[Assignment]:
        """Members by the source that knows them, each in its order."""
        groups = dict[str, list[Member]]()
        for member in bundle.members:
            peeked = Bundle([_PeekedMember(member)], bundle.is_archive)
            for source in self._files:
                if source.recognises(peeked):
                    groups.setdefault(source.name, []).append(member)
                    break
        unknown = len(bundle.members) - sum(map(len, groups.values()))
        if not groups:
            kind = describe_bundle(bundle)
            raise Invalid("file", f"is {kind}: no source of memories that is known here")
        if unknown:
            journal.leave_out("file of no known kind", unknown)
        return [
            Assignment(source, Bundle(groups[source.name], bundle.is_archive))
            for source in self._files
            if source.name in groups
        ]


class _PeekedMember:
    """A member whose beginning is unpacked once, however many sources look at it."""

    def __init__(self, member: Member) -> None:
        self.name = member.name
        self._member = member
        self._head: bytes | None = None

    def open(self) -> BinaryIO:
        """The member itself."""
        return self._member.open()

    def peek(self, size: int) -> bytes:
        """Its first bytes."""
        if size > HEAD_BYTES:
            return self._member.peek(size)
        if self._head is None:
            self._head = self._member.peek(HEAD_BYTES)
        return self._head[:size]


def _leave_manifests_out(bundle: Bundle, journal: Journal) -> Bundle:
    members = [member for member in bundle.members if not _is_manifest(member)]
    if len(members) == len(bundle.members):
        return bundle
    journal.leave_out("manifest of an export", len(bundle.members) - len(members))
    return Bundle(members, bundle.is_archive)


def _is_manifest(member: Member) -> bool:
    head = peek_text(member, HEAD_BYTES)
    if _DIGESTS.match(head):
        return True
    return find_layout(head) is not None and peek_names(head).keys() >= _MANIFEST_NAMES
