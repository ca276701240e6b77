"""Commands of the operator on tenants and tokens; they connect as the owner of the tables."""

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
from memferry.tenants.sign_ins import LINK_SECONDS, SignInSecret
from memferry.tenants.tokens import NAME_CHARACTERS, BearerToken, make_token_row

_USUAL = Grant()


class Operator:
    """The operator of one database; `url` names the role that owns the tables."""

    def __init__(self, url: str) -> None:
        self._url = url

    @retry_conflicts
    async def create_token(self, tenant: str, name: str, grant: Grant = _USUAL) -> BearerToken:
        """Create a token for a tenant, and the tenant if it does not exist.

        Raises Invalid for a wrong field, and for a tenant that is being deleted.
        """
        token = BearerToken.make()
        async with owner_connection(self._url) as connection, connection.transaction():
            tenant_id = await _ensure_tenant(connection, tenant)
            await connection.execute(
                sql("tenants/create_token"), tenant_id, *make_token_row(token, name, grant)
            )
        return token

    @retry_conflicts
    async def create_sign_in_link(self, token: BearerToken) -> SignInSecret:
        """Create a link that signs a browser in with a token, once and within 15 minutes."""
        link = SignInSecret.make("link")
        async with owner_connection(self._url) as connection:
            await connection.execute(
                sql("tenants/create_sign_in_link"), link.sha256, token.sha256, LINK_SECONDS * 1000
            )
        return link

    @retry_conflicts
    async def ensure_tenant(self, name: str) -> UUID:
        """Find the tenant by its name, or create it; raises Invalid if it is being deleted."""
        async with owner_connection(self._url) as connection:
            return await _ensure_tenant(connection, name)

    async def find_tenant(self, name: str) -> UUID:
        """Find the tenant by its name; raises Invalid if there is none, or it is being deleted."""
        async with owner_connection(self._url) as connection:
            tenants = await connection.fetch(sql("tenants/list_tenants"))
        for row in tenants:
            if row["name"] == name and row["leaving_at"] is None:
                tenant_id: UUID = row["id"]
                return tenant_id
        raise Invalid("tenant", f"there is no {name}; see: memferry tenant list")

    async def list_tenants(self) -> Sequence[Mapping[str, Any]]:
        """Every tenant with the numbers of its tokens and exports, newest last."""
        async with owner_connection(self._url) as connection:
            return [dict(row) for row in await connection.fetch(sql("tenants/list_tenants"))]

    async def list_tokens(self) -> Sequence[Mapping[str, Any]]:
        """All tokens with tenant, grant, prefix and times, without their secret text."""
        async with owner_connection(self._url) as connection:
            return [dict(row) for row in await connection.fetch(sql("tenants/list_tokens"))]

    @retry_conflicts
    async def revoke_token(self, token_id: str) -> None:
        """Revoke a token by its id or its whole text, and cancel its unfinished exports.

        Raises Invalid if there is no such token, or if it is revoked already.
        """
        id_, sha256 = _parse_uuid(token_id), BearerToken(token_id).sha256
        async with owner_connection(self._url) as connection:
            revoked = await connection.fetchval(sql("tenants/revoke_token"), id_, sha256)
        if revoked is None:
            raise Invalid(
                "token", "no such token that is not revoked yet; see: memferry token list"
            )

    async def list_audit(self, limit: int, event: str | None, tenant: str | None) -> list[str]:
        """The newest audit entries of all tenants or of one, as JSON text with the tenant."""
        async with owner_connection(self._url) as connection:
            rows = await connection.fetch(sql("tenants/list_all_audit"), limit, event, tenant)
        return [row[0] for row in rows]


async def _ensure_tenant(connection: Connection, tenant: str) -> UUID:
    rules.check_text("tenant", tenant, most=NAME_CHARACTERS, least=1)
    (new_id,) = new_memory_ids(1)
    tenant_id: UUID | None = await connection.fetchval(sql("tenants/create_tenant"), new_id, tenant)
    if tenant_id is None:
        raise Invalid("tenant", "is being deleted; finish the deletion: memferry tenant delete")
    return tenant_id


def _parse_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
