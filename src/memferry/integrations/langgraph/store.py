"""The stores: one for graphs that run, one for graphs that are awaited."""

import asyncio
import threading
from collections.abc import Iterable
from concurrent.futures import Future

from langchain_core.embeddings import Embeddings
from langgraph.store.base import BaseStore, Op, Result, TTLConfig

from memferry.client import AsyncClient, Client
from memferry.integrations.langgraph.batches import Batch, make_batch
from memferry.integrations.langgraph.key_locks import KeyLocks
from memferry.integrations.langgraph.operations import StoreOperations
from memferry.integrations.langgraph.rounds import Rounds
from memferry.integrations.langgraph.vector_index import Embedded, VectorIndex, VectorIndexConfig

ROOT = "langgraph"
"""The first label of the namespaces of memories that are items, unless told otherwise."""


class _Store(BaseStore):
    """What both stores have: their settings, and who embeds."""

    supports_ttl = True

    def __init__(self, root: str, ttl: TTLConfig | None, index: VectorIndexConfig | None) -> None:
        self.ttl_config = ttl
        self.index_config = index
        self._operations = StoreOperations(root)
        self._index = None if index is None else VectorIndex(index)

    @property
    def embeddings(self) -> Embeddings | None:
        """Who makes the vectors; None if queries search by words."""
        return None if self._index is None else self._index.embeddings

    def _embed(self, batch: Batch) -> Embedded:
        if self._index is None:
            return Embedded()
        return self._index.embed(batch.list_texts(), batch.list_queries())

    async def _await_embeddings(self, batch: Batch) -> Embedded:
        if self._index is None:
            return Embedded()
        return await self._index.await_embeddings(batch.list_texts(), batch.list_queries())


class MemferryStore(_Store):
    """A store whose items are memories of the client's tenant, in namespaces below `root`.

    `query` searches by words, with an `index` by meaning. Raises the errors of the client, and
    those of the embeddings.
    """

    def __init__(
        self,
        client: Client,
        *,
        root: str = ROOT,
        ttl: TTLConfig | None = None,
        index: VectorIndexConfig | None = None,
    ) -> None:
        super().__init__(root, ttl, index)
        self._client = client
        self._locks = KeyLocks(threading.Lock)

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Run operations: first those that read, then those that write."""
        batch = make_batch(ops, self._index)
        return self._run(batch, self._embed(batch))

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Run operations in a thread; embeddings are awaited."""
        batch = make_batch(ops, self._index)
        return await asyncio.to_thread(self._run, batch, await self._await_embeddings(batch))

    def _run(self, batch: Batch, embedded: Embedded) -> list[Result]:
        run = self._client.connection.run
        results = [run(self._operations.read(op, embedded)) for op in batch.operations]
        for item_put in batch.puts:
            with self._locks.find(item_put.name):
                run(self._operations.put(item_put, embedded))
        return results

    # Programs that were written for LangGraph's own store on PostgreSQL set it up and sweep.

    def setup(self) -> None:
        """Set up nothing: a memory needs no table of its own."""

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


class AsyncMemferryStore(_Store):
    """The store on an AsyncClient; it is made where the event loop of the client runs.

    What is asked for at once comes side by side. Methods that do not await are for other threads.
    """

    def __init__(
        self,
        client: AsyncClient,
        *,
        root: str = ROOT,
        ttl: TTLConfig | None = None,
        index: VectorIndexConfig | None = None,
    ) -> None:
        super().__init__(root, ttl, index)
        self._loop = asyncio.get_running_loop()
        self._rounds = Rounds(self._operations, client.connection.run, self._await_embeddings)

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Run operations: first those that read, then those that write."""
        return await self._rounds.run(make_batch(ops, self._index))

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Run operations from another thread; raises InvalidStateError in that of the loop."""
        if _find_running_loop() is self._loop:
            text = "would block the event loop: await the method with an a before it"
            raise asyncio.InvalidStateError(text)
        return asyncio.run_coroutine_threadsafe(self.abatch(list(ops)), self._loop).result()

    async def setup(self) -> None:
        """Set up nothing: a memory needs no table of its own."""

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
