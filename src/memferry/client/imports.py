"""Imports of one service: send a file, look the import up, wait until it has ended."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from memferry.client.calls import Call
from memferry.client.client import Client
from memferry.client.decrypt import Identities
from memferry.client.input_files import Input, find_files
from memferry.client.progress import Progress, Report, ignore_progress
from memferry.wire.imports import ImportAnswer

_PATH = "/api/memories/imports"
_POLL_SECONDS = 0.25


class Imports:
    """The imports of the client's tenant; `report` is told the progress of what takes long."""

    def __init__(self, client: Client, report: Report = ignore_progress) -> None:
        self.client = client
        self.report = report

    def create(
        self, *paths: Path, identities: Identities | None = None, **options: object
    ) -> ImportAnswer:
        """Import files and folders; the options are those of the API (docs/imports.md).

        Raises Invalid for what cannot be read, WrongKey, and as `Client.call`.
        """
        return self.send(find_files(paths, identities), options)

    def send(self, input_: Input, options: Mapping[str, object]) -> ImportAnswer:
        """Import what was found; raises as `create`."""
        params = {"name": input_.name, **{name: _show(value) for name, value in options.items()}}
        return self.client.upload(
            _PATH,
            self._watch(input_),
            ImportAnswer,
            params={name: value for name, value in params.items() if value},
            size_bytes=input_.size_bytes,
        )

    def get(self, import_id: str) -> ImportAnswer:
        """Look up an import, with its report once it has ended."""
        return self.client.call(Call("GET", f"{_PATH}/{quote(import_id, safe='')}"), ImportAnswer)

    def cancel(self, import_id: str) -> None:
        """Cancel an import that is not finished, which leaves nothing; forget a finished one."""
        self.client.call(Call("DELETE", f"{_PATH}/{quote(import_id, safe='')}"), type(None))

    def wait(self, job: ImportAnswer) -> ImportAnswer:
        """Wait until an import has ended, however it has."""
        while job.status in {"pending", "running"}:
            self.report(Progress("importing", job.rows_done, None))
            time.sleep(_POLL_SECONDS)
            job = self.get(job.id)
        if job.report is not None:
            self.report(Progress("importing", job.report.read, job.report.read))
        return job

    def _watch(self, input_: Input) -> Iterator[bytes]:
        """The chunks of a file, with the progress of their sending."""
        sent = 0
        for chunk in input_.iterate_chunks():
            yield chunk
            sent += len(chunk)
            self.report(Progress("uploading", sent, input_.size_bytes))
        self.report(Progress("uploading", sent, sent))


def _show(value: object) -> str | Sequence[str]:
    """The value of an option as a query string has it; empty: not given."""
    if value is None or value is False:
        return ""
    if value is True:
        return "true"
    return [str(item) for item in value] if isinstance(value, list | tuple) else str(value)
