"""The files of exports for a signed-in browser: a payload as a file, a stored file by its link."""

from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from memferry.audit.service import Audit
from memferry.errors import DownloadNotFound
from memferry.exports.hand_out.downloads import Downloads
from memferry.exports.service import Exports
from memferry.files.kind import file_name, media_type
from memferry.formats import FORMATS
from memferry.http.bodies import hold_memory
from memferry.http.reading import get_caller, run_by_size
from memferry.model.audit import Entry
from memferry.page.navigation import READ_EXPORTS
from memferry.page.policy import SCREEN_HEADERS
from memferry.page.screens import Screen

# The payload as it is stored, as JSON, and as the file.
_COPIES = 2


class ExportFileScreens:
    """The one address of files."""

    def __init__(self, exports: Exports, downloads: Downloads, audit: Audit) -> None:
        self._exports = exports
        self._downloads = downloads
        self._audit = audit

    def screens(self) -> list[Screen]:
        """The one address."""
        return [Screen("GET /exports/{export_id}/file", self.send_file, READ_EXPORTS)]

    async def send_file(self, request: Request, export_id: str) -> Response:
        """Send the file of an export that is one: its payload, or by a link that is made now."""
        caller, hold = get_caller(request), partial(hold_memory, request)
        export = await self._exports.get(caller, export_id, hold=hold)
        if export.payload_json is not None:
            size_bytes = sum(map(len, export.payload_json))
            await hold(_COPIES * size_bytes)
            text = b"".join(export.payload_json)
            file = await run_by_size(size_bytes, lambda: msgspec.json.decode(text, type=str))
            format_ = FORMATS[export.format]
            name = file_name(export.id, format_, None, encrypted=False)
            headers = SCREEN_HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
            kind = media_type(format_, None, encrypted=False)
            return Response(file.encode(), headers=headers, media_type=kind)
        addresses = await self._downloads.list_addresses(caller, export)
        if not addresses:
            raise DownloadNotFound
        minted = Entry(event="link.minted", outcome="ok", subject=export.id)
        await self._audit.record(caller, minted)
        return RedirectResponse(addresses[0], 303, SCREEN_HEADERS)
