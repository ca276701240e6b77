"""Answers as JSON in the shapes of the contract."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw
from starlette.responses import Response

from memferry.model.export import Estimate, Export
from memferry.wire.exports import ExportEstimate, ExportFilters, ExportPart, ExportSummary

_filters = msgspec.json.Decoder(ExportFilters)


def answer_json(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a value as JSON: UTF-8, no spaces."""
    return answer_text(msgspec.json.encode(body), status, headers)


def answer_text(
    body: bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with JSON text, such as rows that PostgreSQL rendered."""
    return Response(body, status, headers, media_type="application/json")


def show_purged(purged: int | None) -> dict[str, str]:
    """The header that tells how many exports a deletion removed; none if none were to be."""
    return {} if purged is None else {"Memferry-Purged-Exports": str(purged)}


def wrap_rows(texts: Iterable[str]) -> Raw:
    """Join rendered rows into a JSON array without parsing them: numbers keep their digits."""
    return Raw(f"[{','.join(texts)}]".encode())


def render_export(export: Export, links: Sequence[str]) -> list[bytes]:
    """Render an export with its payload or links, in pieces, since a payload may be large."""
    summary = msgspec.json.encode(summarize_export(export)).removesuffix(b"}")
    url = msgspec.json.encode(links[0] if links else None)
    parts = msgspec.json.encode(_list_parts(export, links))
    payload = [b"null"] if export.payload_json is None else export.payload_json
    return [b'%b,"payload":' % summary, *payload, b',"download_url":%b,"parts":%b}' % (url, parts)]


def _list_parts(export: Export, links: Sequence[str]) -> list[ExportPart] | None:
    if export.parts is None:
        return None
    return [
        ExportPart(
            number=number,
            rows=part.rows,
            bytes=part.content_bytes,
            sha256=part.content_sha256,
            file_bytes=part.file_bytes,
            file_sha256=part.file_sha256,
            download_url=links[number - 1] if links else None,
        )
        for number, part in enumerate(export.parts, start=1)
    ]


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
        expired_rows=export.expired_rows,
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
