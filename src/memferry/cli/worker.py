"""`memferry worker`: one more worker, anywhere that reaches the same database and store."""

import asyncio
import os
import signal
from typing import Annotated

import typer

from memferry.cli.options import DataDir, read_settings
from memferry.open_files import raise_open_files_limit
from memferry.settings import Settings

app = typer.Typer()


@app.command()
def worker(
    data_dir: DataDir = None,
    supervised: Annotated[
        bool, typer.Option("--supervised", hidden=True, help="End when standard input ends.")
    ] = False,
) -> None:
    """Run queued jobs, deliver webhooks and sweep, until SIGTERM or Ctrl-C; twice to hurry."""
    from memferry.cli.context import run

    raise_open_files_limit()
    run(_work(read_settings(data_dir), supervised=supervised))


async def _work(settings: Settings, *, supervised: bool) -> None:
    from memferry.worker.run import Stop
    from memferry.worker_process import run_worker

    stop = Stop()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.ask)
    if supervised:
        # The other end of this pipe closes when the supervisor dies, however it dies.
        os.set_blocking(0, False)
        loop.add_reader(0, lambda: None if os.read(0, 1) else stop.requested.set())
    await run_worker(settings, stop)
