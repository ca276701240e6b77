"""The endpoint of limits and their use."""

from starlette.requests import Request
from starlette.responses import Response

from memferry.http.auth import Access
from memferry.http.reading import get_caller
from memferry.http.routing import Operation
from memferry.http.views import answer_json
from memferry.tenants.limits import TenantLimits
from memferry.wire.limits import Limits

ACCESS = Access(("memories:read",), whole_tenant=True)
"""Who may see the limits."""


class LimitEndpoints:
    """The one address below /api/limits."""

    def __init__(self, limits: TenantLimits) -> None:
        self._limits = limits

    def operations(self) -> list[Operation]:
        """The one address."""
        return [Operation("GET /api/limits", self.show_limits, Limits, tag="limits", access=ACCESS)]

    async def show_limits(self, request: Request) -> Response:
        """Every limit of the tenant with its use; null for the use of a rate."""
        return answer_json(await self._limits.show(get_caller(request)))
