"""The body and the answers of exports."""

from typing import Annotated

import msgspec

from memferry.files.compress import CODECS
from memferry.filters import FILTERS
from memferry.formats import ALL_FIELDS, FORMATS, INCLUDED
from memferry.model.export import LEAST_PART_BYTES
from memferry.model.job import Status
from memferry.wire.filters import add_filters
from memferry.wire.schema import NextCursor, describe

_Format = Annotated[str, describe(enum=list(FORMATS))]
_Codec = Annotated[str, describe(enum=list(CODECS))]
_Field = Annotated[str, describe(enum=list(ALL_FIELDS))]
_Included = Annotated[str, describe(enum=list(INCLUDED))]


# A new option is one field here.
class ExportOptions(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """An export request; unknown fields are refused, since a dropped filter would show too much."""

    format: _Format | None = "json"
    compression: Annotated[
        _Codec | None, describe("compresses the file; a payload never is compressed")
    ] = None
    fields: Annotated[
        Annotated[list[_Field], describe(minItems=1, uniqueItems=True)] | None,
        describe("only these fields of each memory; with format json, ndjson or csv"),
    ] = None
    include: Annotated[
        Annotated[list[_Included], describe(minItems=1, uniqueItems=True)] | None,
        describe("history: each memory with its former states; with format json or ndjson"),
    ] = None
    csv_metadata: Annotated[
        bool | None, describe("adds the column metadata at the end; only with format csv")
    ] = False
    csv_safe: Annotated[
        bool | None,
        describe("guards cells that a spreadsheet would run as formulas; only with format csv"),
    ] = False
    encrypt_to: Annotated[
        Annotated[str, describe(pattern="^age1[02-9ac-hj-np-z]{58}$")] | None,
        describe("a public key of age: the export is always a file, and encrypted to it"),
    ] = None
    max_part_bytes: Annotated[
        Annotated[int, describe(minimum=LEAST_PART_BYTES)] | None,
        describe(
            "cuts a large export into files of at most so many bytes, each whole in itself. "
            "A payload that would be larger becomes files too"
        ),
    ] = None


NewExport = add_filters("NewExport", ExportOptions, FILTERS)


class _FilterAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The filters of an export; all must match. One that is null or absent was not given."""


ExportFilters = add_filters("ExportFilters", _FilterAnswer, FILTERS, answer=True)


class ExportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One export; sizes in bytes, times in epoch milliseconds UTC."""

    id: Annotated[str, describe(pattern="^[0-9A-HJKMNP-TV-Z]{26}$")]
    status: Status
    format: _Format
    compression: Annotated[_Codec | None, describe("of the file; null for a payload")]
    fields: Annotated[list[_Field] | None, describe("the only fields in it; null: all")]
    include: Annotated[
        list[_Included] | None, describe("what rows hold beside their fields; null: nothing")
    ]
    csv_metadata: Annotated[bool, describe("whether a CSV has the column metadata")]
    csv_safe: Annotated[bool, describe("whether cells that a spreadsheet would run are guarded")]
    encrypted: Annotated[bool, describe("whether the file is encrypted; it has no payload then")]
    encrypt_to: Annotated[str | None, describe("the public key it is encrypted to")]
    row_count: int
    error: str | None
    error_code: Annotated[str | None, describe("stable; set when failed")]
    retryable: Annotated[bool | None, describe("when failed: whether asking again makes sense")]
    filters: ExportFilters  # type: ignore[valid-type]  # made of the filters
    expired_rows: Annotated[
        int | None,
        describe("memories that matched and had expired, so that it leaves them out"),
    ]
    rows_done: int
    bytes_done: int
    progress: Annotated[
        float, describe("1 when, and only when, it was completed", minimum=0, maximum=1)
    ]
    sha256: Annotated[str | None, describe("hex digest of the whole export, not compressed")]
    max_part_bytes: Annotated[int | None, describe("how many bytes a file may have at most")]
    file_bytes: Annotated[
        int | None, describe("size of the file as it is downloaded; of all files together")
    ]
    file_sha256: Annotated[
        str | None,
        describe("hex digest of the file as it is downloaded; null if there are parts"),
    ]
    created_at: int
    snapshot_at: Annotated[
        int | None,
        describe(
            "what was saved before is in, and nothing later unless a standby was read; "
            "set when completed"
        ),
    ]
    completed_at: Annotated[int | None, describe("when it was completed, failed or cancelled")]
    expires_at: Annotated[int | None, describe("until when its bytes are kept; set when completed")]
    purged_at: Annotated[
        int | None,
        describe("when its bytes were removed because a memory in them was deleted"),
    ]


class ExportPart(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an export in parts; each is a whole file of its format."""

    number: Annotated[int, describe("from 1, in the order of the rows", minimum=1)]
    rows: int
    bytes: Annotated[int, describe("neither compressed nor encrypted")]
    sha256: Annotated[str, describe("hex digest of these")]
    file_bytes: Annotated[int, describe("as it is downloaded")]
    file_sha256: Annotated[str, describe("hex digest of these")]
    download_url: str | None


class ExportAnswer(ExportSummary, frozen=True, kw_only=True):
    """An export with its payload (up to 10,000 rows) or the link to its file."""

    payload: str | None
    download_url: Annotated[str | None, describe("of the file, or of the first part")]
    parts: Annotated[
        list[ExportPart] | None,
        describe("the files of an export with max_part_bytes that is completed; else null"),
    ]


class ExportEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """What an export would be like now; none was made."""

    rows: Annotated[int, describe("exactly so many memories match")]
    bytes: Annotated[int, describe("size of the export, not compressed; see bytes_exact")]
    bytes_exact: Annotated[bool, describe("whether all rows were measured, and not a sample")]
    sample_rows: Annotated[int | None, describe("how many rows the sample had; null when exact")]
    inline: Annotated[bool, describe("whether it comes as payload; else it is queued")]


class ExportPage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The most recent exports."""

    exports: list[ExportSummary]
    next_cursor: NextCursor = None
