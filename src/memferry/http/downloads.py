"""Downloads by link, whole or in byte ranges (RFC 9110, section 14), with ETag and digest."""

import base64
import re
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from memferry.audit.service import Audit
from memferry.errors import PreconditionFailed, RangeNotSatisfiable
from memferry.exports.hand_out.downloads import Download, Downloads
from memferry.http.audit import AuditedDownload
from memferry.http.auth import find_client_address
from memferry.http.routing import Operation
from memferry.model.token import Caller
from memferry.shares import Shares

_RANGE = re.compile(r"bytes=(?P<first>[0-9]{0,19})-(?P<last>[0-9]{0,19})", re.IGNORECASE)


class DownloadEndpoints:
    """The address of downloads; the link itself is the permission."""

    def __init__(self, downloads: Downloads, audit: Audit, memory: Shares) -> None:
        """`memory` is the shares of memory for requests, in bytes."""
        self._downloads = downloads
        self._audit = audit
        self._memory = memory

    def operations(self) -> list[Operation]:
        """GET, to which the router adds HEAD."""
        return [
            Operation(
                "GET /downloads/{link}", self.download, bytes, tag="exports",
                errors=(404, 412, 416, 429),
            )
        ]  # fmt: skip

    async def download(self, request: Request, link: str) -> Response:
        """Send the file of an export, or a byte range of it.

        `If-Match` and `If-None-Match` with its ETag are honoured.
        """
        file = await self._downloads.open(link)
        meant, known = (_join_lines(request, name) for name in ("if-match", "if-none-match"))
        if meant is not None and not _matches(meant, file, strong=True):
            raise PreconditionFailed
        if known is not None and _matches(known, file, strong=False):
            return Response(status_code=304, headers=_make_304_headers(file))
        span = _parse_span(request, file)
        headers = _make_headers(file, span)
        status = 206 if span.partial else 200
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers, media_type=file.media_type)
        held = self._memory.reserve(file.tenant_id)
        await held.grow(self._downloads.count_read_bytes(span.start, span.end))
        body = self._downloads.read(file, span.start, span.end)
        reader = Caller(tenant_id=file.tenant_id, address=find_client_address(request.scope))
        return AuditedDownload(
            body,
            status,
            headers,
            file.media_type,
            audit=self._audit,
            reader=reader,
            export_id=file.export_id,
            held=held,
        )


@dataclass(frozen=True)
class _Span:
    """Bytes from `start` up to, not including, `end`."""

    start: int
    end: int
    partial: bool


def _parse_span(request: Request, file: Download) -> _Span:
    """What the Range header asks for; anything but one plain range gets the whole file.

    Raises RangeNotSatisfiable for a range beyond the end.
    """
    whole = _Span(0, file.size_bytes, partial=False)
    bounds = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    condition = request.headers.get("if-range")
    if bounds is None or (condition is not None and condition != _make_etag(file)):
        return whole
    first, last = bounds["first"], bounds["last"]
    if first:
        start, end = int(first), min(int(last) + 1 if last else file.size_bytes, file.size_bytes)
        if last and int(last) < int(first):
            return whole
    elif last:
        start, end = max(file.size_bytes - int(last), 0), file.size_bytes
    else:
        return whole
    if start >= end:
        raise RangeNotSatisfiable(file.size_bytes)
    return _Span(start, end, partial=True)


def _join_lines(request: Request, name: str) -> str | None:
    """A header that is a list: several lines are one list (RFC 9110, section 5.3)."""
    return ", ".join(request.headers.getlist(name)) if name in request.headers else None


def _matches(condition: str, file: Download, *, strong: bool) -> bool:
    """Whether a list of ETags, or `*`, names the file (RFC 9110, sections 13.1.1 and 13.1.2).

    The comparison is strong for If-Match, where a weak ETag names nothing, and weak for
    If-None-Match.
    """
    names = [name.strip() for name in condition.split(",")]
    if not strong:
        names = [name.removeprefix("W/") for name in names]
    return "*" in names or _make_etag(file) in names


def _make_304_headers(file: Download) -> dict[str, str]:
    """What a 304 repeats of a 200 (RFC 9110, section 15.4.5)."""
    headers = _make_headers(file, _Span(0, file.size_bytes, partial=False))
    return {name: headers[name] for name in ("ETag", "Repr-Digest", "Cache-Control")}


def _make_headers(file: Download, span: _Span) -> dict[str, str]:
    headers = {
        "Content-Length": str(span.end - span.start),
        "Content-Disposition": f'attachment; filename="{file.filename}"',
        "Accept-Ranges": "bytes",
        "ETag": _make_etag(file),
        # RFC 9530, section 3: the digest of the whole file, whatever range is sent.
        "Repr-Digest": f"sha-256=:{base64.b64encode(file.sha256).decode()}:",
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    if span.partial:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{file.size_bytes}"
    return headers


def _make_etag(file: Download) -> str:
    return f'"{file.sha256.hex()}"'
