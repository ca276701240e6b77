"""The body and the answers of tokens."""

from typing import Annotated
from uuid import UUID

import msgspec

from memferry.model.token import SCOPES
from memferry.wire.schema import NextCursor, Time, describe

_Scope = Annotated[str, describe(enum=list(SCOPES))]
_Namespaces = Annotated[list[str] | None, describe("the only ones it can touch; null means all")]


class NewToken(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """The grant of a new token; unknown fields are refused, since no limit may be dropped."""

    name: Annotated[str | None, describe("a label", example="laptop")] = ""
    scopes: Annotated[list[_Scope] | None, describe("all but admin, if not given")] = None
    namespaces: _Namespaces = None
    expires_at: Annotated[Time | None, describe("in the future; null: never")] = None


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token, without the token itself; times in epoch milliseconds UTC."""

    id: UUID
    name: str
    prefix: Annotated[str, describe("its first characters")]
    scopes: list[_Scope]
    namespaces: _Namespaces
    created_at: int
    expires_at: int | None
    revoked_at: int | None


class CreatedToken(Token, frozen=True, kw_only=True):
    """The only answer that ever shows the token."""

    token: str


class RawToken(Token, frozen=True, kw_only=True):
    """The only answer that ever shows the token, by the name that clients of mnueron read."""

    raw: str


class TokenHolder(msgspec.Struct, frozen=True, kw_only=True):
    """The token of the request; without one, id and name are null."""

    id: UUID | None
    name: str | None
    scopes: list[_Scope]
    namespaces: _Namespaces


class Organisation(msgspec.Struct, frozen=True, kw_only=True):
    """The tenant that the token speaks for."""

    id: UUID
    name: str


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking."""

    user: TokenHolder
    org: Organisation


class TokenPage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The tenant's tokens, newest first, revoked and expired ones too."""

    tokens: list[Token]
    next_cursor: NextCursor = None
