"""The webhook endpoints."""

from typing import Any
from uuid import UUID

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from memferry.errors import WebhookNotFound
from memferry.http import shapes
from memferry.http.bodies import read_body
from memferry.http.docs import add_route, query_field
from memferry.http.paging import CURSOR, Pages, link_next, named_cursor
from memferry.http.requests import caller, number, read_query, uuid_or
from memferry.http.views import json_answer, raw_answer, rows
from memferry.model import json
from memferry.model.cursor import TimeMs
from memferry.model.webhook import NewWebhook, WebhookChange
from memferry.webhooks.service import Webhooks

_BODY_BYTES = 64 * 1024
_LIST_QUERY = [query_field("limit", "integer", "100 unless given, held within 1 to 500"), CURSOR]
_new = msgspec.json.Decoder(NewWebhook)
_change = msgspec.json.Decoder(WebhookChange)


class WebhookEndpoints:
    """Everything below /api/webhooks."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    def router(self) -> APIRouter:
        """All addresses of webhooks."""
        router = APIRouter(tags=["webhooks"])
        base, one = "/api/webhooks", "/api/webhooks/{webhook_id}"
        # Deliveries bring memories of every namespace: who says where to must be able to read all.
        reading: dict[str, Any] = {"scopes": ["memories:read"], "whole_tenant": True}
        writing = reading | {"scopes": ["memories:read", "memories:write"]}
        add_route(router, f"GET {base}", self.list_webhooks, 200, shapes.WebhookList, **reading)
        add_route(
            router, f"POST {base}", self.create_webhook, 201, shapes.CreatedWebhook, 400, 413,
            body=shapes.NewWebhook, **writing,
        )  # fmt: skip
        add_route(router, f"GET {one}", self.get_webhook, 200, shapes.Webhook, 404, **reading)
        add_route(
            router, f"PUT {one}", self.change_webhook, 200, shapes.ChangedWebhook, 400, 404, 413,
            body=shapes.WebhookChange, **writing,
        )  # fmt: skip
        add_route(router, f"DELETE {one}", self.delete_webhook, 204, None, 404, **writing)
        add_route(
            router, f"GET {one}/deliveries", self.list_deliveries, 200, shapes.DeliveryList, 404,
            parameters=_LIST_QUERY, **reading,
        )  # fmt: skip
        return router

    async def list_webhooks(self, request: Request) -> Response:
        """All webhooks, oldest first, without their secrets."""
        return json_answer({"endpoints": rows(await self._webhooks.list_all(caller(request)))})

    async def create_webhook(self, request: Request) -> Response:
        """Make a webhook. Its secret, which signs every delivery, is shown only here.

        A tenant may have 50 of them.
        """
        new = json.decode(_new, await read_body(request, _BODY_BYTES))
        made = await self._webhooks.create(caller(request), new)
        return raw_answer(made.encode(), 201)

    async def get_webhook(self, request: Request, webhook_id: str) -> Response:
        """One webhook."""
        found = await self._webhooks.get(caller(request), uuid_or(webhook_id, WebhookNotFound()))
        return raw_answer(found.encode())

    async def change_webhook(self, request: Request, webhook_id: str) -> Response:
        """Change what is given; enabling starts the count of failures anew."""
        change = json.decode(_change, await read_body(request, _BODY_BYTES) or b"{}")
        changed = await self._webhooks.change(
            caller(request), uuid_or(webhook_id, WebhookNotFound()), change
        )
        return raw_answer(b'%b,"updated":true}' % changed.encode().removesuffix(b"}"))

    async def delete_webhook(self, request: Request, webhook_id: str) -> Response:
        """Delete a webhook, and what still waits to be sent to it."""
        await self._webhooks.delete(caller(request), uuid_or(webhook_id, WebhookNotFound()))
        return Response(status_code=204)

    async def list_deliveries(self, request: Request, webhook_id: str) -> Response:
        """What was sent or waits to be sent to a webhook, newest first, without the bodies."""
        webhook = uuid_or(webhook_id, WebhookNotFound())
        query, pages = read_query(request), Pages(("deliveries", webhook), (TimeMs, UUID))
        limit = number(query.get("limit"), 100, least=1, most=500)
        deliveries = await self._webhooks.list_deliveries(
            caller(request), webhook, limit=limit + 1, place=pages.place(query)
        )
        places = [(row["created_at"], row["id"]) for row in deliveries]
        cursor = pages.next_cursor(places, limit)
        shown = rows(row["row"] for row in deliveries[:limit])
        return json_answer(
            {"deliveries": shown, **named_cursor(cursor)}, headers=link_next(request, cursor)
        )
