"""Is the service there, and can it work: no token needed, a wrong one does not matter."""

from dataclasses import asdict

from fastapi import APIRouter
from starlette.responses import Response

from memferry.errors import Unavailable
from memferry.http import shapes
from memferry.http.docs import documented
from memferry.http.views import json_answer
from memferry.operation.readiness import Readiness


def health_routes(readiness: Readiness) -> APIRouter:
    """The addresses of health, two of them for the clients that know the one or the other."""
    router = APIRouter(tags=["health"])

    @router.get("/api/health", **documented(200, shapes.Health))
    @router.get("/health", **documented(200, shapes.Health))
    async def health() -> Response:
        """The process answers. Whether it can work, `/api/health/ready` tells."""
        return json_answer({"ok": True})

    @router.get("/api/health/ready", **documented(200, shapes.Ready, 503))
    async def ready() -> Response:
        """Whether the database, the object store and a worker are there and belong together."""
        report = await readiness.report()
        body = {"ready": report.ready, **asdict(report)}
        if report.ready:
            return json_answer(body, headers={"Cache-Control": "no-store"})
        body |= {"error": f"not ready: {report.faults}", "code": Unavailable.code}
        return json_answer(body, 503, {"Retry-After": "5", "Cache-Control": "no-store"})

    return router
