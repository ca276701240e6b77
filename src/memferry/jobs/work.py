"""What a type of job brings along, and what it is given while it works."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from memferry.database.pool import Connection
from memferry.errors import MemferryError
from memferry.model.job import Claim, Job, JobProgress, Result

Faults: TypeAlias = tuple[type[MemferryError], ...]


@dataclass(frozen=True, kw_only=True)
class SealedResult(Result):
    """A result with something to write in the transaction that publishes it."""

    publication: Callable[[Connection], AbstractAsyncContextManager[int | None]]
    """Entered in that transaction before the row of the job is changed, and left after.

    It yields when the job counts as completed, in epoch ms; None: now. If the lease was lost, the
    block raises LeaseLost and the transaction is rolled back. It may be entered again.
    """


class Watch(Protocol):
    """What an attempt at a job has of its lease."""

    def observe(
        self,
        progress: Callable[[], JobProgress],
        interrupt: Callable[[MemferryError], None],
        checks: Sequence[Callable[[], None]] = (),
    ) -> None:
        """From now on renewals carry the progress, and what must end the work interrupts it.

        A check raises what is to end the work; each is called with every renewal.
        """

    def check(self) -> None:
        """Raises LeaseLost, or what a check raises."""

    async def confirm(self) -> None:
        """Renew now, then check: the last word before something is published."""


class Work(Protocol):
    """A type of job. A worker is given one of each type it works on."""

    @property
    def type(self) -> str:
        """Its name, in the table and at the beginning of its events, such as `export`."""

    @property
    def needs(self) -> frozenset[str]:
        """All words that this version understands of what a job of this type may need."""

    @property
    def final_faults(self) -> Faults:
        """Faults that every further attempt would meet again."""

    async def run(self, claim: Claim, job: Job, watch: Watch) -> Result | None:
        """One attempt, up to what is to be published; None: it has ended the job itself.

        A job whose result lies in the database ends in the transaction of the result (`end.py`).
        Raises Invalid for a job that only another version understands, and MemferryError.
        """

    async def undo(self, claim: Claim) -> None:
        """Remove what an attempt wrote that may not be published any more."""


class Fitness(Protocol):
    """Whether a worker is fit to take jobs."""

    async def may_work(self) -> bool:
        """Whether jobs are this worker's to do, and not another's."""
