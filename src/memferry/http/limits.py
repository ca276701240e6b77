"""What a tenant may have, and how much of it is used."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from memferry.http import shapes
from memferry.http.docs import add_route
from memferry.http.requests import caller
from memferry.http.views import json_answer
from memferry.tenants.limits import TenantLimits


class LimitEndpoints:
    """The one address below /api/limits."""

    def __init__(self, limits: TenantLimits) -> None:
        self._limits = limits

    def router(self) -> APIRouter:
        """All addresses of limits."""
        router = APIRouter(tags=["limits"])
        add_route(
            router, "GET /api/limits", self.show_limits, 200, shapes.Limits,
            scopes=["memories:read"], whole_tenant=True,
        )  # fmt: skip
        return router

    async def show_limits(self, request: Request) -> Response:
        """Every limit of the tenant, and what is used of it; null where nothing is kept of that."""
        return json_answer(await self._limits.show(caller(request)))
