"""The export endpoints: read the request, call one verb, show the result."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from memferry.exports.downloads import Downloads
from memferry.exports.request import BODY_BYTES, ExportRequest
from memferry.exports.service import Exports
from memferry.http import shapes
from memferry.http.docs import documented
from memferry.http.requests import caller, read_body
from memferry.http.views import export_summary, export_view, json_answer
from memferry.model.export import Export

_FINISHED = ("completed", "failed")


def export_routes(exports: Exports, downloads: Downloads, public_url: str | None) -> APIRouter:
    """All addresses of exports."""
    router = APIRouter(tags=["exports"])

    async def answer(request: Request, export: Export, status: int) -> Response:
        address = await downloads.address(caller(request).tenant_id, export)
        if address is not None and address.startswith("/"):
            address = (public_url or str(request.base_url).rstrip("/")) + address
        headers = {"Location": f"/api/memories/exports/{export.id}", "Cache-Control": "no-store"}
        if export.status not in _FINISHED:
            headers["Retry-After"] = "1"
        return json_answer(export_view(export, address), status, headers)

    @router.post("/api/memories/exports", **documented(201, shapes.Export, 400, 413, body=shapes.ExportRequest))
    async def create_export(request: Request) -> Response:
        """Export memories. Up to 10,000 come back at once as `payload`; more are queued, and
        `download_url` appears when the file is whole.
        """
        asked = ExportRequest.parse(await read_body(request, BODY_BYTES) or b"{}")
        return await answer(request, await exports.create(caller(request).tenant_id, asked), 201)

    @router.get("/api/memories/exports", **documented(200, shapes.ExportList))
    async def list_exports(request: Request) -> Response:
        """The 100 most recent exports, newest first, without payloads and links."""
        found = await exports.newest(caller(request).tenant_id)
        return json_answer({"exports": [export_summary(each) for each in found]})

    @router.get("/api/memories/exports/{export_id}", **documented(200, shapes.Export, 404))
    async def get_export(request: Request, export_id: str) -> Response:
        """One export; a small one with its payload, a large one with a link once it is whole."""
        return await answer(request, await exports.get(caller(request).tenant_id, export_id), 200)

    return router
