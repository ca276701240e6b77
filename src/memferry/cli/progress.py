"""Progress as bars on standard error, if that is a terminal."""

from typing import Self

from rich.filesize import decimal
from rich.progress import BarColumn, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.text import Text

from memferry.cli.console import make_console
from memferry.client.progress import Progress


class ProgressBars:
    """A context manager that shows one bar for each step of an export or import."""

    def __init__(self) -> None:
        console = make_console(stderr=True)
        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=14),
            TextColumn("{task.fields[shown]}", markup=False),
            _RateColumn(),
            TimeRemainingColumn(compact=True),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self._bars.stop()

    def show(self, progress: Progress) -> None:
        """Move the bar of this step."""
        if progress.step not in self._tasks:
            count = _count_rows if progress.step in {"exporting", "importing"} else decimal
            self._tasks[progress.step] = self._bars.add_task(
                progress.step, total=None, shown="", count=count
            )
        self._bars.update(
            self._tasks[progress.step],
            # The bar of an export without rows is full, too; one without a total moves to and fro.
            completed=1 if progress.total == 0 else progress.done,
            total=1 if progress.total == 0 else progress.total,
            shown=_describe(progress),
        )


class _RateColumn(ProgressColumn):
    """How much is done in a second."""

    def render(self, task: Task) -> Text:
        """The rate, once it is known."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{task.fields['count'](int(speed))}/s")


def _count_rows(number: int) -> str:
    return f"{number:,}"


def _describe(progress: Progress) -> str:
    if progress.step == "exporting":
        return f"{progress.done:,} of {progress.total:,}"
    if progress.step == "importing":
        return f"{progress.done:,} records"
    return decimal(progress.done)
