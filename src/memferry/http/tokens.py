"""The token endpoints, for tokens with the scope `admin`."""

from typing import Any
from uuid import UUID

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from memferry.errors import TokenNotFound
from memferry.http import shapes
from memferry.http.bodies import read_body
from memferry.http.docs import add_route, query_field
from memferry.http.paging import CURSOR, Pages, link_next, named_cursor
from memferry.http.requests import caller, number, read_query, uuid_or
from memferry.http.views import json_answer
from memferry.model import json
from memferry.model.cursor import TimeMs
from memferry.model.token import USUAL_SCOPES, Grant, Scope
from memferry.tenants.tokens import Tokens

_BODY_BYTES = 256 * 1024
_PAGES = Pages(listing=("tokens",), kinds=(TimeMs, UUID))
_LIST_QUERY = [query_field("limit", "integer", "500 unless given, held within 1 to 1,000"), CURSOR]


class NewToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit that is misspelt must not be dropped: any other field is refused."""

    name: str | None = None
    scopes: list[str] | None = None
    namespaces: list[str] | None = None
    expires_at: int | None = None

    def grant(self) -> Grant:
        """What the token may do; raises Invalid."""
        scopes: Any = USUAL_SCOPES if self.scopes is None else dict.fromkeys(self.scopes)
        return Grant(
            scopes=tuple(scopes),
            namespaces=None if self.namespaces is None else tuple(dict.fromkeys(self.namespaces)),
            expires_at=self.expires_at,
        )


_new = msgspec.json.Decoder(NewToken)


class TokenEndpoints:
    """Everything below /api/tokens."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def router(self) -> APIRouter:
        """All addresses of tokens."""
        router = APIRouter(tags=["tokens"])
        base, one = "/api/tokens", "/api/tokens/{token_id}"
        admin: tuple[Scope, ...] = ("admin",)
        add_route(
            router, f"GET {base}", self.list_tokens, 200, shapes.TokenList,
            parameters=_LIST_QUERY, scopes=admin,
        )  # fmt: skip
        add_route(
            router, f"POST {base}", self.create_token, 201, shapes.CreatedToken, 400, 413,
            body=shapes.NewToken, scopes=admin,
        )  # fmt: skip
        add_route(router, f"GET {one}", self.get_token, 200, shapes.Token, 404, scopes=admin)
        add_route(router, f"DELETE {one}", self.revoke_token, 204, None, 404, scopes=admin)
        return router

    async def list_tokens(self, request: Request) -> Response:
        """The tenant's tokens, newest first, revoked and expired ones too.

        A token that is limited to namespaces manages those that are limited to some of them.
        """
        query = read_query(request)
        limit = number(query.get("limit"), 500, least=1, most=1000)
        tokens = await self._tokens.list_newest(
            caller(request), limit=limit + 1, place=_PAGES.place(query)
        )
        cursor = _PAGES.next_cursor([(row["created_at"], row["id"]) for row in tokens], limit)
        return json_answer(
            {"tokens": tokens[:limit], **named_cursor(cursor)}, headers=link_next(request, cursor)
        )

    async def create_token(self, request: Request) -> Response:
        """Make a token for the same tenant; `token` is shown only here.

        It may have scopes that the caller lacks, but never namespaces beyond the caller's.
        """
        new = json.decode(_new, await read_body(request, _BODY_BYTES) or b"{}")
        token, row = await self._tokens.create(caller(request), new.name or "", new.grant())
        return json_answer({**row, "token": token.text}, 201, {"Cache-Control": "no-store"})

    async def get_token(self, request: Request, token_id: str) -> Response:
        """One token of the tenant."""
        found = await self._tokens.get(caller(request), uuid_or(token_id, TokenNotFound()))
        return json_answer(found)

    async def revoke_token(self, request: Request, token_id: str) -> Response:
        """Revoke a token: from the next request on it is unknown, its unfinished exports end."""
        await self._tokens.revoke(caller(request), uuid_or(token_id, TokenNotFound()))
        return Response(status_code=204)
