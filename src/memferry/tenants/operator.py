"""Operator commands on tenants and tokens, run as the owner of the tables."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from memferry.database.pool import Connection
from memferry.database.retry import retry_conflicts
from memferry.database.sessions import owner_connection
from memferry.database.sql import sql
from memferry.errors import Invalid
from memferry.model import rules
from memferry.model.identity import new_memory_ids
from memferry.model.token import Grant
from memferry.tenants.tokens import NAME_CHARACTERS, BearerToken, stored

_USUAL = Grant()


class Operator:
    """The operator of one database; `url` must belong to the owner of the tables."""

    def __init__(self, url: str) -> None:
        self._url = url

    @retry_conflicts
    async def create_token(self, tenant: str, name: str, grant: Grant = _USUAL) -> BearerToken:
        """Make a token for a tenant, and the tenant if there is none by that name."""
        token = BearerToken.make()
        async with owner_connection(self._url) as connection, connection.transaction():
            tenant_id = await _find_or_make(connection, tenant)
            await connection.execute(
                sql("tenants/create_token"), tenant_id, *stored(token, name, grant)
            )
        return token

    @retry_conflicts
    async def find_or_make_tenant(self, name: str) -> UUID:
        """The id of the tenant by that name; raises Invalid for one that is being deleted."""
        async with owner_connection(self._url) as connection:
            return await _find_or_make(connection, name)

    async def list_tenants(self) -> Sequence[Mapping[str, Any]]:
        """Every tenant, with the numbers of its tokens and exports; newest last."""
        async with owner_connection(self._url) as connection:
            return [dict(row) for row in await connection.fetch(sql("tenants/list_tenants"))]

    async def list_tokens(self) -> Sequence[Mapping[str, Any]]:
        """All tokens, with tenant, what they may do, prefix and times; never the tokens."""
        async with owner_connection(self._url) as connection:
            return [dict(row) for row in await connection.fetch(sql("tenants/list_tokens"))]

    @retry_conflicts
    async def revoke_token(self, token_id: str) -> None:
        """Revoke a token by its id or by the whole token, and cancel its unfinished exports.

        Raises Invalid when there is none.
        """
        by_id = _uuid(token_id)
        by_digest = BearerToken(token_id).sha256
        async with owner_connection(self._url) as connection:
            revoked = await connection.fetchval(sql("tenants/revoke_token"), by_id, by_digest)
        if revoked is None:
            raise Invalid(
                "token", "no such token that is not revoked yet; see: memferry token list"
            )

    async def list_audit(self, limit: int, event: str | None, tenant: str | None) -> list[str]:
        """The newest entries of the audit, as JSON text with the name of the tenant."""
        async with owner_connection(self._url) as connection:
            rows = await connection.fetch(sql("tenants/list_all_audit"), limit, event, tenant)
        return [row[0] for row in rows]


async def _find_or_make(connection: Connection, tenant: str) -> UUID:
    rules.text("tenant", tenant, most=NAME_CHARACTERS, least=1)
    (new_id,) = new_memory_ids(1)
    tenant_id: UUID | None = await connection.fetchval(sql("tenants/create_tenant"), new_id, tenant)
    if tenant_id is None:
        raise Invalid("tenant", "is being deleted; finish that: memferry tenant delete")
    return tenant_id


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
