"""The answers of imports, and the report that is kept with one."""

from typing import Annotated

import msgspec

from memferry.model.job import Status
from memferry.wire.schema import NextCursor, describe

Counts = dict[str, int]


class Repair(msgspec.Struct, frozen=True, kw_only=True):
    """A record that was mended, and where it stands."""

    file: str
    at: str
    kind: str


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """A record that cannot be imported, and where it stands."""

    file: str
    at: str
    reason: str


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of every record; it holds counts, places and reasons, and no memory."""

    sources: Annotated[list[str], describe("what the files were recognised as")]
    files: Annotated[int, describe("how many were read")]
    read: Annotated[int, describe("records; the sum of the five that follow")]
    created: int
    unchanged: Annotated[int, describe("were there already, just so")]
    updated: Annotated[int, describe("were there already, and were overwritten")]
    skipped: Annotated[Counts, describe("by reason: `conflict` or `duplicate`")]
    rejected: int
    left_out: Annotated[Counts, describe("what is no record or was not asked for, by reason")]
    repaired: Annotated[Counts, describe("by kind")]
    rejections: Annotated[list[Rejection], describe("the first 100")]
    repairs: Annotated[list[Repair], describe("the first 100")]


class ImportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the file was asked to be read."""

    format: str | None
    namespace: str | None
    tags: list[str]
    conflict: str
    on_error: str
    dry_run: bool
    timezone: str
    per: str
    branches: bool
    folders: str
    name: Annotated[str, describe("of the file, as the client named it")]


class ImportAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One import; sizes in bytes, times in epoch milliseconds UTC."""

    id: Annotated[str, describe(pattern="^[0-9A-HJKMNP-TV-Z]{26}$")]
    status: Status
    options: ImportOptions
    row_count: Annotated[int, describe("memories that were created or changed")]
    rows_done: Annotated[int, describe("records that were read so far")]
    bytes_done: Annotated[int, describe("text of these")]
    file_bytes: Annotated[int, describe("of the file that was sent")]
    file_sha256: Annotated[str, describe("hex digest of the file that was sent")]
    error: str | None
    error_code: Annotated[str | None, describe("stable; set when failed")]
    retryable: Annotated[bool | None, describe("when failed: whether asking again makes sense")]
    created_at: int
    completed_at: Annotated[int | None, describe("when it was completed, failed or cancelled")]
    report: ImportReport | None


class ImportPage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The most recent imports."""

    imports: list[ImportAnswer]
    next_cursor: NextCursor = None
