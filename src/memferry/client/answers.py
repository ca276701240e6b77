"""The answers of the service as the client reads them; fields that it does not need are ignored."""

from msgspec import Struct


class ExportAnswer(Struct, frozen=True, kw_only=True):
    """One export as the service answers create and get."""

    id: str
    status: str
    format: str
    compression: str | None
    encrypted: bool
    row_count: int
    rows_done: int
    bytes_done: int
    sha256: str | None
    file_bytes: int | None
    file_sha256: str | None
    error: str | None
    retryable: bool | None
    payload: str | None
    download_url: str | None
