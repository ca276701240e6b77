"""Sending files to the service to be imported, with progress, and the report at the end."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from memferry.cli.console import make_console, show_name
from memferry.cli.options import read_settings
from memferry.cli.progress import ProgressBars
from memferry.client.client import Client
from memferry.client.decrypt import read_identities
from memferry.client.imports import Imports
from memferry.client.input_files import Input, find_files
from memferry.errors import Invalid, Misconfigured, ServiceRefused
from memferry.wire.imports import Counts, ImportAnswer, ImportReport

_SHOWN = 20
_console = make_console()


def send(paths: Sequence[Path], identity: Path | None, options: Mapping[str, object]) -> bool:
    """Import files as the environment's tenant, and print the report; answers whether all is well.

    Raises ClientError, Invalid, or Misconfigured where the environment holds no token.
    """
    settings = read_settings().client
    with _name_options():
        input_ = find_files(paths, None if identity is None else read_identities(identity))
        if settings.token is None:
            raise Misconfigured("MEMFERRY_TOKEN is not set; make one with: memferry token create")
        with Client(settings.url, settings.token) as client:
            job = _import(client, input_, options)
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


def _import(client: Client, input_: Input, options: Mapping[str, object]) -> ImportAnswer:
    with ProgressBars() as bars:
        imports = Imports(client, bars.show)
        job = imports.send(input_, options)
        try:
            return imports.wait(job)
        except KeyboardInterrupt:
            return _cancel(imports, job)


def _cancel(imports: Imports, job: ImportAnswer) -> ImportAnswer:
    """Cancel an import; one that is gone after that was completed a moment before."""
    imports.cancel(job.id)
    with suppress(ServiceRefused):
        return imports.get(job.id)
    raise KeyboardInterrupt


def _print_end(job: ImportAnswer, input_: Input) -> None:
    dry = "dry run, " if job.options.dry_run else ""
    _print(f"import {job.id}: {dry}{job.status}")
    if job.error is not None:
        _print(job.error)
    if input_.skipped:
        _print(f"not sent: {input_.skipped:,} links and hidden files")
    if job.report is not None:
        _print_report(job.report)


def _print_report(report: ImportReport) -> None:
    sources = ", ".join(report.sources)
    records, files = _count(report.read, "record"), _count(report.files, "file")
    _print(f"{records} in {files}, read as {sources}")
    counts = {"created": report.created, "unchanged": report.unchanged, "updated": report.updated}
    _print_counts("", {**counts, **report.skipped, "rejected": report.rejected})
    _print_counts("left out: ", report.left_out)
    _print_counts("repaired: ", report.repaired)
    for rejection in report.rejections[:_SHOWN]:
        _print(f"rejected: {_locate(rejection.file, rejection.at)}{rejection.reason}")
    if report.rejected > _SHOWN:
        _print(f"rejected: … and {report.rejected - _SHOWN:,} more")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _print_counts(prefix: str, counts: Counts) -> None:
    for name, count in counts.items():
        if count:
            _print(f"  {count:>12,}  {prefix}{name}")


def _locate(file: str, at: str) -> str:
    return "".join(f"{word}: " for word in (file, at) if word)


def _print(line: str) -> None:
    _console.print(show_name(line), soft_wrap=True)
