"""The shapes of bodies and answers, for the OpenAPI document; tests hold real answers against them.

Answers are not built from these: rows go out as PostgreSQL rendered them.
"""

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from memferry.model.audit import Event
from memferry.model.token import USUAL_SCOPES, Scope

Format = Literal["json", "ndjson", "csv"]
Compression = Literal["gzip", "zstd"]
Json = dict[str, Any]


class Shape(BaseModel):
    """Nothing but the named fields."""

    model_config = ConfigDict(extra="forbid")


class Error(Shape):
    """Every answer from 400 on."""

    error: str = Field(min_length=1, examples=["content: must not be empty"])
    code: str = Field(examples=["invalid"])
    field: str | None = Field(default=None, examples=["content"])
    scope: str | None = Field(default=None, description="the one a token lacks")


class MemoryRow(Shape):
    """One memory; times in epoch milliseconds UTC."""

    id: UUID
    content: str = Field(examples=["Prefers short answers."])
    namespace: str = Field(examples=["preferences"])
    tags: list[str] = Field(examples=[["tone"]])
    source: str = Field(examples=["agent"])
    source_ref: str | None
    metadata: Json | None = Field(examples=[{"confidence": 0.9}])
    created_at: int
    updated_at: int


class Hit(MemoryRow):
    """A memory a search found; the larger the score, the better."""

    score: float = Field(gt=0)


class ListedMemory(MemoryRow):
    """A memory in a list; with a score if the list is a search."""

    score: float | None = Field(default=None, gt=0)


class NewMemory(BaseModel):
    """A memory to save."""

    content: str = Field(min_length=1, description="up to 1 MiB of UTF-8", examples=["Likes tea."])
    namespace: str | None = Field(default="default", examples=["preferences"])
    tags: list[str] | None = Field(default=[], examples=[["tone"]])
    source: str | None = "agent"
    source_ref: str | None = None
    metadata: Json | None = Field(default=None, examples=[{"confidence": 0.9}])


class MovedMemory(NewMemory):
    """A memory that comes from elsewhere and may keep its times."""

    created_at: int | None = Field(default=None, ge=0)
    updated_at: int | None = Field(default=None, ge=0)


class Change(BaseModel):
    """At least one of these."""

    content: str | None = Field(default=None, min_length=1, examples=["Likes green tea."])
    tags: list[str] | None = Field(default=None, description="replaces all tags")
    namespace: str | None = Field(default=None, description="moves the memory")
    metadata: Json | None = Field(default=None, description="merged; null removes a key")


class BulkSave(BaseModel):
    """Rows to save together."""

    items: list[MovedMemory] = Field(max_length=10_000)


class Failure(Shape):
    """Why a row was not saved."""

    index: int
    field: str
    error: str


class BulkSaved(Shape):
    """How many rows were saved, and what was wrong with the others."""

    saved: int
    errors: int
    ids: list[UUID | None] = Field(description="of the rows in their order; null: not saved")
    failures: list[Failure]


class BulkSearch(BaseModel):
    """Several searches with the same filters."""

    queries: list[str] = Field(min_length=1, max_length=25, examples=[["tea", "answers"]])
    k: int | str | None = Field(default=5, description="held within 1 to 50; junk means 5")
    namespace: str | None = None
    tags: list[str] | None = Field(default=None, description="has ALL of these tags")
    created_after: int | None = Field(default=None, ge=0)
    created_before: int | None = Field(default=None, ge=0)
    metadata_filter: Json | None = None


class Found(Shape):
    """One query and its hits, best first."""

    query: str
    hits: list[Hit]


class BulkFound(Shape):
    """One entry per query, in the same order."""

    results: list[Found]


class Recalled(Shape):
    """What the published MCP server reads."""

    memories: list[Hit]
    procedurals: list[Json]
    query: str


class Thread(Shape):
    """The pieces of one conversation or document, in order."""

    parent_ref: str
    chunks: list[MemoryRow]
    next_cursor: str | None = Field(
        default=None, description="leads to the next page; not there at the end"
    )


