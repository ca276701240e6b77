"""The whole life of exports, with every fault a seed can think of, in virtual time.

A run that fails names its seed; `pytest -x tests/test_simulation.py --seed N` begins with that one.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any, cast
from uuid import UUID

import pytest

from memferry.errors import DatabaseUnavailable, MemferryError, StorageUnavailable, Unavailable
from memferry.exports.read.snapshot import Reader
from memferry.exports.work import ExportWork
from memferry.jobs.attempt import Attempts
from memferry.jobs.sweep import JobSweep
from memferry.model.job import UNFINISHED, object_prefix, qualify_needs
from memferry.model.token import Caller
from memferry.settings import ExportSettings, Quotas, WorkerSettings
from memferry.storage import remove_prefix
from simulation.simulated import Chance, Process, Server, VirtualLoop
from simulation.simulated_jobs import Row, SimulatedQueue, database_lost
from simulation.simulated_judge import (
    EPOCH_SECONDS,
    FOREIGN,
    LEASE_SECONDS,
    POLICY,
    REASONS,
    SNAPSHOT_SECONDS,
    Judge,
)
from simulation.simulated_reader import SimulatedReader
from simulation.simulated_store import SimulatedStorage, store_lost

pytestmark = pytest.mark.faults

Tick = Callable[[], Coroutine[Any, Any, bool]]
Role = Callable[[Process], Coroutine[Any, Any, None]]

PARTS = 20
LIFETIMES = (5.0, 10_000.0, 10_000.0)
NEVER_SECONDS = 600
REQUEST = '{"format":"ndjson","filters":{"namespace":"%d"}}'
"""What an export asks for."""


class World:
    """Workers, sweepers and clients around one database and one store, all out of one seed."""

    def __init__(self, seed: int, loop: VirtualLoop) -> None:
        self.chance = Chance(seed)
        self.judge = Judge(lambda: EPOCH_SECONDS + loop.time(), self.chance)
        self.judge.store.objects |= dict.fromkeys(FOREIGN, b"not ours")
        self._database = Server(self.chance, database_lost)
        self._store = Server(self.chance, store_lost)
        self._lifetime = self.chance.choice(LIFETIMES)
        self._over = False
        loop.set_exception_handler(self._note_unexpected)

    async def live(self) -> None:
        """Let everything happen, then nothing bad any more; and look at what is left."""
        chance = self.chance
        clients = [
            asyncio.create_task(self._client(number)) for number in range(chance.randint(1, 5))
        ]
        others = [
            asyncio.create_task(self._replace_dead(f"worker {number}", self._worker))
            for number in range(chance.randint(2, 4))
        ] + [
            asyncio.create_task(self._replace_dead(f"sweeper {number}", self._sweeper))
            for number in range(chance.randint(1, 2))
        ]
        await asyncio.sleep(chance.uniform(5, 25))
        chance.calm = True
        await asyncio.wait(clients)
        await self._quiet()
        self._over = True
        _, hanging = await asyncio.wait(others, timeout=NEVER_SECONDS)
        self.judge.expect(not hanging, "everything comes to an end", hanging)
        await asyncio.sleep(NEVER_SECONDS)  # what was sent long ago has arrived by then
        await self._make_sweep(Process("the last sweeper", chance)).run()
        self.judge.verdict()

    async def _quiet(self) -> None:
        """Wait until every export is over, though not for ever."""
        for _ in range(NEVER_SECONDS):
            if all(row.status not in UNFINISHED for row in self.judge.table.rows.values()):
                return
            await asyncio.sleep(1)

    def _open_queue(self, process: Process) -> SimulatedQueue:
        return SimulatedQueue(
            process, self._database, self.judge.table, lease_seconds=LEASE_SECONDS
        )

    def _open_storage(self, process: Process) -> SimulatedStorage:
        return SimulatedStorage(process, self._store, self.judge.store, self.chance, self.judge)

    async def _replace_dead(self, name: str, role: Role) -> None:
        """Start another process each time one has ended."""
        number = 0
        while not self._over:
            number += 1
            await self._process(Process(f"{name}.{number}", self.chance), role)
            await asyncio.sleep(self.chance.uniform(0, 2))

    async def _process(self, process: Process, role: Role) -> None:
        self.judge.processes[process.name] = process
        process.main = asyncio.create_task(role(process))
        await asyncio.wait([process.main])
        if process.main.cancelled():
            self.judge.seen["killed" if process.dead else "stopped"] += 1
            self.judge.stops(process)

    async def _worker(self, process: Process) -> None:
        reader = SimulatedReader(process, self._database, self.judge.table)
        work = ExportWork(
            cast(Reader, reader),
            self._open_storage(process),
            ExportSettings(lifetime_seconds=self._lifetime),
            WorkerSettings(snapshot_seconds=SNAPSHOT_SECONDS),
            Quotas(export_bytes=2**63),
        )
        attempts = Attempts(
            self._open_queue(process),
            {work.type: work},
            worker=process.name,
            lease_seconds=LEASE_SECONDS,
            policy=POLICY,
        )
        await self._repeat(process, attempts.tick, 3)

    async def _sweeper(self, process: Process) -> None:
        async def tick() -> bool:
            await self._make_sweep(process).run()
            return False

        await self._repeat(process, tick, 8)

    def _make_sweep(self, process: Process) -> JobSweep:
        return JobSweep(self._open_queue(process), self._open_storage(process))

    async def _repeat(self, process: Process, tick: Tick, seconds: float) -> None:
        while not self._over:
            process.claim, process.disturbed, busy = None, False, False
            with suppress(Unavailable):
                busy = await tick()
            self.judge.leaves(process)
            process.claim = None
            if not busy:
                await asyncio.sleep(self.chance.uniform(seconds / 2, seconds))

    async def _client(self, number: int) -> None:
        """Ask for one export; perhaps cancel it, or delete it, or first one and then the other."""
        chance = self.chance
        await asyncio.sleep(chance.uniform(0, 8))
        row = Row(
            tenant_id=UUID(int=number % 2),
            id=f"{number:026d}",
            created_at=EPOCH_SECONDS + asyncio.get_running_loop().time(),
            request=REQUEST % chance.randrange(100),
            needs=qualify_needs("export", ["format ndjson", "filter namespace"]),
            row_count=chance.randrange(10),
        )
        self.judge.table.add(row)
        for _ in range(chance.choice((0, 0, 1, 2))):
            await asyncio.sleep(chance.uniform(0, 8))
            await self._process(
                Process("client", chance), lambda process: self._delete(process, row)
            )

    async def _delete(self, process: Process, row: Row) -> None:
        caller = Caller(tenant_id=row.tenant_id)
        with suppress(DatabaseUnavailable):
            if await self._open_queue(process).end(caller, row.type, row.id):
                with suppress(StorageUnavailable):
                    prefix = object_prefix(row.tenant_id, row.id)
                    await remove_prefix(self._open_storage(process), prefix)

    def _note_unexpected(self, _loop: object, context: dict[str, Any]) -> None:
        self.judge.expect(not context, "no fault goes unseen", context)


def run(seed: int) -> Judge:
    """Live one world to its end; what its judge has seen."""
    loop = VirtualLoop()
    before = random.getstate()
    random.seed(seed)
    try:
        world = World(seed, loop)
        loop.run_until_complete(world.live())
        _stop_all(loop)
        loop.run_until_complete(loop.shutdown_asyncgens())
        faults = [repr(fault) for fault in loop.faults() if not isinstance(fault, MemferryError)]
        world.judge.expect(not faults, "no task ends with a fault", faults)
        return world.judge
    finally:
        random.setstate(before)
        _stop_all(loop)
        loop.close()


def _stop_all(loop: VirtualLoop) -> None:
    """Stop what still runs because a promise was broken."""
    running = asyncio.all_tasks(loop)
    for task in running:
        task.cancel()
    if running:
        loop.run_until_complete(asyncio.wait(running, timeout=NEVER_SECONDS))


def simulate(seed: int) -> Judge:
    """Live one world; raises if any promise was broken in it."""
    try:
        judge = run(seed)
    except Exception as fault:
        raise AssertionError(_tell_how_to_repeat(seed)) from fault
    if judge.broken:
        raise AssertionError("\n".join([_tell_how_to_repeat(seed), *judge.broken]))
    return judge


def _tell_how_to_repeat(seed: int) -> str:
    return f"seed {seed}; repeat with: pytest -x tests/test_simulation.py --seed {seed}"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Faults are the rule here: nobody reads what is logged of them."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_accepted_export_ends_complete_or_with_an_error(
    part: int, seed: int, *, full: bool
) -> None:
    seeds = (100_000 if full else 2_000) // PARTS
    for number in range(seed + part * seeds, seed + (part + 1) * seeds):
        simulate(number)


def test_a_seed_repeats_its_run_to_the_last_step(seed: int) -> None:
    assert [run(seed).history, run(seed + 1).history] == [
        run(seed).history,
        run(seed + 1).history,
    ]


def test_a_few_seeds_reach_every_end_and_every_way_to_fail() -> None:
    seen = sum((simulate(seed).seen for seed in range(300)), Counter[str]())

    ends = {"completed", "failed", "cancelled", "expired", "killed", "stopped", "handed back"}
    assert ends | REASONS <= seen.keys()
