"""Sending files to the service to be imported, with progress, and the report at the end."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from memferry.cli.connect import open_client
from memferry.cli.import_report import print_report
from memferry.cli.output import print_line, tell
from memferry.cli.progress import ProgressBars
from memferry.client.client import Client
from memferry.client.decrypt import read_identities
from memferry.client.imports import ImportHandle
from memferry.client.input_files import Input, find_files
from memferry.errors import ImportNotCompleted, ImportNotFound, Invalid
from memferry.wire.imports import ImportAnswer


def send(
    paths: Sequence[Path],
    identity: Path | None,
    options: Mapping[str, object],
    server: str | None = None,
) -> bool:
    """Import files, and print the report; answers whether all is well.

    Raises Invalid, and the errors of the service and of the client.
    """
    with _name_options():
        input_ = find_files(paths, None if identity is None else read_identities(identity))
        with open_client(server) as client:
            job = _import(client, input_, options).answer
    _print_end(job, input_)
    return job.status == "completed" and (job.report is None or job.report.rejected == 0)


@contextmanager
def _name_options() -> Iterator[None]:
    """Let errors name the option or argument instead of that of the client's function."""
    try:
        yield
    except Invalid as fault:
        field = "FILE" if fault.field == "file" else f"--{fault.field.replace('_', '-')}"
        raise Invalid(field, fault.reason) from fault


def _import(client: Client, input_: Input, options: Mapping[str, Any]) -> ImportHandle:
    with ProgressBars() as bars:
        job = client.imports.send(input_, bars.show, **options)
        try:
            with suppress(ImportNotCompleted):  # its report says why
                job.wait(bars.show)
        except KeyboardInterrupt:
            _cancel(job)
            raise
        return job


def _cancel(job: ImportHandle) -> None:
    """Cancel an import, and say so; one that is gone after that was completed a moment before."""
    job.delete()
    with suppress(ImportNotFound):
        job.refresh()
        tell(f"cancelled import {job.id}, which has left nothing")
        return
    tell(f"import {job.id} was completed a moment before")


def _print_end(job: ImportAnswer, input_: Input) -> None:
    dry = "dry run, " if job.options.dry_run else ""
    print_line(f"import {job.id}: {dry}{job.status}")
    if job.error is not None:
        print_line(job.error)
    if input_.skipped:
        print_line(f"not sent: {input_.skipped:,} links and hidden files")
    if job.report is not None:
        print_report(job.report)
