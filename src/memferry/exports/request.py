"""What a client asks for: a format, options and filters, checked to the last field."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import msgspec
from msgspec import Raw

from memferry.errors import Invalid
from memferry.files.compress import CODECS, Codec
from memferry.files.encrypt import check_recipient
from memferry.filters import FILTERS, Filter, Selection
from memferry.filters.checks import check_filters
from memferry.filters.token_namespaces import TokenNamespaces
from memferry.formats import FORMATS, Format, find_format
from memferry.formats.variant import check_fields, check_included
from memferry.model import strict_json
from memferry.model.export import INLINE_BYTES, LEAST_PART_BYTES
from memferry.wire.exports import NewExport

BODY_BYTES = 64 * 1024
TYPE = "export"
"""The type of job that exports are."""
_DEFAULT_FORMAT = "json"
# The most that one object of S3 may have: larger parts are no limit.
_MOST_PART_BYTES = 5 * 1024**4


@dataclass(frozen=True, kw_only=True)
class Option:
    """A field of a request that changes the file of an export, and not its rows."""

    field: str
    """One of the body that memferry.wire describes."""
    default: object
    """The value that changes nothing; null stands for it."""
    check: Callable[[str, Any], object] = lambda _field, value: value
    """Answers the value as it is stored; raises Invalid, which names the field."""
    choices: Sequence[str] = ()
    """All values, where a worker must know each."""
    of_file: bool = False
    """Whether it changes files alone, and no payload."""


def _check_codec(field: str, name: str) -> str:
    if name not in CODECS:
        raise Invalid(field, f"unknown; expected one of {', '.join(CODECS)}, or null")
    return name


def _check_part_bytes(field: str, value: int) -> int:
    if value < LEAST_PART_BYTES:
        raise Invalid(field, f"at least {LEAST_PART_BYTES:,} bytes are needed (1 MiB)")
    return min(value, _MOST_PART_BYTES)


# A new option is one entry.
OPTIONS = (
    Option(
        field="compression", default=None, check=_check_codec, choices=tuple(CODECS), of_file=True
    ),
    Option(field="fields", default=None, check=check_fields),
    Option(field="include", default=None, check=check_included),
    Option(field="csv_metadata", default=False),
    Option(field="csv_safe", default=False),
    Option(field="encrypt_to", default=None, check=check_recipient, of_file=True),
    Option(field="max_part_bytes", default=None, check=_check_part_bytes, of_file=True),
)

_DECODER = msgspec.json.Decoder(NewExport)


@dataclass(frozen=True)
class ExportRequest:
    """A valid request."""

    format: Format
    options: Mapping[str, Any]
    """The given options by field; one with its default counts as not given."""
    values: Mapping[type[Filter], object]
    """The given filters and their values; a filter that is not given is absent."""

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a request body; raises Invalid that names the field."""
        request = strict_json.decode(_DECODER, body)
        options = _check_options(request)
        name = _DEFAULT_FORMAT if request.format is None else request.format
        file_format = find_format(name, options)
        values = check_filters(FILTERS, request)
        _check_order(values)
        return cls(file_format, options, values)

    @classmethod
    def read(cls, text: str, namespaces: Sequence[str] | None = None) -> Self:
        """The request that `as_json` wrote, held within the namespaces of its token.

        Raises Invalid for a field that only another version knows.
        """
        fields = msgspec.json.decode(text, type=dict[str, Raw])
        if "filters" not in fields:
            raise Invalid("filters", "is missing")
        filters = msgspec.json.decode(fields.pop("filters"), type=dict[str, Raw])
        request = cls.parse(msgspec.json.encode(fields | filters))
        if namespaces is None:
            return request
        return replace(request, values={**request.values, TokenNamespaces: list(namespaces)})

    @property
    def as_json(self) -> str:
        """The request as it is stored: format, given options, and all filters."""
        words = {"format": self.format.name, **self.options, "filters": Raw(self.filters_json)}
        return msgspec.json.encode(words).decode()

    def convert_to_payload(self) -> Self:
        """The same request without the options that change files alone."""
        of_file = {option.field for option in OPTIONS if option.of_file}
        options = {field: value for field, value in self.options.items() if field not in of_file}
        return replace(self, options=options)

    def convert_to_files(self) -> Self:
        """The same request with the format that a worker writes, which may cut itself."""
        most_bytes, format_ = self.part_content_bytes, self.format
        if most_bytes is None or format_.cut is None:
            return self
        return replace(self, format=format_.cut(most_bytes))

    @property
    def codec(self) -> Codec | None:
        """How the file is compressed; a payload never is."""
        return CODECS.get(self.options.get("compression", ""))

    @property
    def recipient(self) -> str | None:
        """The public key the file is encrypted to."""
        return self.options.get("encrypt_to")

    @property
    def part_bytes(self) -> int | None:
        """How many bytes a file may have at most; None: as many as it takes."""
        return self.options.get("max_part_bytes")

    @property
    def part_content_bytes(self) -> int | None:
        """What fits into a part however badly it compresses, before it is packed."""
        if self.part_bytes is None:
            return None
        # Incompressible: gzip adds 5 bytes to 16 KiB, zstd 3 to 128 KiB (RFC 1951, RFC 8878); age
        # adds 16 to 64 KiB, and a head of some 200 (https://age-encryption.org/v1).
        spare = (self.part_bytes >> 10) + 1024
        packings = (self.codec is not None) + (self.recipient is not None)
        return self.part_bytes - packings * spare

    @property
    def payload_bytes(self) -> int:
        """How many bytes a payload may have; what is larger becomes files."""
        return min(INLINE_BYTES, self.part_bytes or INLINE_BYTES)

    @property
    def selection(self) -> Selection:
        """Which memories are meant."""
        return Selection.for_scan(self.values)

    @property
    def range_selection(self) -> Selection:
        """The same memories, for statements over a range of their order."""
        return Selection.for_range(self.values)

    @property
    def filters_json(self) -> bytes:
        """The filters as JSON; of those not given the contract shows five, as null."""
        return msgspec.json.encode(
            {
                filter_.field: self._show(filter_)
                for filter_ in FILTERS
                if filter_.always_shown or filter_ in self.values
            }
        )

    def _show(self, filter_: type[Filter]) -> object:
        value = self.values.get(filter_)
        return Raw(value.encode()) if filter_.type is Raw and isinstance(value, str) else value

    def digest(self, namespaces: Sequence[str] | None) -> bytes:
        """A digest that equal requests under the same limit share, however they were written."""
        limit = None if namespaces is None else sorted(namespaces)
        return hashlib.sha256(self.as_json.encode() + msgspec.json.encode(limit)).digest()

    @property
    def needs(self) -> frozenset[str]:
        """What a worker must understand to write it: some of NEEDS."""
        options = [option for option in OPTIONS if option.field in self.options]
        return frozenset(
            (
                _name_format(self.format),
                *(_name_option(option, self.options[option.field]) for option in options),
                *map(_name_filter, self.values),
            )
        )


