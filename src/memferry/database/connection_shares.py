"""The share of a pool's connections that one tenant may use at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from uuid import UUID

from memferry.shares import Shares

_KEPT_CONNECTIONS = 2


class ConnectionShares:
    """Shares of a pool's connections between tenants.

    Two connections are kept for work without a tenant, such as looking up tokens. Heavy work has a
    smaller share, so that small requests always find a connection.
    """

    def __init__(self, pool_size: int) -> None:
        for_tenants = max(1, pool_size - _KEPT_CONNECTIONS)
        self.tenant_most = max(1, 3 * for_tenants // 4)
        self._any = Shares(for_tenants, tenant_most=self.tenant_most)
        self._heavy = Shares(max(1, pool_size // 2), tenant_most=max(1, pool_size // 3))

    @asynccontextmanager
    async def take(self, tenant_id: UUID, *, heavy: bool) -> AsyncIterator[None]:
        """Take the share of one connection; raises TooMuchAtOnce or Busy."""
        async with (
            self._heavy.take(tenant_id) if heavy else nullcontext(),
            self._any.take(tenant_id),
        ):
            yield
