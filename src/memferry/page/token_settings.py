"""Tokens: what each may do; a new one is shown once."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from memferry.errors import Forbidden, Invalid, MemferryError, TokenNotFound
from memferry.http.errors import find_status
from memferry.http.paging import CURSOR
from memferry.http.parameters import query_field
from memferry.http.reading import get_caller, read_query, require_uuid
from memferry.http.tokens import ACCESS, PAGES
from memferry.model.token import SCOPES, USUAL_SCOPES, Grant
from memferry.page.forms import SentForm, read_form
from memferry.page.moments import read_moment
from memferry.page.screens import Screen, redirect
from memferry.page.settings import list_tabs
from memferry.page.templates import Templates
from memferry.page.twins import write_twin
from memferry.tenants.tokens import Tokens

_ROWS = 50
_DONE = query_field("done", "string", "what was done before")
_SCOPES = {
    "memories:read": "see and search memories",
    "memories:write": "save, change, delete and import memories",
    "exports:read": "see and download all exports",
    "exports:create": "make exports, and see its own",
    "admin": "manage tokens and read the audit",
}


class TokenSettingScreens:
    """Everything below /settings/tokens."""

    def __init__(self, templates: Templates, tokens: Tokens) -> None:
        self._templates = templates
        self._tokens = tokens

    def screens(self) -> list[Screen]:
        """All addresses."""
        base = "/settings/tokens"
        return [
            Screen(f"GET {base}", self.list_tokens, ACCESS, (CURSOR, _DONE)),
            Screen(f"POST {base}", self.create, ACCESS),
            Screen(f"POST {base}/{{token_id}}/revoke", self.revoke, ACCESS),
        ]

    async def list_tokens(self, request: Request) -> Response:
        """The tokens, newest first, and the form for another one."""
        return await self._show(request)

    async def create(self, request: Request) -> Response:
        """Make a token; this answer alone shows it."""
        form = await read_form(request)
        try:
            token, row = await self._tokens.create(
                get_caller(request), form.get("name").strip(), _read_grant(form)
            )
        except (Invalid, Forbidden) as fault:
            return await self._show(request, form=form, fault=fault)
        return await self._show(request, created=row, secret=token.text)

    async def revoke(self, request: Request, token_id: str) -> Response:
        """Revoke a token from the next request on."""
        await read_form(request)
        await self._tokens.revoke(get_caller(request), require_uuid(token_id, TokenNotFound()))
        return redirect("/settings/tokens?done=revoked")

    async def _show(
        self,
        request: Request,
        *,
        form: SentForm | None = None,
        fault: MemferryError | None = None,
        created: Mapping[str, Any] | None = None,
        secret: str = "",
    ) -> Response:
        query, caller = read_query(request), get_caller(request)
        rows = await self._tokens.list_newest(
            caller, limit=_ROWS + 1, place=PAGES.read_place(query)
        )
        cursor = PAGES.make_cursor([(row["created_at"], row["id"]) for row in rows], _ROWS)
        return self._templates.answer(
            request,
            "tokens.html",
            status=200 if fault is None else find_status(type(fault)),
            tabs=list_tabs(caller),
            rows=rows[:_ROWS],
            form=form or _make_blank(caller.namespaces),
            fault=fault,
            created=created,
            secret=secret,
            done=query.get("done"),
            scopes=[(scope, _SCOPES[scope]) for scope in SCOPES],
            is_first=not query.get("cursor"),
            next=f"/settings/tokens?cursor={cursor}" if cursor else None,
            twin=write_twin("/tokens", limit=_ROWS, cursor=query.get("cursor")),
        )


def _make_blank(namespaces: tuple[str, ...] | None) -> SentForm:
    """The form as it is at first: a token as most are, within the namespaces of its maker."""
    pairs: list[tuple[str, str]] = [("scopes", scope) for scope in USUAL_SCOPES]
    if namespaces is not None:
        pairs.append(("namespaces", msgspec.json.encode(namespaces).decode()))
    return SentForm(tuple(pairs))


def _read_grant(form: SentForm) -> Grant:
    scopes: Any = tuple(dict.fromkeys(form.all("scopes")))
    return Grant(
        scopes=scopes,
        namespaces=_read_namespaces(form.get("namespaces")),
        expires_at=read_moment("expires_at", form.get("expires_at")),
    )


def _read_namespaces(text: str) -> tuple[str, ...] | None:
    """One name on each line, or a JSON array; nothing means all."""
    text = text.strip()
    if not text.startswith("["):
        names = [name.strip() for name in text.splitlines()]
        return tuple(dict.fromkeys(name for name in names if name)) or None
    try:
        return tuple(msgspec.json.decode(text, type=list[str]))
    except msgspec.MsgspecError as fault:
        raise Invalid("namespaces", "expected one name on each line, or a JSON array") from fault
