"""What a client asks for with a file: how it is read, and what becomes of its records."""

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Literal, Self, get_args

import msgspec

from memferry.errors import Invalid
from memferry.model import rules
from memferry.sources import SOURCES
from memferry.sources.base import ReadOptions
from memferry.sources.reading.times import find_zone

TYPE = "import"
"""The type of job that imports are."""
Conflict = Literal["skip", "overwrite", "new_ids"]
OnError = Literal["abort", "skip"]
Per = Literal["message", "conversation"]
Folders = Literal["tag", "namespace", "none"]
KEPT_MS = 3_600_000
"""How long the file of a dry run is kept if that is asked for."""
_NAME_CHARACTERS = 300
_CHOICES = {
    "format": tuple(SOURCES.names),
    "conflict": get_args(Conflict),
    "on_error": get_args(OnError),
    "per": get_args(Per),
    "folders": get_args(Folders),
}


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
    """The options of an import; what cannot be done raises Invalid with the field."""

    format: str | None = None
    """The name of a source; None: that which recognises the file."""
    namespace: str | None = None
    """Where all records go; None: where they were, else where their source says."""
    tags: tuple[str, ...] = ()
    """Added to the tags of each record."""
    conflict: Conflict = "skip"
    """What becomes of a record whose memory is there already, and differs."""
    on_error: OnError = "abort"
    """Whether one record that cannot be saved keeps the others from it."""
    dry_run: bool = False
    timezone: str = "UTC"
    per: Per = "message"
    branches: bool = False
    folders: Folders = "tag"
    name: str = ""
    """The name of the file, for the report alone."""
    keep_file: bool = False
    """Whether the file of a dry run is kept for an hour, so that it can be imported then."""

    def __post_init__(self) -> None:
        """Check every field."""
        if self.format is not None:
            _check_choice("format", self.format, SOURCES.names)
        if self.namespace is not None:
            rules.check_text("namespace", self.namespace, most=rules.NAMESPACE_CHARACTERS, least=1)
        rules.check_tags("tags", list(self.tags))
        for field in ("conflict", "on_error", "per", "folders"):
            _check_choice(field, getattr(self, field), _CHOICES[field])
        find_zone(self.timezone)
        rules.check_text("name", self.name, most=_NAME_CHARACTERS)
        if self.keep_file and not self.dry_run:
            raise Invalid("keep_file", "goes only with dry_run")

    @property
    def read_options(self) -> ReadOptions:
        """What concerns the reading of a source."""
        return ReadOptions(
            timezone=self.timezone, per=self.per, branches=self.branches, folders=self.folders
        )

    @property
    def needs(self) -> frozenset[str]:
        """What a worker must understand to do it: some of NEEDS."""
        return frozenset(self._list_needs())

    def _list_needs(self) -> Iterator[str]:
        default = ImportRequest()
        for field in (*_CHOICES, *_FIELDS):
            value = getattr(self, field)
            if value != getattr(default, field):
                yield f"{field} {value}" if field in _CHOICES else field


_FIELDS = ("namespace", "tags", "dry_run", "timezone", "branches", "name", "keep_file")
NEEDS = frozenset(
    (*(f"{field} {value}" for field, values in _CHOICES.items() for value in values), *_FIELDS)
)
"""All that a worker of this version understands."""


_OF_FILE = ("wrapped", "size_bytes", "sha256")


@dataclass(frozen=True, kw_only=True)
class StoredRequest:
    """A request as its job keeps it, with the file that was sent for it."""

    options: ImportRequest
    wrapped: bool
    """Whether the file is an archive that we made of the files of a form."""
    size_bytes: int
    sha256: str
    """In hex."""

    @property
    def as_json(self) -> str:
        """The text that `read` reads."""
        fields = asdict(self.options) | {name: getattr(self, name) for name in _OF_FILE}
        if not self.options.keep_file:
            # Workers of versions without it read all else.
            del fields["keep_file"]
        return msgspec.json.encode(fields).decode()

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the text that `as_json` wrote; raises Invalid for one of another version."""
        try:
            fields = msgspec.json.decode(text, type=dict[str, object])
            more = {name: fields.pop(name) for name in _OF_FILE}
            options = msgspec.convert(fields, ImportRequest)
            if fields.keys() - ImportRequest.__dataclass_fields__.keys():
                raise Invalid("request", "has fields of another version")
            return msgspec.convert({"options": options, **more}, cls)
        except (msgspec.MsgspecError, KeyError) as fault:
            raise Invalid("request", str(fault)) from fault


def _check_choice(field: str, value: str, choices: Collection[str]) -> None:
    if value not in choices:
        raise Invalid(field, f"unknown; expected one of {', '.join(choices)}")
