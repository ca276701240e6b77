"""Bearer tokens: create, look up, list and revoke them."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import asyncpg

from memferry.database.pool import Database
from memferry.database.retry import retry_conflicts
from memferry.database.sql import sql
from memferry.errors import Invalid, NamespaceForbidden, TokenNotFound, UnknownToken
from memferry.model import rules
from memferry.model.identity import new_memory_ids
from memferry.model.token import Caller, Grant

_PREFIX = "mnu_"
# The position before the newest token that can exist.
_FIRST = (2**63 - 1, UUID(int=0))
NAME_CHARACTERS = 200
_SHOWN_CHARACTERS = 12


@dataclass(frozen=True)
class BearerToken:
    """The text of a bearer token; the database keeps its digest and first characters alone."""

    text: str

    @classmethod
    def make(cls) -> "BearerToken":
        """Make a token: the prefix and 32 random bytes in base64url (RFC 4648, section 5)."""
        return cls(_PREFIX + secrets.token_urlsafe(32))

    @property
    def shown(self) -> str:
        """The first characters, which lists show."""
        return self.text[:_SHOWN_CHARACTERS]

    @property
    def sha256(self) -> bytes:
        """The digest that the database keeps; a slow hash adds nothing to 256 random bits."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogateescape")).digest()


class Tokens:
    """Authenticates callers, and manages the tokens of a caller's tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_caller(self, token: str, address: str | None = None) -> Caller:
        """Authenticate the holder of a token; raises UnknownToken.

        Every request looks its token up, so a revocation takes effect at once. The look-up need not
        take constant time: it compares digests, and whoever learned from its timing how many bytes
        of a digest are right could not choose a token whose digest has one more of them.
        """
        sha256 = BearerToken(token).sha256
        async with self._database.connection() as connection:
            row = await connection.fetchrow(sql("tenants/find_token"), sha256)
        # No view restricts this look-up to one tenant, so the digest is compared once more.
        if row is None or not hmac.compare_digest(row["sha256"], sha256):
            raise UnknownToken
        return await make_caller(self._database, row, address)

    @retry_conflicts
    async def create(
        self, caller: Caller, name: str, grant: Grant
    ) -> tuple[BearerToken, Mapping[str, Any]]:
        """Create a token of the caller's tenant; answers the token, shown only here, and its row.

        Raises Invalid, and NamespaceForbidden if it would reach beyond the caller's namespaces.
        """
        _check_reach(caller, grant)
        token = BearerToken.make()
        async with self._database.tenant(caller) as connection:
            row = await connection.fetchrow(
                sql("tenants/create_tenant_token"), *make_token_row(token, name, grant)
            )
        return token, dict(row or {})

    async def list_newest(
        self, caller: Caller, *, limit: int, place: Sequence[Any] | None = None
    ) -> Sequence[Mapping[str, Any]]:
        """The tokens after a place (`created_at`, id) in the list, newest first.

        No place means the beginning. A caller with namespaces sees the tokens within them.
        """
        async with self._database.tenant(caller) as connection:
            rows = await connection.fetch(
                sql("tenants/list_tenant_tokens"), limit, *(place or _FIRST)
            )
        return [dict(row) for row in rows]

    async def get(self, caller: Caller, token_id: UUID) -> Mapping[str, Any]:
        """One token's row; raises TokenNotFound."""
        async with self._database.tenant(caller) as connection:
            row = await connection.fetchrow(sql("tenants/get_tenant_token"), token_id)
        if row is None:
            raise TokenNotFound
        return dict(row)

    async def list_names(self, caller: Caller, token_ids: Collection[UUID]) -> Mapping[UUID, str]:
        """The names of some tokens, or their first characters where they have no name."""
        async with self._database.tenant(caller) as connection:
            rows = await connection.fetch(sql("tenants/list_token_names"), list(token_ids))
        return {row["id"]: row["name"] or f"{row['prefix']}\u2026" for row in rows}

    async def describe(self, caller: Caller) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
        """Id and name of the caller's tenant, and the row of its token, None without one.

        Raises UnknownToken for a tenant that is being deleted.
        """
        async with self._database.tenant(caller) as connection:
            tenant = await connection.fetchrow(sql("tenants/get_tenant"))
            token = await connection.fetchrow(sql("tenants/get_tenant_token"), caller.token_id)
        if tenant is None:
            raise UnknownToken
        return dict(tenant), None if token is None else dict(token)

    @retry_conflicts
    async def revoke(self, caller: Caller, token_id: UUID) -> None:
        """Revoke a token and cancel its unfinished exports; raises TokenNotFound."""
        async with self._database.tenant(caller) as connection:
            id_ = await connection.fetchval(sql("tenants/revoke_tenant_token"), token_id)
        if id_ is None:
            raise TokenNotFound


async def make_caller(
    database: Database, row: Mapping[str, Any] | asyncpg.Record, address: str | None
) -> Caller:
    """Make the caller that a row of find_token or find_sign_in names; raises UnknownToken."""
    caller = Caller(
        tenant_id=row["tenant_id"],
        token_id=row["id"],
        scopes=frozenset(row["scopes"]),
        address=address,
    )
    return await _add_namespaces(database, caller) if row["limited"] else caller


async def _add_namespaces(database: Database, caller: Caller) -> Caller:
    """Add the namespaces that the token is limited to."""
    async with database.tenant(caller) as connection:
        names = await connection.fetchval(sql("tenants/get_token_namespaces"), caller.token_id)
    if names is None:
        raise UnknownToken
    return replace(caller, namespaces=tuple(names))


def make_token_row(token: BearerToken, name: str, grant: Grant) -> tuple[object, ...]:
    """Make the row of a token under a new id, in the order of the statements' parameters.

    Raises Invalid if the name is wrong, or `expires_at` is in the past.
    """
    rules.check_text("name", name, most=NAME_CHARACTERS)
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
    for index, namespace in enumerate(grant.namespaces or ()):
        caller.check_namespace(namespace, f"namespaces[{index}]")
