"""Home: what there is, and what is being done with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from memferry.exports.request import ExportRequest
from memferry.exports.service import Exports
from memferry.http.auth import AUTHENTICATED
from memferry.http.bodies import hold_memory
from memferry.http.imports import show_import
from memferry.http.reading import get_caller
from memferry.imports.service import Imports
from memferry.memories.overview import COUNTED_NAMESPACES, MemoryOverview
from memferry.model.export import Export
from memferry.model.job import UNFINISHED
from memferry.model.token import Caller
from memferry.page.chart import draw_chart
from memferry.page.export_builder import lead_to_export
from memferry.page.forms import read_form
from memferry.page.navigation import CREATE_EXPORTS, READ, READ_EXPORTS, WRITE
from memferry.page.screens import ANYBODY, Screen, find_part
from memferry.page.sign_in import SignInScreens
from memferry.page.templates import Templates
from memferry.page.twins import write_twin
from memferry.wire.imports import ImportAnswer

_SHOWN_JOBS = 5
_EVERYTHING = b'{"format": "json"}'


@dataclass(frozen=True, kw_only=True)
class LatestJobs:
    """The latest exports and imports; None where the reader may not see them."""

    exports: Sequence[Export] | None
    imports: Sequence[ImportAnswer] | None

    @property
    def is_running(self) -> bool:
        """Whether any of it is not finished."""
        jobs: list[Export | ImportAnswer] = [*(self.exports or ()), *(self.imports or ())]
        return any(job.status in UNFINISHED for job in jobs)


class HomeScreens:
    """The first screen."""

    def __init__(
        self,
        templates: Templates,
        sign_in: SignInScreens,
        overview: MemoryOverview,
        exports: Exports,
        imports: Imports,
    ) -> None:
        self._templates = templates
        self._sign_in = sign_in
        self._overview = overview
        self._exports = exports
        self._imports = imports

    def screens(self) -> list[Screen]:
        """Home, and its one button."""
        return [
            Screen("GET /", self.show_home, access=None),
            Screen("POST /exports/everything", self.export_everything, CREATE_EXPORTS),
        ]

    async def show_home(self, request: Request) -> Response:
        """Home for those who are signed in; else what this is."""
        wants_html = "text/html" in request.headers.get("accept", "")
        if AUTHENTICATED not in request.scope or not wants_html:
            return self._sign_in.welcome(request)
        ANYBODY.admit(request)
        caller = get_caller(request)
        work = await self._list_work(caller)
        if find_part(request) == "work":
            return self._templates.answer(request, "home_work.html", work=work)
        overview = await self._overview.show(caller) if READ.allows(caller) else None
        if find_part(request) == "counts":
            return self._templates.answer(
                request, "home_counts.html", overview=overview, most_namespaces=COUNTED_NAMESPACES
            )
        return self._templates.answer(
            request,
            "home.html",
            work=work,
            overview=overview,
            most_namespaces=COUNTED_NAMESPACES,
            chart=draw_chart(overview) if overview and overview.series else None,
            may_write=WRITE.allows(caller),
            may_export=CREATE_EXPORTS.allows(caller),
            twin=write_twin("/overview") if overview else None,
        )

    async def _list_work(self, caller: Caller) -> LatestJobs:
        may_see_exports, may_see_imports = READ_EXPORTS.allows(caller), WRITE.allows(caller)
        return LatestJobs(
            exports=await self._exports.list_newest(caller, limit=_SHOWN_JOBS)
            if may_see_exports
            else None,
            imports=[
                show_import(job)
                for job in await self._imports.list_newest(caller, limit=_SHOWN_JOBS)
            ]
            if may_see_imports
            else None,
        )

    async def export_everything(self, request: Request) -> Response:
        """Export all memories as JSON: at once, or by a worker if they are many."""
        await read_form(request)
        hold = partial(hold_memory, request)
        export = await self._exports.create(
            get_caller(request), ExportRequest.parse(_EVERYTHING), None, hold=hold
        )
        return lead_to_export(export)
