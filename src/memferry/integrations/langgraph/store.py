"""The stores: one for graphs that run, one for graphs that are awaited."""

import asyncio
from collections.abc import Iterable
from concurrent.futures import Future

from langgraph.store.base import BaseStore, Op, Result, TTLConfig

from memferry.client import AsyncClient, Client
from memferry.errors import Invalid
from memferry.integrations.langgraph.operations import StoreOperations

ROOT = "langgraph"
"""The first label of the namespaces of memories that are items, unless told otherwise."""


class MemferryStore(BaseStore):
    """A store whose items are memories of the client's tenant, in namespaces below `root`.

    `query` searches by words, not by meaning. Raises the errors of the client.
    """

    supports_ttl = True

    def __init__(self, client: Client, *, root: str = ROOT, ttl: TTLConfig | None = None) -> None:
        self.ttl_config = ttl
        self._client = client
        self._operations = StoreOperations(root)

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Run operations: first those that read, then those that write."""
        return self._client.connection.run(self._operations.run(ops))

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Run operations in a thread."""
        return await asyncio.to_thread(self.batch, list(ops))

    # Programs that were written for LangGraph's own store on PostgreSQL start a sweeper.

    def sweep_ttl(self) -> int:
        """Remove nothing: the service shows nothing that has expired, and sweeps it itself."""
        return 0

    def start_ttl_sweeper(self, sweep_interval_minutes: int | None = None) -> Future[None]:
        """Start nothing, as `sweep_ttl` says; the future is done."""
        del sweep_interval_minutes
        future: Future[None] = Future()
        future.set_result(None)
        return future

    def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:
        """Tell that nothing sweeps here."""
        del timeout
        return True


class AsyncMemferryStore(BaseStore):
    """The store on an AsyncClient; it is made where the event loop of the client runs.

    Its methods that do not await are for other threads.
    """

    supports_ttl = True

    def __init__(
        self, client: AsyncClient, *, root: str = ROOT, ttl: TTLConfig | None = None
    ) -> None:
        self.ttl_config = ttl
        self._client = client
        self._operations = StoreOperations(root)
        self._loop = asyncio.get_running_loop()

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Run operations: first those that read, then those that write."""
        return await self._client.connection.run(self._operations.run(ops))

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Run operations from another thread; raises Invalid in that of the event loop."""
        if _find_running_loop() is self._loop:
            raise Invalid("ops", "would block the event loop: await the method with a before it")
        future = asyncio.run_coroutine_threadsafe(self.abatch(list(ops)), self._loop)
        return future.result()

    async def sweep_ttl(self) -> int:
        """Remove nothing: the service shows nothing that has expired, and sweeps it itself."""
        return 0

    async def start_ttl_sweeper(
        self, sweep_interval_minutes: int | None = None
    ) -> asyncio.Task[None]:
        """Start nothing, as `sweep_ttl` says; the task ends at once."""
        del sweep_interval_minutes
        return asyncio.create_task(asyncio.sleep(0))

    async def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - as there
        """Tell that nothing sweeps here."""
        del timeout
        return True


def _find_running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
