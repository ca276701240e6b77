"""The audit endpoint, and the audit of refusals and of downloaded bytes."""

import re
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from memferry.audit.service import Audit
from memferry.errors import Invalid, RouteNotFound
from memferry.http.auth import AUTHENTICATED, Access
from memferry.http.errors import FAULT
from memferry.http.paging import link_page
from memferry.http.parameters import query_field
from memferry.http.reading import get_caller, read_number, read_query, require_uuid
from memferry.http.routing import PATTERN, Operation
from memferry.http.views import answer_json, wrap_rows
from memferry.model.audit import EVENTS, Entry
from memferry.model.token import Caller
from memferry.shares import Reservation
from memferry.wire.audit import AuditPage

_PIECE_BYTES = 256 * 1024
_REFUSALS = frozenset({403, 404})
_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_QUERY = (
    query_field("limit", "integer", "50 unless given, held within 1 to 500"),
    query_field("before", "string", "only what came before the entry with this id"),
    query_field("event", "string", f"only this event: {', '.join(EVENTS)}"),
)
ACCESS = Access(("admin",), whole_tenant=True)
"""Who may read the audit."""


class AuditEndpoints:
    """Everything below /api/audit."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    def operations(self) -> list[Operation]:
        """The one address."""
        return [
            Operation(
                "GET /api/audit", self.list_audit, AuditPage, tag="audit", parameters=_QUERY,
                access=ACCESS,
            )
        ]  # fmt: skip

    async def list_audit(self, request: Request) -> Response:
        """Who did what, newest first; never any content. Page with `before`.

        While more are left, the header `Link` names the next page (`rel="next"`).
        """
        query = read_query(request)
        event, before = query.get("event") or None, query.get("before") or None
        if event is not None and event not in EVENTS:
            raise Invalid("event", f"unknown; known are {', '.join(EVENTS)}")
        limit = read_number(query.get("limit"), 50, least=1, most=500)
        entries = await self._audit.list_page(
            get_caller(request),
            limit=limit + 1,
            before=None
            if before is None
            else require_uuid(before, Invalid("before", "expected the id of an entry")),
            event=event,
        )
        more = len(entries) > limit
        link = link_page(request, "before", str(entries[limit - 1]["id"])) if more else {}
        return answer_json(
            {"entries": wrap_rows(row["row"] for row in entries[:limit])}, headers=link
        )


class Refusals:
    """Records each 403 and 404 of a known caller before the answer is sent."""

    def __init__(self, app: ASGIApp, audit: Audit) -> None:
        self._app = app
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and record the answer if it is a refusal."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def note_and_send(message: Message) -> None:
            # Screens find their caller behind the router.
            caller = scope.get(AUTHENTICATED)
            is_head = message["type"] == "http.response.start"
            if caller is not None and is_head and message["status"] in _REFUSALS:
                await self._audit.record(caller, _make_entry(scope))
            await send(message)

        await self._app(scope, receive, note_and_send)


def _make_entry(scope: Scope) -> Entry:
    """Make the entry of a refusal: the pattern of the address, and a valid id in it."""
    fault = scope.get(FAULT) or RouteNotFound()
    pattern = scope.get(PATTERN, "an unknown address")
    values = [str(value) for value in scope.get("path_params", {}).values()]
    missing = getattr(fault, "scope", None)
    return Entry(
        event="request.denied",
        outcome=fault.code,
        subject=f"{scope['method']} {pattern}",
        detail=missing or next((value for value in values if _ID.fullmatch(value)), None),
    )


class AuditedDownload(StreamingResponse):
    """Records how many bytes of a download were sent, and how it ended, also for a lost client."""

    def __init__(
        self,
        body: AsyncIterator[bytes],
        status: int,
        headers: dict[str, str],
        media_type: str,
        *,
        audit: Audit,
        reader: Caller,
        export_id: str,
        held: Reservation,
    ) -> None:
        super().__init__(_cut(body), status, headers, media_type)
        self._held = held
        self._audit = audit
        self._reader = reader
        self._export_id = export_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the body, and count its bytes."""
        sent, outcome = 0, "interrupted"

        async def count_and_send(message: Message) -> None:
            nonlocal sent, outcome
            # Counted before it is sent: the reader may see every byte that is in transit.
            sent += len(message.get("body", b""))
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                outcome = "ok"

        try:
            await super().__call__(scope, receive, count_and_send)
        except Exception:
            outcome = "failed"
            raise
        finally:
            entry = Entry(
                event="export.downloaded",
                outcome=outcome,
                subject=self._export_id,
                size_bytes=sent,
                detail=self.headers.get("content-range"),
            )
            self._audit.record_soon(self._reader, entry)
            self._held.release()


async def _cut(body: AsyncIterator[bytes]) -> AsyncIterator[memoryview]:
    """Cut chunks into small pieces, so that the server buffers little for a slow reader."""
    async for chunk in body:
        view = memoryview(chunk)
        for start in range(0, len(chunk), _PIECE_BYTES):
            yield view[start : start + _PIECE_BYTES]
