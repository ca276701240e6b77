"""Webhooks: which addresses are told of events, and what became of each delivery."""

from typing import Any
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from memferry.errors import Invalid, WebhookNotFound
from memferry.http.paging import CURSOR, Pages
from memferry.http.parameters import query_field
from memferry.http.reading import get_caller, read_query, require_uuid
from memferry.http.webhooks import DELIVERY_ORDER, READ, WRITE
from memferry.model.webhook import EVENTS
from memferry.page.forms import SentForm, read_form
from memferry.page.screens import Screen, redirect
from memferry.page.settings import list_tabs
from memferry.page.templates import Templates
from memferry.page.twins import write_twin
from memferry.webhooks.service import Webhooks
from memferry.wire.webhooks import CreatedWebhook, Delivery, NewWebhook, Webhook, WebhookChange

_ROWS = 50
_DONE = query_field("done", "string", "what was done before")
_SENT = tuple(event for event in EVENTS if event != "summary.created")
_webhook = msgspec.json.Decoder(Webhook)
_created = msgspec.json.Decoder(CreatedWebhook)
_delivery = msgspec.json.Decoder(Delivery)


class WebhookSettingScreens:
    """Everything below /settings/webhooks."""

    def __init__(self, templates: Templates, webhooks: Webhooks) -> None:
        self._templates = templates
        self._webhooks = webhooks

    def screens(self) -> list[Screen]:
        """All addresses."""
        base, one = "/settings/webhooks", "/settings/webhooks/{webhook_id}"
        return [
            Screen(f"GET {base}", self.list_webhooks, READ, (_DONE,)),
            Screen(f"POST {base}", self.create, WRITE),
            Screen(f"GET {one}", self.show_webhook, READ, (CURSOR, _DONE)),
            Screen(f"POST {one}", self.change, WRITE),
            Screen(f"POST {one}/delete", self.delete, WRITE),
        ]

    async def list_webhooks(self, request: Request) -> Response:
        """All webhooks, and the form for another one."""
        return await self._show_all(request)

    async def create(self, request: Request) -> Response:
        """Make a webhook; this answer alone shows its secret."""
        form = await read_form(request)
        new = NewWebhook(
            url=form.get("url").strip(),
            events=form.all("events"),
            description=form.get("description") or None,
        )
        try:
            row = await self._webhooks.create(get_caller(request), new)
        except Invalid as fault:
            return await self._show_all(request, form=form, fault=fault)
        return await self._show_all(request, created=_created.decode(row))

    async def _show_all(
        self,
        request: Request,
        *,
        form: SentForm = SentForm(()),  # noqa: B008 - a frozen value
        fault: Invalid | None = None,
        created: CreatedWebhook | None = None,
    ) -> Response:
        caller = get_caller(request)
        rows = await self._webhooks.list_all(caller)
        return self._templates.answer(
            request,
            "webhooks.html",
            status=200 if fault is None else 400,
            tabs=list_tabs(caller),
            rows=[_webhook.decode(row) for row in rows],
            form=form,
            fault=fault,
            created=created,
            done=read_query(request).get("done"),
            events=_SENT,
            may_write=WRITE.allows(caller),
            twin=write_twin("/webhooks"),
        )

    async def show_webhook(self, request: Request, webhook_id: str) -> Response:
        """One webhook with its deliveries."""
        return await self._show(request, require_uuid(webhook_id, WebhookNotFound()))

    async def _show(
        self, request: Request, webhook_id: UUID, fault: Invalid | None = None
    ) -> Response:
        query, caller = read_query(request), get_caller(request)
        pages = Pages(("deliveries", webhook_id), DELIVERY_ORDER)
        webhook = _webhook.decode(await self._webhooks.get(caller, webhook_id))
        rows = await self._webhooks.list_deliveries(
            caller, webhook_id, limit=_ROWS + 1, place=pages.read_place(query)
        )
        cursor = pages.make_cursor([(row["created_at"], row["id"]) for row in rows], _ROWS)
        here = f"/settings/webhooks/{webhook_id}"
        return self._templates.answer(
            request,
            "webhook.html",
            status=200 if fault is None else 400,
            tabs=list_tabs(caller),
            webhook=webhook,
            deliveries=[_delivery.decode(row["row"]) for row in rows[:_ROWS]],
            fault=fault,
            done=query.get("done"),
            events=_SENT,
            may_write=WRITE.allows(caller),
            is_first=not query.get("cursor"),
            first=here,
            next=f"{here}?cursor={cursor}" if cursor else None,
            twin=write_twin(
                f"/webhooks/{webhook_id}/deliveries", limit=_ROWS, cursor=query.get("cursor")
            ),
        )

    async def change(self, request: Request, webhook_id: str) -> Response:
        """Change a webhook as its form says."""
        form, id_ = await read_form(request), require_uuid(webhook_id, WebhookNotFound())
        fields: dict[str, Any] = {
            "url": form.get("url").strip(),
            "events": form.all("events"),
            "enabled": form.has("enabled"),
            "description": form.get("description") or None,
        }
        try:
            await self._webhooks.change(get_caller(request), id_, WebhookChange(**fields))
        except Invalid as fault:
            return await self._show(request, id_, fault)
        return redirect(f"/settings/webhooks/{id_}?done=changed")

    async def delete(self, request: Request, webhook_id: str) -> Response:
        """Delete a webhook with its waiting deliveries."""
        form = await read_form(request)
        if not form.has("sure"):
            raise Invalid("sure", "check the box, if the webhook is to be deleted")
        await self._webhooks.delete(
            get_caller(request), require_uuid(webhook_id, WebhookNotFound())
        )
        return redirect("/settings/webhooks?done=deleted")
