"""Rounds: what is asked for in one turn of the event loop is read, embedded and written together.

Equal reads are one, of puts of one key the last one counts, and texts are embedded in one call, as
in the published stores. Each caller waits for its own operations, and gets their faults: one call
of the embeddings fails for all whose texts are in it.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from copy import deepcopy
from typing import Any, TypeAlias

from langgraph.store.base import Op, PutOp, Result, SearchOp

from memferry.client.steps import Flow
from memferry.integrations.langgraph.batches import Batch, read_query
from memferry.integrations.langgraph.items import ItemPut
from memferry.integrations.langgraph.key_locks import KeyLocks
from memferry.integrations.langgraph.operations import StoreOperations
from memferry.integrations.langgraph.vector_index import Embedded

_Embedding: TypeAlias = asyncio.Task[Embedded]
# More do not come back sooner, and other programs of the tenant wait for them.
_FLOWS_AT_ONCE = 8


class Rounds:
    """Runs batches of coroutines: those that come together as one, with few requests at once."""

    def __init__(
        self,
        operations: StoreOperations,
        run: Callable[[Flow[Any]], Awaitable[Any]],
        embed: Callable[[Batch], Coroutine[Any, Any, Embedded]],
    ) -> None:
        self._operations = operations
        self._run = run
        self._embed = embed
        self._turns = asyncio.Semaphore(_FLOWS_AT_ONCE)
        self._locks = KeyLocks(asyncio.Lock)
        self._next: _Round | None = None

    async def run(self, batch: Batch) -> list[Result]:
        """Run a batch in the next round; raises its first fault once all of it has ended."""
        if self._next is None:
            self._next = _Round()
            self._next.start = asyncio.create_task(self._start(self._next))
        own_round = self._next
        own_round.add(batch)
        # A caller that is cancelled ends its wait, and not what others wait for, too.
        await asyncio.wait([own_round.start])
        if tasks := list(map(own_round.find_task, batch.operations)):
            await asyncio.wait(tasks)
        return list(map(own_round.take_result, batch.operations, tasks))

    async def _start(self, own_round: "_Round") -> None:
        """Start the tasks of a round; what is asked for from now on belongs to the next one."""
        self._next = None
        batch = Batch(list(own_round.reads.values()), list(own_round.puts.values()))
        embedding = asyncio.create_task(self._embed(batch))
        for key, operation in own_round.reads.items():
            own_round.tasks[key] = asyncio.create_task(self._read(operation, embedding))
        reads = asyncio.gather(*own_round.tasks.values(), return_exceptions=True)
        for name, item_put in own_round.puts.items():
            own_round.tasks[name] = asyncio.create_task(self._put(item_put, embedding, reads))

    async def _read(self, operation: Op, embedding: _Embedding) -> Result:
        searches = isinstance(operation, SearchOp) and bool(read_query(operation))
        embedded = await embedding if searches else Embedded()
        async with self._turns:
            result: Result = await self._run(self._operations.read(operation, embedded))
            return result

    async def _put(
        self, item_put: ItemPut, embedding: _Embedding, reads: asyncio.Future[Any]
    ) -> None:
        embedded = Embedded() if item_put.texts is None else await embedding
        await asyncio.shield(reads)
        async with self._locks.find(item_put.name), self._turns:
            await self._run(self._operations.put(item_put, embedded))


class _Round:
    """The operations of a round by what is the same of them, and their tasks once it has begun."""

    start: asyncio.Task[None]

    def __init__(self) -> None:
        self.reads: dict[str, Op] = {}
        self.puts: dict[tuple[tuple[str, ...], str], ItemPut] = {}
        self.tasks: dict[Any, asyncio.Task[Any]] = {}
        self._readers = Counter[str]()

    def add(self, batch: Batch) -> None:
        """Add a batch; its puts count instead of earlier ones of their keys."""
        reads = [op for op in batch.operations if not isinstance(op, PutOp)]
        self.reads |= {repr(operation): operation for operation in reads}
        self._readers.update(map(repr, reads))
        self.puts |= {item_put.name: item_put for item_put in batch.puts}

    def find_task(self, operation: Op) -> asyncio.Task[Any]:
        """Find the task that runs an operation."""
        if isinstance(operation, PutOp):
            return self.tasks[operation.namespace, operation.key]
        return self.tasks[repr(operation)]

    def take_result(self, operation: Op, task: asyncio.Task[Any]) -> Result:
        """Take the result of a task that has ended; no two readers share a value."""
        result: Result = task.result()
        return deepcopy(result) if self._readers[repr(operation)] > 1 else result
