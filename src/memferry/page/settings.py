"""Settings for those who may see them: who one is, limits, verification, and the audit."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from memferry.audit.service import Audit
from memferry.errors import Invalid
from memferry.exports.service import Exports
from memferry.files.signature import ALGORITHM
from memferry.http.audit import ACCESS as AUDIT
from memferry.http.auth import Access
from memferry.http.limits import ACCESS as LIMITS
from memferry.http.parameters import query_field
from memferry.http.reading import get_caller, read_query, require_uuid
from memferry.http.tokens import ACCESS as TOKENS
from memferry.http.webhooks import READ as WEBHOOKS
from memferry.model.audit import EVENTS
from memferry.model.token import SCOPES, Caller
from memferry.page.screens import ANYBODY, Screen
from memferry.page.templates import Templates
from memferry.page.token_names import list_token_names, name_token
from memferry.page.twins import write_twin
from memferry.tenants.limits import TenantLimits
from memferry.tenants.tokens import Tokens
from memferry.wire.audit import AuditEntry

_ENTRIES = 50
_LINES = 50
_KEYS = Access(("exports:read",))
_EVENT = query_field("event", "string", "only this event")
_BEFORE = query_field("before", "string", "only what came before the entry with this id")
_entry = msgspec.json.Decoder(AuditEntry)


class Tab(NamedTuple):
    """One screen of the settings, and who may see it."""

    path: str
    label: str
    access: Access


TABS = (
    Tab("/settings", "You and your limits", ANYBODY),
    Tab("/settings/tokens", "Tokens", TOKENS),
    Tab("/settings/webhooks", "Webhooks", WEBHOOKS),
    Tab("/settings/audit", "Audit", AUDIT),
    Tab("/settings/keys", "Verification", _KEYS),
)


@dataclass(frozen=True)
class Usage:
    """One limit with its use; None for a rate, whose use is not stored."""

    name: str
    limit: int
    used: int | None

    @property
    def is_size(self) -> bool:
        """Whether it is in bytes."""
        return self.name.endswith("_bytes")

    @property
    def label(self) -> str:
        """Its name in words."""
        words = self.name.removesuffix("_bytes").replace("_", " ")
        named = {
            "memory_bytes": "size of memories",
            "stored_bytes": "size of stored exports",
            "waiting_message_bytes": "size of waiting messages",
        }
        return named.get(self.name, words)


class SettingsScreens:
    """What is not changed here; tokens and webhooks have modules of their own."""

    def __init__(
        self,
        templates: Templates,
        tokens: Tokens,
        limits: TenantLimits,
        audit: Audit,
        exports: Exports,
    ) -> None:
        self._templates = templates
        self._tokens = tokens
        self._limits = limits
        self._audit = audit
        self._exports = exports

    def screens(self) -> list[Screen]:
        """All addresses."""
        return [
            Screen("GET /settings", self.show_caller),
            Screen("GET /settings/audit", self.list_audit, AUDIT, (_EVENT, _BEFORE)),
            Screen("GET /settings/keys", self.show_keys, _KEYS),
        ]

    async def show_caller(self, request: Request) -> Response:
        """The token that has signed in, what it may do, and how much of each limit is used."""
        caller = get_caller(request)
        tenant, token = await self._tokens.describe(caller)
        usages = None
        if LIMITS.allows(caller):
            limits = await self._limits.show(caller)
            usages = [
                Usage(name, limit["limit"] or 0, limit["used"]) for name, limit in limits.items()
            ]
        return self._templates.answer(
            request,
            "settings.html",
            tabs=list_tabs(caller),
            tenant=tenant["name"],
            token=token,
            scopes=[scope for scope in SCOPES if scope in caller.scopes],
            namespaces=caller.namespaces,
            usages=usages,
            hidden=[tab.label for tab in TABS if not tab.access.allows(caller)],
            twin=write_twin("/auth/me"),
        )

    async def list_audit(self, request: Request) -> Response:
        """Who did what, newest first."""
        query, caller = read_query(request), get_caller(request)
        event, before = query.get("event") or None, query.get("before") or None
        if event is not None and event not in EVENTS:
            raise Invalid("event", f"unknown; known are {', '.join(EVENTS)}")
        place = None
        if before is not None:
            place = require_uuid(before, Invalid("before", "expected the id of an entry"))
        rows = await self._audit.list_page(caller, limit=_ENTRIES + 1, before=place, event=event)
        entries = [_entry.decode(row["row"]) for row in rows[:_ENTRIES]]
        filters = f"event={event}&" if event else ""
        return self._templates.answer(
            request,
            "audit.html",
            tabs=list_tabs(caller),
            entries_of=[
                (name, entry)
                for name, entry in zip(
                    await self._name_all(caller, [entry.token_id for entry in entries]),
                    entries,
                    strict=True,
                )
            ],
            events=EVENTS,
            event=event or "",
            is_first=before is None,
            first=f"/settings/audit?{filters}".rstrip("?&"),
            next=f"/settings/audit?{filters}before={entries[-1].id}"
            if len(rows) > _ENTRIES
            else None,
            twin=write_twin("/audit", event=event, limit=_ENTRIES, before=before),
        )

    async def _name_all(self, caller: Caller, ids: list[UUID | None]) -> list[str]:
        names = await list_token_names(self._tokens, caller, ids)
        return ["\u2013" if id_ is None else name_token(caller, id_, names) for id_ in ids]

    async def show_keys(self, request: Request) -> Response:
        """The public key of the service, how to verify with it, and the chain of manifests."""
        caller = get_caller(request)
        return self._templates.answer(
            request,
            "keys.html",
            tabs=list_tabs(caller),
            key=await self._exports.read_public_key(),
            algorithm=ALGORITHM,
            lines=await self._exports.list_chain(caller, limit=_LINES),
            twin="/api/keys",
        )


def list_tabs(caller: Caller) -> list[Tab]:
    """The screens of the settings that a caller may see."""
    return [tab for tab in TABS if tab.access.allows(caller)]
