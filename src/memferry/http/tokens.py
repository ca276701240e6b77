"""The token endpoints, for tokens with the scope `admin`."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from memferry.errors import TokenNotFound
from memferry.http.auth import Access
from memferry.http.bodies import read_body
from memferry.http.paging import CURSOR, Pages, link_next, show_cursor
from memferry.http.parameters import query_field
from memferry.http.reading import get_caller, read_number, read_query, require_uuid
from memferry.http.routing import Operation
from memferry.http.views import answer_json
from memferry.model import strict_json
from memferry.model.cursor import TimeMs
from memferry.model.token import SCOPES, USUAL_SCOPES, Caller, Grant
from memferry.tenants.tokens import Tokens
from memferry.wire.tokens import (
    CreatedToken,
    Identity,
    NewToken,
    Organisation,
    RawToken,
    Token,
    TokenHolder,
    TokenPage,
)

_BODY_BYTES = 256 * 1024
PAGES = Pages(listing=("tokens",), kinds=(TimeMs, UUID))
"""The order of their list."""
_LIST_QUERY = (query_field("limit", "integer", "500 unless given, held within 1 to 1,000"), CURSOR)

_new = msgspec.json.Decoder(NewToken)
ACCESS = Access(("admin",))
"""Who may manage tokens."""
_operation = partial(Operation, tag="tokens", access=ACCESS)


class TokenEndpoints:
    """Everything below /api/tokens, and the same below /api/auth as clients of mnueron ask."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def operations(self) -> list[Operation]:
        """All addresses of tokens."""
        base, one = "/api/tokens", "/api/tokens/{token_id}"
        other, other_one = "/api/auth/tokens", "/api/auth/tokens/{token_id}"
        return [
            _operation(f"GET {base}", self.list_tokens, TokenPage, parameters=_LIST_QUERY),
            _operation(
                f"POST {base}", self.create_token, CreatedToken, status=201, errors=(413,),
                body=NewToken,
            ),
            _operation(f"GET {one}", self.get_token, Token, errors=(404,)),
            _operation(f"DELETE {one}", self.revoke_token, status=204, errors=(404,)),
            _operation(f"GET {other}", self.list_tokens, TokenPage, parameters=_LIST_QUERY),
            _operation(
                f"POST {other}", self.create_raw_token, RawToken, status=201, errors=(413,),
                body=NewToken,
            ),
            _operation(f"DELETE {other_one}", self.revoke_token, status=204, errors=(404,)),
            _operation("GET /api/auth/me", self.describe_caller, Identity, access=Access(())),
        ]  # fmt: skip

    async def list_tokens(self, request: Request) -> Response:
        """The tenant's tokens, newest first, revoked and expired ones too.

        A token that is limited to namespaces manages those that are limited to some of them.
        """
        query = read_query(request)
        limit = read_number(query.get("limit"), 500, least=1, most=1000)
        tokens = await self._tokens.list_newest(
            get_caller(request), limit=limit + 1, place=PAGES.read_place(query)
        )
        cursor = PAGES.make_cursor([(row["created_at"], row["id"]) for row in tokens], limit)
        return answer_json(
            {"tokens": tokens[:limit], **show_cursor(cursor)}, headers=link_next(request, cursor)
        )

    async def create_token(self, request: Request) -> Response:
        """Create a token for the same tenant; `token` is shown only here.

        It may have scopes that the caller lacks, but never namespaces beyond the caller's.
        """
        return await self._create(request, "token")

    async def create_raw_token(self, request: Request) -> Response:
        """Create a token for the same tenant; `raw` is the token, shown only here.

        It may have scopes that the caller lacks, but never namespaces beyond the caller's.
        """
        return await self._create(request, "raw")

    async def _create(self, request: Request, field: str) -> Response:
        new = strict_json.decode(_new, await read_body(request, _BODY_BYTES) or b"{}")
        token, row = await self._tokens.create(
            get_caller(request), new.name or "", _make_grant(new)
        )
        return answer_json({**row, field: token.text}, 201, {"Cache-Control": "no-store"})

    async def describe_caller(self, request: Request) -> Response:
        """The token of the request with its rights, and the tenant it speaks for."""
        caller = get_caller(request)
        tenant, token = await self._tokens.describe(caller)
        return answer_json(Identity(user=_show_holder(caller, token), org=Organisation(**tenant)))

    async def get_token(self, request: Request, token_id: str) -> Response:
        """One token of the tenant."""
        token = await self._tokens.get(get_caller(request), require_uuid(token_id, TokenNotFound()))
        return answer_json(token)

    async def revoke_token(self, request: Request, token_id: str) -> Response:
        """Revoke a token from the next request on, and cancel its unfinished exports."""
        await self._tokens.revoke(get_caller(request), require_uuid(token_id, TokenNotFound()))
        return Response(status_code=204)


def _show_holder(caller: Caller, token: Mapping[str, Any] | None) -> TokenHolder:
    row = token or {"id": None, "name": None}
    return TokenHolder(
        id=row["id"],
        name=row["name"],
        scopes=[scope for scope in SCOPES if scope in caller.scopes],
        namespaces=None if caller.namespaces is None else list(caller.namespaces),
    )


def _make_grant(new: NewToken) -> Grant:
    """Make the grant of a new token; raises Invalid."""
    scopes: Any = USUAL_SCOPES if new.scopes is None else dict.fromkeys(new.scopes)
    return Grant(
        scopes=tuple(scopes),
        namespaces=None if new.namespaces is None else tuple(dict.fromkeys(new.namespaces)),
        expires_at=new.expires_at,
    )
