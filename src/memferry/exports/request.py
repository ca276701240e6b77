"""What a client asks for: a format and filters, checked to the last field."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import msgspec
from msgspec import Raw

from memferry.errors import Invalid
from memferry.files.compress import CODECS, Codec
from memferry.files.encrypt import check_recipient
from memferry.filters import EXPORT_FILTERS, Filter, Selection
from memferry.filters.checks import check_filters
from memferry.filters.token_namespaces import TokenNamespaces
from memferry.formats import FORMATS, SAFE_FORMATS, Format
from memferry.model import strict_json
from memferry.model.export import Job
from memferry.wire.exports import NewExport

BODY_BYTES = 64 * 1024
_DEFAULT_FORMAT = "json"
_NULL = Raw(b"null")

_DECODER = msgspec.json.Decoder(NewExport)


@dataclass(frozen=True)
class ExportRequest:
    """A valid request."""

    format: Format
    codec: Codec | None
    """How the file is compressed; a payload never is."""
    values: dict[type[Filter], object]
    """The given filters and their values; a filter that is not given is absent."""
    recipient: str | None = None
    """The public key the file is encrypted to."""

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a request body; raises Invalid that names the field."""
        request = strict_json.decode(_DECODER, body)
        file_format = _format(request.format, csv_safe=request.csv_safe is True)
        if request.compression is not None and request.compression not in CODECS:
            raise Invalid("compression", f"unknown; expected one of {', '.join(CODECS)}, or null")
        values = check_filters(EXPORT_FILTERS, request)
        _check_order(values)
        recipient = request.encrypt_to
        if recipient is not None:
            check_recipient("encrypt_to", recipient)
        return cls(file_format, CODECS.get(request.compression or ""), values, recipient)

    @property
    def selection(self) -> Selection:
        """Which memories are meant."""
        return Selection.for_scan(self.values)

    @property
    def range_selection(self) -> Selection:
        """The same memories, for statements over a range of their order."""
        return Selection.for_range(self.values)

    @property
    def filters_json(self) -> str:
        """All filters of the contract as JSON text, null where not given."""
        shown = {each.field: self._shown(each) for each in EXPORT_FILTERS}
        return msgspec.json.encode(shown).decode()

    @property
    def sha256(self) -> bytes:
        """A digest that equal requests share, however they were written."""
        words = f"{self.kind} {self.filters_json}"
        # Without a key the digest stays what it was before there were any.
        words += "" if self.recipient is None else f" {self.recipient}"
        return hashlib.sha256(words.encode()).digest()

    @property
    def kind(self) -> str:
        """What a worker must be able to write."""
        words = (
            self.format.name,
            "safe" if self.format.safe else "",
            "" if self.codec is None else self.codec.name,
            "" if self.recipient is None else "age",
        )
        return "+".join(filter(None, words))

    def digest(self, namespaces: Sequence[str] | None) -> bytes:
        """As `sha256`, of what is asked for under a limit: elsewhere it means other rows."""
        if namespaces is None:
            return self.sha256
        return hashlib.sha256(self.sha256 + msgspec.json.encode(sorted(namespaces))).digest()

    def _shown(self, each: type[Filter]) -> object:
        value = self.values.get(each)
        return Raw(value.encode()) if each.type is Raw and isinstance(value, str) else value

    @classmethod
    def stored(cls, job: Job) -> Self:
        """The request a job was made from, held within the namespaces of its token."""
        filters = msgspec.json.decode(job.filters, type=dict[str, Raw])
        within = msgspec.json.decode(
            filters.pop(TokenNamespaces.field, _NULL), type=list[str] | None
        )
        form = {"format": job.format, "compression": job.compression, "csv_safe": job.csv_safe}
        form["encrypt_to"] = job.encrypt_to
        request = cls.parse(msgspec.json.encode({**form, **filters}))
        if within is None:
            return request
        return replace(request, values=request.values | {TokenNamespaces: within})


KINDS: tuple[str, ...] = tuple(
    ExportRequest(each, codec, {}, recipient).kind
    for each in (*FORMATS.values(), *SAFE_FORMATS.values())
    for codec in (None, *CODECS.values())
    for recipient in (None, "anybody")
)
"""All that a worker of this version can write."""


def _format(name: str | None, *, csv_safe: bool) -> Format:
    name = _DEFAULT_FORMAT if name is None else name
    if name not in FORMATS:
        raise Invalid("format", f"unknown; expected one of {', '.join(FORMATS)}")
    if not csv_safe:
        return FORMATS[name]
    if name not in SAFE_FORMATS:
        raise Invalid("csv_safe", f"goes only with format {' or '.join(SAFE_FORMATS)}")
    return SAFE_FORMATS[name]


def _check_order(values: dict[type[Filter], object]) -> None:
    times = {each.field: value for each, value in values.items() if isinstance(value, int)}
    after, before = times.get("created_after"), times.get("created_before")
    if after is not None and before is not None and after > before:
        raise Invalid("created_after", "is later than created_before")
