"""The webhook endpoints."""

from functools import partial
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from memferry.errors import WebhookNotFound
from memferry.http.auth import Access
from memferry.http.bodies import read_body
from memferry.http.paging import CURSOR, Pages, link_next, show_cursor
from memferry.http.parameters import query_field
from memferry.http.reading import get_caller, read_number, read_query, require_uuid
from memferry.http.routing import Operation
from memferry.http.views import answer_json, answer_text, wrap_rows
from memferry.model import strict_json
from memferry.model.cursor import TimeMs
from memferry.webhooks.service import Webhooks
from memferry.wire.webhooks import (
    ChangedWebhook,
    CreatedWebhook,
    DeliveryPage,
    NewWebhook,
    Webhook,
    WebhookChange,
    WebhookList,
)

_BODY_BYTES = 64 * 1024
_LIST_QUERY = (query_field("limit", "integer", "100 unless given, held within 1 to 500"), CURSOR)
# Deliveries hold memories of every namespace, so the token must be able to read all of them.
READ = Access(("memories:read",), whole_tenant=True)
"""Who may see webhooks."""
WRITE = Access(("memories:read", "memories:write"), whole_tenant=True)
"""Who may change webhooks."""
DELIVERY_ORDER = (TimeMs, UUID)
"""What deliveries are ordered by."""
_new = msgspec.json.Decoder(NewWebhook)
_change = msgspec.json.Decoder(WebhookChange)
_operation = partial(Operation, tag="webhooks")


class WebhookEndpoints:
    """Everything below /api/webhooks."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    def operations(self) -> list[Operation]:
        """All addresses of webhooks."""
        base, one = "/api/webhooks", "/api/webhooks/{webhook_id}"
        return [
            _operation(f"GET {base}", self.list_webhooks, WebhookList, access=READ),
            _operation(
                f"POST {base}", self.create_webhook, CreatedWebhook, status=201, errors=(413,),
                body=NewWebhook, access=WRITE,
            ),
            _operation(f"GET {one}", self.get_webhook, Webhook, errors=(404,), access=READ),
            _operation(
                f"PUT {one}", self.change_webhook, ChangedWebhook, errors=(404, 413),
                body=WebhookChange, access=WRITE,
            ),
            _operation(
                f"DELETE {one}", self.delete_webhook, status=204, errors=(404,), access=WRITE
            ),
            _operation(
                f"GET {one}/deliveries", self.list_deliveries, DeliveryPage, errors=(404,),
                parameters=_LIST_QUERY, access=READ,
            ),
        ]  # fmt: skip

    async def list_webhooks(self, request: Request) -> Response:
        """All webhooks, oldest first, without their secrets."""
        return answer_json(
            {"endpoints": wrap_rows(await self._webhooks.list_all(get_caller(request)))}
        )

    async def create_webhook(self, request: Request) -> Response:
        """Create a webhook. Its secret, which signs every delivery, is shown only here.

        A tenant may have 50 of them, or as many as the operator chose: `GET /api/limits` tells.
        """
        new = strict_json.decode(_new, await read_body(request, _BODY_BYTES))
        row = await self._webhooks.create(get_caller(request), new)
        return answer_text(row.encode(), 201)

    async def get_webhook(self, request: Request, webhook_id: str) -> Response:
        """One webhook."""
        row = await self._webhooks.get(
            get_caller(request), require_uuid(webhook_id, WebhookNotFound())
        )
        return answer_text(row.encode())

    async def change_webhook(self, request: Request, webhook_id: str) -> Response:
        """Change the given fields; `enabled: true` resets the count of failures."""
        change = strict_json.decode(_change, await read_body(request, _BODY_BYTES) or b"{}")
        row = await self._webhooks.change(
            get_caller(request), require_uuid(webhook_id, WebhookNotFound()), change
        )
        return answer_text(b'%b,"updated":true}' % row.encode().removesuffix(b"}"))

    async def delete_webhook(self, request: Request, webhook_id: str) -> Response:
        """Delete a webhook with its waiting deliveries."""
        await self._webhooks.delete(
            get_caller(request), require_uuid(webhook_id, WebhookNotFound())
        )
        return Response(status_code=204)

    async def list_deliveries(self, request: Request, webhook_id: str) -> Response:
        """The deliveries to a webhook, newest first, without the bodies."""
        webhook = require_uuid(webhook_id, WebhookNotFound())
        query, pages = read_query(request), Pages(("deliveries", webhook), DELIVERY_ORDER)
        limit = read_number(query.get("limit"), 100, least=1, most=500)
        deliveries = await self._webhooks.list_deliveries(
            get_caller(request), webhook, limit=limit + 1, place=pages.read_place(query)
        )
        places = [(row["created_at"], row["id"]) for row in deliveries]
        cursor = pages.make_cursor(places, limit)
        shown = wrap_rows(row["row"] for row in deliveries[:limit])
        return answer_json(
            {"deliveries": shown, **show_cursor(cursor)}, headers=link_next(request, cursor)
        )
