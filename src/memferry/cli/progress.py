"""Progress as bars on standard error."""

from typing import Self

from rich.filesize import decimal
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from memferry.cli.console import make_console
from memferry.client.progress import Progress


class ProgressBars:
    """A context manager that shows one bar for each step of an export or import."""

    def __init__(self) -> None:
        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[shown]}", markup=False),
            TimeElapsedColumn(),
            console=make_console(stderr=True),
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
            self._tasks[progress.step] = self._bars.add_task(progress.step, shown="")
        self._bars.update(
            self._tasks[progress.step],
            # The bar of an export without rows is full, too; one without a total moves to and fro.
            completed=1 if progress.total == 0 else progress.done,
            total=1 if progress.total == 0 else progress.total,
            shown=_describe(progress),
        )


def _describe(progress: Progress) -> str:
    if progress.step == "exporting":
        return f"{progress.done:,} of {progress.total:,} rows"
    if progress.step == "importing":
        return f"{progress.done:,} records"
    return decimal(progress.done)