class Namespace(Shape):
    """One namespace."""

    name: str
    count: int
    last_updated: int


class Limit(Shape):
    """One limit of the tenant."""

    limit: int
    used: int | None = Field(description="null where only a rate is limited")


class Limits(Shape):
    """Each limit, and what is used of it."""

    memories: Limit
    memory_bytes: Limit = Field(description="texts and metadata of all memories")
    webhooks: Limit
    waiting_messages: Limit = Field(description="events that webhooks are still to be told of")
    waiting_message_bytes: Limit
    requests_per_minute: Limit = Field(description="of one process of the service")
    audit_notes_per_minute: Limit = Field(
        description="refusals, links and downloads noted one by one; more of them are counted"
    )
    exports_per_hour: Limit
    unfinished_exports: Limit
    stored_bytes: Limit = Field(description="payloads and files of completed exports")


class Filters(Shape):
    """Which memories; all given filters must hold, null means not given."""

    namespace: str | None = Field(default=None, examples=["preferences"])
    tags: list[str] | None = Field(default=None, description="has ALL of these tags")
    metadata_filter: Json | None = Field(default=None, description="metadata contains this")
    created_after: int | None = Field(default=None, ge=0, examples=[1735689600000])
    created_before: int | None = Field(default=None, ge=0)


class ExportRequest(Filters):
    """What to export, and in which format; any other field is refused."""

    format: Format = "json"
    compression: Compression | None = Field(
        default=None, description="compresses the file; a payload never is compressed"
    )
    csv_safe: bool | None = Field(
        default=False,
        description="guards cells that a spreadsheet would run as formulas; only with format csv",
    )
    encrypt_to: str | None = Field(
        default=None,
        pattern="^age1[02-9ac-hj-np-z]{58}$",
        description="a public key of age: the export is always a file, and encrypted to it",
    )


class ExportSummary(Shape):
    """One export; sizes in bytes, times in epoch milliseconds UTC."""

    id: str = Field(pattern="^[0-9A-HJKMNP-TV-Z]{26}$")
    status: Literal["pending", "running", "completed", "failed", "cancelled", "expired"]
    format: Format
    compression: Compression | None = Field(description="of the file; null for a payload")
    csv_safe: bool = Field(description="whether cells that a spreadsheet would run are guarded")
    encrypted: bool = Field(description="whether the file is encrypted; it has no payload then")
    encrypt_to: str | None = Field(description="the public key it is encrypted to")
    row_count: int
    error: str | None
    error_code: str | None = Field(description="stable; set when failed", examples=[None])
    retryable: bool | None = Field(description="when failed: whether asking again makes sense")
    filters: Filters
    rows_done: int
    bytes_done: int
    progress: float = Field(ge=0, le=1, description="1 when, and only when, it was completed")
    sha256: str | None = Field(description="hex digest of the whole export, not compressed")
    file_bytes: int | None = Field(description="size of the file as it is downloaded")
    file_sha256: str | None = Field(description="hex digest of the file as it is downloaded")
    created_at: int
    snapshot_at: int | None = Field(
        description="what was saved before is in, and nothing later unless a standby was read; "
        "set when completed"
    )
    completed_at: int | None = Field(description="when it was completed, failed or cancelled")
    expires_at: int | None = Field(description="until when its bytes are kept; set when completed")
    purged_at: int | None = Field(
        description="when its bytes were removed because a memory in them was deleted"
    )


class Export(ExportSummary):
    """An export with its payload (up to 10,000 rows) or the link to its file."""

    payload: str | None
    download_url: str | None


class ExportList(Shape):
    """The most recent exports."""

    exports: list[ExportSummary]
    next_cursor: str | None = Field(
        default=None, description="leads to the next page; not there at the end"
    )


class Health(Shape):
    """The process answers."""

    ok: Literal[True]


