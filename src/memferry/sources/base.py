"""What a source is: it recognises files by their content and reads records out of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, LiteralString, Protocol
from uuid import UUID

from msgspec import Struct

from memferry.errors import Invalid


class Place(Struct, frozen=True, gc=False):
    """Where something stands in the input, for a person to find it."""

    member: str
    """The path in the archive; the file's own name, or "", if it is no archive."""
    at: str
    """Such as `line 12`, `[3]`, `message m-1`."""


def refuse_file(name: str, reason: str) -> Invalid:
    """The error of a file of the input, which has a name unless it came alone."""
    return Invalid("file", f"{repr(name) if name else 'the file'} {reason}")


class Record(Struct, frozen=True, kw_only=True):
    """One memory as a source has it, not checked by the rules of memories yet.

    Times are epoch milliseconds; None: the source does not say. A record of our own exports brings
    its `id`; any other one a `key`, from which its id is derived, so that a second import finds it.
    """

    place: Place
    content: str
    id: UUID | None = None
    key: str | None = None
    """Stable across imports of the same source, such as `conversation/message`."""
    namespace: str | None = None
    """None: where the person who imports says."""
    tags: Sequence[str] = ()
    source: str | None = None
    source_ref: str | None = None
    metadata: str | None = None
    """A JSON object as text, kept as it is."""
    origin: Mapping[str, Any] | None = None
    """What is told below `metadata.import`; None for our own exports, which stay as they were.

    Where a time was taken from stands in `time_from`: `record`, `conversation` or `file`.
    """
    created_at: int | None = None
    updated_at: int | None = None
    expires_at: int | None = None
    """None: never, or as the namespace says."""
    history: str | None = None
    """A list of former states as JSON text, not checked; of our own exports alone."""


class Member(Protocol):
    """One file of the input, decompressed."""

    @property
    def name(self) -> str:
        """Its path with `/` between the parts; "" if nobody has named it."""

    def open(self) -> BinaryIO:
        """A file on disk with its bytes, at the beginning; the caller closes it.

        It can be sought and mapped. Raises Invalid for what is damaged, and for a member that
        unpacks to more than the limits allow.
        """

    def peek(self, size: int) -> bytes:
        """Its first bytes, at most so many; raises Invalid as `open`."""


@dataclass(frozen=True)
class Bundle:
    """All files of one import: a single file, or the members of an archive in their order."""

    members: Sequence[Member]
    is_archive: bool = False
    left_out: Mapping[str, int] = field(default_factory=dict)
    """What of an archive is no member, by reason, such as `link`."""


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What a person chooses of how sources are read."""

    timezone: str = "UTC"
    """The IANA name of the zone of times that have none."""
    per: str = "message"
    """One memory per `message`, or per `conversation`."""
    branches: bool = False
    """Whether abandoned branches of conversations are read too, with the tag `branch`."""
    folders: str = "tag"
    """What the folder of a Markdown file becomes: a `tag`, the `namespace`, or `none` of both."""
    extra: Mapping[str, str] = field(default_factory=dict)


class Journal(Protocol):
    """Takes note of all that was not read as it stood."""

    def repair(self, kind: str, place: Place) -> None:
        """A record was mended and is kept, such as by `lone surrogate`."""

    def reject(self, place: Place, reason: str) -> None:
        """A record cannot be read; the reason says what was seen."""

    def leave_out(self, reason: str, count: int = 1) -> None:
        """Something is no memory, or was not asked for, such as `tool traffic`."""


class Source(Protocol):
    """One kind of input; a new one is one new file and its line in `sources/__init__.py`."""

    @property
    def name(self) -> LiteralString:
        """Its name in requests and in `source` of the memories that name none."""

    def recognises(self, bundle: Bundle) -> bool:
        """Whether the content is of this kind; reads the beginnings of members alone."""

    def read(self, bundle: Bundle, options: ReadOptions, journal: Journal) -> Iterator[Record]:
        """Yield the records in bounded memory; one bad record never ends it.

        Raises Invalid for input that cannot be read further.
        """
