"""Times two ways of doing the same thing in turn, and says how they compare."""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


class LeftOut(Exception):
    """A case cannot run here; the message says why, and stands in the table."""


def _do_nothing() -> None:
    """Nothing is to be cleared away."""


@dataclass(frozen=True)
class Work:
    """Something to time, and what to clear away afterwards, untimed."""

    do: Callable[[], object]
    tidy: Callable[[], object] = _do_nothing


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the table: the values of all rounds, and the goal for their median."""

    case: str
    against: str
    values: Sequence[float] = ()
    """One per round: a ratio unless `unit` says otherwise."""
    unit: str = "x"
    goal: float | None = None
    ours: Sequence[float] = ()
    theirs: Sequence[float] = ()
    measured: str = "s"
    """What `ours` and `theirs` count."""
    note: str = ""
    left_out: str = ""
    failed: str = ""

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None where there is none, or nothing was measured."""
        if self.goal is None or not self.values:
            return None
        return self.median <= self.goal


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What a case is called, what it is compared with, and the largest ratio that is good."""

    case: str
    against: str
    most: float | None = None
    note: str = ""


def seconds(work: Work) -> float:
    """How long it takes once. What was written before is flushed first: each pays for its own."""
    os.sync()
    started = time.perf_counter()
    work.do()
    taken = time.perf_counter() - started
    work.tidy()
    return taken


def compare(goal: Goal, ours: Work, theirs: Work, rounds: int) -> Line:
    """Both in turn, after one warm-up of each; a round's value is the ratio of its two times."""
    seconds(ours)
    seconds(theirs)
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    return line(goal, pairs)


def line(
    goal: Goal, pairs: Sequence[tuple[float, float]], measured: str = "s", note: str = ""
) -> Line:
    """The line of pairs that were measured in turn."""
    return Line(
        case=goal.case,
        against=goal.against,
        values=[ours / theirs for ours, theirs in pairs],
        goal=goal.most,
        ours=[ours for ours, _ in pairs],
        theirs=[theirs for _, theirs in pairs],
        measured=measured,
        note=note or goal.note,
    )


def times(count: int, work: Callable[[], object]) -> Work:
    """The same thing several times in a row: once would be too short to time."""

    def do() -> None:
        for _ in range(count):
            work()

    return Work(do)
