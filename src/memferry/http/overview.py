"""The endpoint of the overview."""

from starlette.requests import Request
from starlette.responses import Response

from memferry.http.auth import Access
from memferry.http.reading import get_caller
from memferry.http.routing import Operation
from memferry.http.views import answer_json
from memferry.memories.overview import MemoryOverview
from memferry.wire.overview import Overview


class OverviewEndpoints:
    """The one address below /api/overview."""

    def __init__(self, overview: MemoryOverview) -> None:
        self._overview = overview

    def operations(self) -> list[Operation]:
        """The one address."""
        return [
            Operation(
                "GET /api/overview", self.show_overview, Overview, tag="memories",
                access=Access(("memories:read",)),
            )
        ]  # fmt: skip

    async def show_overview(self, request: Request) -> Response:
        """How many memories there are, in how many namespaces, and when they were created."""
        return answer_json(await self._overview.show(get_caller(request)))
