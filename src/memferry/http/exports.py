"""The export endpoints: read the request, call one verb, show the result."""

import re
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from memferry.audit.service import Audit
from memferry.errors import Invalid
from memferry.exports.hand_out.downloads import Downloads
from memferry.exports.request import BODY_BYTES, ExportRequest
from memferry.exports.service import Exports
from memferry.http.answers import answer_pieces
from memferry.http.auth import Access
from memferry.http.bodies import hold_memory, read_body
from memferry.http.head import drops_body
from memferry.http.paging import CURSOR, Pages, link_next
from memferry.http.parameters import header_field, query_field
from memferry.http.reading import (
    find_service_address,
    get_caller,
    read_number,
    read_query,
    run_by_size,
)
from memferry.http.routing import Operation
from memferry.http.views import answer_json, render_export, show_estimate, summarize_export
from memferry.model.audit import Entry
from memferry.model.cursor import ExportId, TimeMs
from memferry.model.export import Export
from memferry.model.job import UNFINISHED
from memferry.wire.exports import ExportAnswer, ExportEstimate, ExportPage, NewExport

_KEY = re.compile(r"[!-~]{1,255}")
PAGES = Pages(listing=("exports",), kinds=(TimeMs, ExportId))
"""The order of their list."""
_LIST_QUERY = (query_field("limit", "integer", "100 unless given, held within 1 to 500"), CURSOR)

_IDEMPOTENCY_KEY = header_field(
    "Idempotency-Key", _KEY.pattern, "repeats with the same key and body answer the same export"
)
_CREATE = Access(("exports:create",))
_READ = Access(("exports:read",), alternative="exports:create")
_operation = partial(Operation, tag="exports")


class ExportEndpoints:
    """Everything below /api/memories/exports."""

    def __init__(self, exports: Exports, downloads: Downloads, audit: Audit) -> None:
        self._exports = exports
        self._downloads = downloads
        self._audit = audit

    def operations(self) -> list[Operation]:
        """All addresses of exports."""
        base, one = "/api/memories/exports", "/api/memories/exports/{export_id}"
        return [
            _operation(
                f"POST {base}", self.create_export, ExportAnswer, status=201,
                errors=(409, 413, 422), body=NewExport, parameters=(_IDEMPOTENCY_KEY,),
                access=_CREATE,
            ),
            _operation(
                f"POST {base}/estimate", self.estimate_export, ExportEstimate, errors=(413, 422),
                body=NewExport, access=_CREATE,
            ),
            _operation(
                f"GET {base}", self.list_exports, ExportPage, parameters=_LIST_QUERY, access=_READ
            ),
            _operation(f"GET {one}", self.get_export, ExportAnswer, errors=(404,), access=_READ),
            _operation(
                f"DELETE {one}", self.delete_export, status=204, errors=(404,), access=_CREATE
            ),
        ]  # fmt: skip

    async def create_export(self, request: Request) -> Response:
        """Export memories: up to 10,000 come back at once as `payload`, more are queued.

        The `download_url` of a queued export appears when its file is whole. With an
        `Idempotency-Key`, a repeat within 24 hours answers the same export.
        """
        export_request = await _read_export_request(request)
        key = _read_idempotency_key(request)
        hold = partial(hold_memory, request)
        export = await self._exports.create(get_caller(request), export_request, key, hold=hold)
        return await self._answer_export(request, export, 201)

    async def estimate_export(self, request: Request) -> Response:
        """What an export with this body would be like: rows, bytes, inline or queued.

        Nothing is exported or stored, and it counts towards no limit of exports. Rows are exact;
        bytes too, if they fit into an answer, else they are estimated from about 1,000 rows.
        """
        export_request = await _read_export_request(request)
        estimate = await self._exports.estimate(get_caller(request), export_request)
        return answer_json(show_estimate(estimate))

    async def list_exports(self, request: Request) -> Response:
        """The most recent exports, newest first, without payloads and links.

        A token with `exports:create` and without `exports:read` is shown its own.
        """
        query = read_query(request)
        limit = read_number(query.get("limit"), 100, least=1, most=500)
        exports = await self._exports.list_newest(
            get_caller(request), limit=limit + 1, place=PAGES.read_place(query)
        )
        places = [(export.created_at, export.id) for export in exports]
        cursor = PAGES.make_cursor(places, limit)
        page = ExportPage(
            exports=[summarize_export(export) for export in exports[:limit]], next_cursor=cursor
        )
        return answer_json(page, headers=link_next(request, cursor))

    async def get_export(self, request: Request, export_id: str) -> Response:
        """One export; a small one with its payload, a large one with a link once it is whole.

        A token with `exports:create` and without `exports:read` finds its own.
        """
        hold = partial(hold_memory, request)
        export = await self._exports.get(get_caller(request), export_id, hold=hold)
        return await self._answer_export(request, export, 200)

    async def delete_export(self, request: Request, export_id: str) -> Response:
        """Cancel an export that is not finished; remove a finished one with all its bytes."""
        await self._exports.delete(get_caller(request), export_id)
        return Response(status_code=204)

    async def _answer_export(self, request: Request, export: Export, status: int) -> Response:
        addresses = await self._downloads.list_addresses(get_caller(request), export)
        # HEAD hands no link out: the audit would say that somebody has got one.
        if addresses and not drops_body(request):
            minted = Entry(event="link.minted", outcome="ok", subject=export.id)
            await self._audit.record(get_caller(request), minted)
        service = find_service_address(request)
        links = [service + path if path.startswith("/") else path for path in addresses]
        headers = {"Location": f"/api/memories/exports/{export.id}", "Cache-Control": "no-store"}
        if export.status in UNFINISHED:
            headers["Retry-After"] = "1"
        return await answer_pieces(request, render_export(export, links), status, headers)


async def _read_export_request(request: Request) -> ExportRequest:
    body = await read_body(request, BODY_BYTES) or b"{}"
    return await run_by_size(len(body), partial(ExportRequest.parse, body))


def _read_idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise Invalid("Idempotency-Key", "expected 1 to 255 visible ASCII characters, no spaces")
    return key