def _name_format(file_format: Format) -> str:
    return f"format {file_format.name}"


def _name_option(option: Option, value: object) -> str:
    return f"{option.field} {value}" if option.choices else option.field


def _name_filter(filter_: type[Filter]) -> str:
    return f"filter {filter_.field}"


NEEDS = frozenset(
    (
        *map(_name_format, FORMATS.values()),
        *(_name_option(option, value) for option in OPTIONS for value in option.choices or (None,)),
        *map(_name_filter, FILTERS),
        _name_filter(TokenNamespaces),
    )
)
"""All that a worker of this version understands, if everything is installed."""


def list_needs() -> frozenset[str]:
    """All that a worker here understands: a format that is not installed is left to others."""
    return NEEDS - {_name_format(format_) for format_ in FORMATS.values() if not format_.installed}


def show_request(text: str) -> dict[str, Any]:
    """The fields of a stored request as an export shows them: format, options, filters."""
    fields = msgspec.json.decode(text, type=dict[str, Raw])
    options = {
        option.field: msgspec.json.decode(fields[option.field])
        if option.field in fields
        else option.default
        for option in OPTIONS
    }
    return {
        "format": msgspec.json.decode(fields["format"]),
        "options": options,
        "filters": bytes(fields["filters"]).decode(),
    }


def _check_options(request: Any) -> dict[str, Any]:
    options = {}
    for option in OPTIONS:
        value = getattr(request, option.field)
        if value is not None and value != option.default:
            options[option.field] = option.check(option.field, value)
    return options


def _check_order(values: Mapping[type[Filter], object]) -> None:
    """Raise Invalid for a span of time that ends before it begins."""
    times = {filter_.field: value for filter_, value in values.items() if isinstance(value, int)}
    for what in ("created", "updated"):
        after, before = times.get(f"{what}_after"), times.get(f"{what}_before")
        if after is not None and before is not None and after > before:
            raise Invalid(f"{what}_after", f"is later than {what}_before")
