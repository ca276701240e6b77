"""Answers as JSON in the shapes of the contract."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Raw
from starlette.responses import Response

from memferry.model.export import Estimate, Export
from memferry.wire.exports import ExportEstimate, ExportFilters, ExportSummary

_filters = msgspec.json.Decoder(ExportFilters)


def answer_json(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a value as JSON: UTF-8, no spaces."""
    return answer_text(msgspec.json.encode(body), status, headers)


def answer_text(
    body: bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with JSON text, such as rows that PostgreSQL rendered."""
    return Response(body, status, headers, media_type="application/json")


def wrap_rows(texts: Iterable[str]) -> Raw:
    """Join rendered rows into a JSON array without parsing them: numbers keep their digits."""
    return Raw(f"[{','.join(texts)}]".encode())


def render_export(export: Export, download_url: str | None) -> list[bytes]:
    """Render an export with its payload or link, in pieces, since a payload may be large."""
    summary = msgspec.json.encode(summarize_export(export)).removesuffix(b"}")
    url = msgspec.json.encode(download_url)
    payload = [b"null"] if export.payload_json is None else export.payload_json
    return [b'%b,"payload":' % summary, *payload, b',"download_url":%b}' % url]


def summarize_export(export: Export) -> ExportSummary:
    """Render an export for the list, without payload and link."""
    return ExportSummary(
        id=export.id,
        status=export.status,
        format=export.format,
        **export.options,
        encrypted=export.options["encrypt_to"] is not None,
        row_count=export.row_count,
        error=export.error,
        error_code=export.error_code,
        retryable=export.retryable,
        filters=_filters.decode(export.filters),
        rows_done=export.rows_done,
        bytes_done=export.bytes_done,
        progress=export.progress,
        sha256=export.sha256.hex() if export.sha256 else None,
        file_bytes=export.file_bytes,
        file_sha256=export.file_sha256.hex() if export.file_sha256 else None,
        created_at=export.created_at,
        snapshot_at=export.snapshot_at,
        completed_at=export.completed_at,
        expires_at=export.expires_at,
        purged_at=export.purged_at,
    )


def show_estimate(estimate: Estimate) -> ExportEstimate:
    """Show what an export would be like."""
    return ExportEstimate(
        rows=estimate.rows,
        bytes=estimate.size_bytes,
        bytes_exact=estimate.measured_rows is None,
        sample_rows=estimate.measured_rows,
        inline=estimate.inline,
    )
