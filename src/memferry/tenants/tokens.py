"""Tokens: how they are made, whom one speaks for, and who may see and revoke them."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from memferry.database.pool import Database
from memferry.database.retry import retry_conflicts
from memferry.database.sql import sql
from memferry.errors import Invalid, NamespaceForbidden, TokenNotFound, UnknownToken
from memferry.model import rules
from memferry.model.identity import new_memory_ids
from memferry.model.token import Caller, Grant

_PREFIX = "mnu_"
# No token is as new as that.
_FIRST = (2**63 - 1, UUID(int=0))
NAME_CHARACTERS = 200
_SHOWN_CHARACTERS = 12


@dataclass(frozen=True)
class BearerToken:
    """A token that was just made; only its digest and its first characters are kept."""

    text: str

    @classmethod
    def make(cls) -> "BearerToken":
        """32 random bytes, base64url (RFC 4648, section 5) after the prefix."""
        return cls(_PREFIX + secrets.token_urlsafe(32))

    @property
    def shown(self) -> str:
        """What a list may show."""
        return self.text[:_SHOWN_CHARACTERS]

    @property
    def sha256(self) -> bytes:
        """What is stored."""
        return digest(self.text)


def digest(token: str) -> bytes:
    """SHA-256 of a token. Its 256 random bits make a slow hash pointless."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


class Tokens:
    """Finds out who is calling; makes, shows and revokes the tokens of the caller's tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def caller(self, token: str, address: str | None = None) -> Caller:
        """The holder of a token, asked anew each time so that revoking takes effect at once.

        Raises UnknownToken. The look-up need not take constant time: what it compares is the
        digest, and who would learn from its timing how many bytes of a digest were right could
        not choose a token whose digest has these bytes and one more.
        """
        sought = digest(token)
        async with self._database.connection() as connection:
            row = await connection.fetchrow(sql("tenants/find_token"), sought)
        # No view can hold this look-up to one tenant, so its condition is checked once more.
        if row is None or not hmac.compare_digest(row["sha256"], sought):
            raise UnknownToken
        holder = Caller(
            tenant_id=row["tenant_id"],
            token_id=row["id"],
            scopes=frozenset(row["scopes"]),
            address=address,
        )
        return await self._limited(holder) if row["limited"] else holder

    async def _limited(self, holder: Caller) -> Caller:
        """The same within the namespaces of its token."""
        async with self._database.tenant(holder) as connection:
            names = await connection.fetchval(sql("tenants/get_token_namespaces"), holder.token_id)
        if names is None:
            raise UnknownToken
        return replace(holder, namespaces=tuple(names))

    @retry_conflicts
    async def mint(
        self, caller: Caller, name: str, grant: Grant
    ) -> tuple[BearerToken, Mapping[str, Any]]:
        """A new token of the caller's tenant, and its row; nothing shows the token again.

        Raises NamespaceForbidden if it would reach beyond the namespaces of the caller.
        """
        _check_reach(caller, grant)
        token = BearerToken.make()
        async with self._database.tenant(caller) as connection:
            row = await connection.fetchrow(sql("tenants/mint_token"), *stored(token, name, grant))
        return token, dict(row or {})

    async def newest(
        self, caller: Caller, *, limit: int, place: Sequence[Any] | None = None
    ) -> Sequence[Mapping[str, Any]]:
        """The newest tokens behind a place (`created_at`, id), newest first; None: the first.

        A limited caller is shown those within its limit.
        """
        async with self._database.tenant(caller) as connection:
            rows = await connection.fetch(
                sql("tenants/list_tenant_tokens"), limit, *(place or _FIRST)
            )
        return [dict(row) for row in rows]

    async def get(self, caller: Caller, token_id: UUID) -> Mapping[str, Any]:
        """One of them; raises TokenNotFound."""
        async with self._database.tenant(caller) as connection:
            row = await connection.fetchrow(sql("tenants/get_tenant_token"), token_id)
        if row is None:
            raise TokenNotFound
        return dict(row)

    @retry_conflicts
    async def revoke(self, caller: Caller, token_id: UUID) -> None:
        """End a token and its unfinished exports; raises TokenNotFound."""
        async with self._database.tenant(caller) as connection:
            found = await connection.fetchval(sql("tenants/revoke_tenant_token"), token_id)
        if found is None:
            raise TokenNotFound


def stored(token: BearerToken, name: str, grant: Grant) -> tuple[object, ...]:
    """A new id, and what is kept of a token: the columns as the statements take them.

    Raises Invalid if the token would be born expired.
    """
    rules.text("name", name, most=NAME_CHARACTERS)
    if grant.expires_at is not None and grant.expires_at <= time.time() * 1000:
        raise Invalid("expires_at", "is not in the future")
    (token_id,) = new_memory_ids(1)
    return (
        token_id,
        name,
        token.shown,
        token.sha256,
        list(grant.scopes),
        None if grant.namespaces is None else list(grant.namespaces),
        grant.expires_at,
    )


def _check_reach(caller: Caller, grant: Grant) -> None:
    if caller.namespaces is not None and grant.namespaces is None:
        raise NamespaceForbidden("namespaces", "must be given: yours are limited as well")
    for index, each in enumerate(grant.namespaces or ()):
        caller.check_namespace(each, f"namespaces[{index}]")