class Ready(Shape):
    """Every part is well; in a 503 the parts that are not say why, in `error` too."""

    ready: Literal[True]
    database: Literal["ok"]
    store: Literal["ok"]
    worker: Literal["ok"]
    database_id: str = Field(description="tells two databases apart", pattern="^[0-9a-f]{8}$")


class NewWebhook(BaseModel):
    """Where to send events; no events means all."""

    url: str = Field(examples=["https://example.com/hook"])
    events: list[str] | None = Field(default=None, examples=[["memory.saved"]])
    description: str | None = None


class WebhookChange(BaseModel):
    """What to change; the rest stays."""

    url: str | None = None
    events: list[str] | None = None
    enabled: bool | None = None
    description: str | None = Field(default=None, examples=["the chat of the team"])


class Webhook(Shape):
    """An address that hears of events."""

    id: UUID
    url: str
    events: list[str]
    description: str | None
    enabled: bool
    consecutive_failures: int
    last_success_at: int | None
    last_failure_at: int | None
    created_at: int
    updated_at: int
    dropped: int = Field(description="events it was not told of, since too much waited already")


class ChangedWebhook(Webhook):
    """A webhook after its change."""

    updated: Literal[True]


class CreatedWebhook(Webhook):
    """The only answer that ever shows the secret."""

    secret: str


class Delivery(Shape):
    """What one webhook was sent, or will be."""

    id: UUID
    event: str
    created_at: int
    attempt: int = Field(description="how often it was sent")
    next_attempt_at: int | None = Field(description="null when no attempt follows")
    delivered_at: int | None
    last_status: int | None = Field(description="HTTP status of the receiver's last answer")
    last_error: str | None = Field(description="why there was no answer")


class DeliveryList(Shape):
    """The most recent deliveries to one webhook, newest first."""

    deliveries: list[Delivery]
    next_cursor: str | None = Field(
        default=None, description="leads to the next page; not there at the end"
    )


class WebhookList(Shape):
    """All webhooks of the tenant."""

    endpoints: list[Webhook]


class NewToken(Shape):
    """What a new token may do; any other field is refused."""

    name: str | None = Field(default="", description="a label", examples=["laptop"])
    scopes: list[Scope] | None = Field(
        default=list(USUAL_SCOPES), description="all but admin, if not given"
    )
    namespaces: list[str] | None = Field(
        default=None, description="the only ones it can touch; null means all"
    )
    expires_at: int | None = Field(default=None, ge=0, description="in the future; null: never")


class Token(Shape):
    """A token, without the token itself; times in epoch milliseconds UTC."""

    id: UUID
    name: str
    prefix: str = Field(description="its first characters")
    scopes: list[Scope]
    namespaces: list[str] | None = Field(description="the only ones it can touch; null means all")
    created_at: int
    expires_at: int | None
    revoked_at: int | None


class CreatedToken(Token):
    """The only answer that ever shows the token."""

    token: str


class TokenList(Shape):
    """The tenant's tokens, newest first, revoked and expired ones too."""

    tokens: list[Token]
    next_cursor: str | None = Field(
        default=None, description="leads to the next page; not there at the end"
    )


class AuditEntry(Shape):
    """Who did what, when and from where; nothing that was stored or asked for."""

    id: UUID
    at: int = Field(description="epoch milliseconds UTC")
    event: Event
    outcome: str = Field(description="ok, interrupted, failed, or the code of an error")
    token_id: UUID | None = Field(description="null for a link and for the operator")
    address: str | None = Field(description="null for a worker and for the operator")
    subject: str | None = Field(description="an id, or the pattern of an address")
    filters_sha256: str | None = Field(description="hex SHA-256 of the export's filters as JSON")
    rows: int | None
    bytes: int | None = Field(description="of a download: what was sent, seen or not")
    detail: str | None
    times: int = Field(description="how often; above 1 where alike entries came very fast")


class AuditPage(Shape):
    """Entries, newest first; the next page comes before the last of them."""

    entries: list[AuditEntry]
