"""The answers of the audit."""

from typing import Annotated
from uuid import UUID

import msgspec

from memferry.model.audit import Event
from memferry.wire.schema import describe


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what, when and from where; no content."""

    id: UUID
    at: Annotated[int, describe("epoch milliseconds UTC")]
    event: Event
    outcome: Annotated[str, describe("ok, interrupted, failed, or the code of an error")]
    token_id: Annotated[UUID | None, describe("null for a link and for the operator")]
    address: Annotated[str | None, describe("null for a worker and for the operator")]
    subject: Annotated[str | None, describe("an id, or the pattern of an address")]
    filters_sha256: Annotated[str | None, describe("hex SHA-256 of the export's filters as JSON")]
    rows: int | None
    bytes: Annotated[int | None, describe("of a download: what was sent, seen or not")]
    detail: str | None
    times: Annotated[int, describe("how often; above 1 where alike entries came very fast")]


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """Entries, newest first; `before` the last one begins the next page."""

    entries: list[AuditEntry]
