"""Building an export: what it would be like, how its file begins, and the same as code."""

from dataclasses import dataclass
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from memferry.errors import ExportTooLarge, Invalid, MemferryError, TooLarge
from memferry.exports.request import ExportRequest
from memferry.exports.service import Exports
from memferry.files.compress import CODECS
from memferry.formats import ALL_FIELDS
from memferry.http.bodies import hold_memory
from memferry.http.errors import find_status
from memferry.http.reading import find_service_address, get_caller, read_query
from memferry.model.export import Estimate, Export, Preview
from memferry.page.export_code import write_command, write_curl, write_python
from memferry.page.export_form import PREFILLED, ExportForm, find_fitting, list_formats, show_body
from memferry.page.forms import read_form
from memferry.page.navigation import CREATE_EXPORTS
from memferry.page.screens import Screen, find_part, redirect
from memferry.page.templates import Templates

_AGAIN = "again"
# What somebody who fills in the form can mend.
_MENDABLE = (Invalid, TooLarge, ExportTooLarge)


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What an export would be like, and the same as code; or why there can be none."""

    estimate: Estimate | None = None
    preview: Preview | None = None
    curl: str = ""
    command: str = ""
    python: str = ""
    fault: MemferryError | None = None


class ExportBuilderScreens:
    """The form of an export, and what makes one."""

    def __init__(self, templates: Templates, exports: Exports) -> None:
        self._templates = templates
        self._exports = exports

    def screens(self) -> list[Screen]:
        """All addresses."""
        return [
            Screen("GET /exports/new", self.show_builder, CREATE_EXPORTS, PREFILLED),
            Screen("POST /exports", self.create, CREATE_EXPORTS),
            Screen("POST /exports/{export_id}/again", self.repeat, CREATE_EXPORTS),
        ]

    async def show_builder(self, request: Request) -> Response:
        """The form, with what its export would be like."""
        query = read_query(request)
        if again := query.get(_AGAIN):
            export = await self._exports.get(get_caller(request), again)
            form = ExportForm.fill(show_body(export))
        else:
            form = ExportForm.read(query)
        return await self._answer(request, form)

    async def create(self, request: Request) -> Response:
        """Make the export of a form; what is wrong with it stands in the form again."""
        form = ExportForm.read(await read_form(request, limit_bytes=256 * 1024))
        try:
            export = await self._exports.create(
                get_caller(request), form.make_request(), hold=partial(hold_memory, request)
            )
        except _MENDABLE as fault:
            return self._show(request, form, Outlook(fault=fault))
        return lead_to_export(export)

    async def repeat(self, request: Request, export_id: str) -> Response:
        """Make an export by the request of another one."""
        await read_form(request)
        export = await self._exports.get(get_caller(request), export_id)
        body = msgspec.json.encode(show_body(export))
        again = await self._exports.create(
            get_caller(request), ExportRequest.parse(body), hold=partial(hold_memory, request)
        )
        return lead_to_export(again)

    async def _answer(self, request: Request, form: ExportForm) -> Response:
        try:
            outlook = await self._look_ahead(request, form)
        except _MENDABLE as fault:
            outlook = Outlook(fault=fault)
        return self._show(request, form, outlook)

    async def _look_ahead(self, request: Request, form: ExportForm) -> Outlook:
        caller, body, service = (
            get_caller(request),
            form.write_body(),
            find_service_address(request),
        )
        export_request = form.make_request()
        return Outlook(
            estimate=await self._exports.estimate(caller, export_request),
            preview=await self._exports.preview(caller, export_request),
            curl=write_curl(service, body),
            command=write_command(service, body),
            python=write_python(service, body),
        )

    def _show(self, request: Request, form: ExportForm, outlook: Outlook) -> Response:
        is_part = find_part(request) == "outlook"
        return self._templates.answer(
            request,
            "export_outlook.html" if is_part else "export_new.html",
            status=200 if is_part or outlook.fault is None else find_status(type(outlook.fault)),
            form=form,
            outlook=outlook,
            formats=list_formats(),
            codecs=list(CODECS),
            fields=ALL_FIELDS,
            fitting=find_fitting,
        )


def lead_to_export(export: Export) -> Response:
    """Lead to an export; a small one is downloaded there at once."""
    ready = "?ready=1" if export.status == "completed" else ""
    return redirect(f"/exports/{export.id}{ready}")
