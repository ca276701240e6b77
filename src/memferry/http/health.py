"""Is the service there: no token needed, a wrong one does not matter."""

from fastapi import APIRouter
from starlette.responses import Response

from memferry.http import shapes
from memferry.http.docs import documented
from memferry.http.views import json_answer


def health_routes() -> APIRouter:
    """Both addresses, for the clients that know the one or the other."""
    router = APIRouter(tags=["health"])

    @router.get("/api/health", **documented(200, shapes.Health))
    @router.get("/health", **documented(200, shapes.Health))
    async def health() -> Response:
        """The process answers. Whether the database does, `memferry doctor` tells."""
        return json_answer({"ok": True})

    return router
