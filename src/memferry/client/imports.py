"""Imports: send a file, look the import up, wait until it has ended."""

import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar, Unpack, cast

from memferry.client.calls import Call, make_path
from memferry.client.decrypt import read_identities
from memferry.client.flows import choose_limit, iterate_pages, read_answer, send
from memferry.client.input_files import Input, find_files
from memferry.client.methods import Asynchronous, FlowMethod, ListingMethod, Synchronous
from memferry.client.options import ImportArguments, make_params
from memferry.client.progress import Progress, Report, ignore_progress
from memferry.client.steps import Flow, Listing, PauseStep, UploadStep
from memferry.errors import ImportNotCompleted
from memferry.wire.imports import ImportAnswer, ImportPage, ImportReport

_Handle = TypeVar("_Handle")
_FIRST_POLL_SECONDS, _LONGEST_POLL_SECONDS = 0.1, 1.0


class ImportHandleMethods(Generic[_Handle]):
    """One import; `answer` is what the service said of it last."""

    def __init__(self, connection: Any, answer: ImportAnswer) -> None:
        self.connection = connection
        self.answer = answer

    @property
    def id(self) -> str:
        """Its id, by which `client.imports.get` finds it."""
        return self.answer.id

    @property
    def report(self) -> ImportReport:
        """What became of every record; raises ImportNotCompleted before it has ended."""
        if self.answer.report is None:
            text = f"import {self.id} is {self.answer.status}: it has no report"
            raise ImportNotCompleted(text)
        return self.answer.report

    @FlowMethod
    def refresh(self) -> Flow[_Handle]:
        """Ask the service anew.

        >>> client.imports.from_file(folder / "rows.ndjson").wait().refresh().answer.status
        'completed'
        """
        self.answer = yield from _get_import(self.id)
        return cast(_Handle, self)

    @FlowMethod
    def wait(
        self, progress: Report = ignore_progress, *, timeout: float | None = None
    ) -> Flow[_Handle]:
        """Wait until it is completed; `progress` is called with what is done. Seconds: `timeout`.

        Raises ImportNotCompleted if it ends otherwise, or not in time; `report` then may say why.

        >>> job = client.imports.from_file(folder / "rows.ndjson").wait()
        >>> job.report.read, job.report.rejected
        (2, 0)
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = _FIRST_POLL_SECONDS
        while self.answer.status in {"pending", "running"}:
            progress(Progress("importing", self.answer.rows_done, None))
            if deadline is not None and time.monotonic() >= deadline:
                raise ImportNotCompleted(f"import {self.id} is still {self.answer.status}")
            yield PauseStep(pause)
            pause = min(pause * 1.5, _LONGEST_POLL_SECONDS)
            self.answer = yield from _get_import(self.id)
        if self.answer.report is not None:
            read = self.answer.report.read
            progress(Progress("importing", read, read))
        if self.answer.status != "completed":
            raise ImportNotCompleted(_describe_end(self.answer))
        return cast(_Handle, self)

    @FlowMethod
    def delete(self) -> Flow[None]:
        """Cancel it if it is not finished, which leaves nothing; else forget it.

        >>> client.imports.from_file(folder / "rows.ndjson").wait().delete()
        """
        return send(Call("DELETE", make_path("memories", "imports", self.id)), type(None))


class ImportHandle(ImportHandleMethods["ImportHandle"], Synchronous):
    """One import of a Client."""


class AsyncImportHandle(ImportHandleMethods["AsyncImportHandle"], Asynchronous):
    """One import of an AsyncClient."""


class ImportMethods(Generic[_Handle]):
    """Everything below /api/memories/imports."""

    @FlowMethod
    def from_file(
        self,
        *paths: Path | str,
        progress: Report = ignore_progress,
        **options: Unpack[ImportArguments],
    ) -> Flow[_Handle]:
        """Send files and folders as one import; encrypted ones are decrypted here by `identities`.

        With `dry_run` the report says what would be, and nothing is saved. It is sent once. Raises
        WrongKey, and Invalid for what cannot be read.

        >>> job = client.imports.from_file(folder / "rows.ndjson", dry_run=True).wait()
        >>> job.report.read
        2
        """
        keys = options.pop("identities", None)
        if isinstance(keys, Path | str):
            keys = read_identities(Path(keys))
        return self._send(find_files([Path(path) for path in paths], keys), options, progress)

    @FlowMethod
    def send(
        self,
        input_: Input,
        progress: Report = ignore_progress,
        **options: Unpack[ImportArguments],
    ) -> Flow[_Handle]:
        """Send what `find_files` has found; otherwise as `from_file`.

        >>> from memferry.client.input_files import find_files
        >>> input_ = find_files([folder / "rows.ndjson"])
        >>> client.imports.send(input_, dry_run=True).wait().report.read
        2
        """
        return self._send(input_, options, progress)

    @FlowMethod
    def get(self, import_id: str) -> Flow[_Handle]:
        """Look up an import by its id; raises ImportNotFound.

        >>> job = client.imports.from_file(folder / "rows.ndjson")
        >>> client.imports.get(job.id).wait().answer.options.name
        'rows.ndjson'
        """
        return self._find(import_id)

    @ListingMethod
    def list(self, *, limit: int | None = None) -> Listing[ImportAnswer]:
        """Hand out imports with their reports, newest first.

        >>> job = client.imports.from_file(folder / "rows.ndjson")
        >>> next(client.imports.list()).id == job.id
        True
        """
        params = make_params({"limit": choose_limit(limit)})
        call = Call("GET", make_path("memories", "imports"), params=params)
        return iterate_pages(call, ImportPage, lambda page: page.imports, limit)

    def _send(self, input_: Input, options: Mapping[str, Any], report: Report) -> Flow[_Handle]:
        path, headers = make_path("memories", "imports"), _describe_body(input_)
        params = make_params({"name": input_.name, **options})
        call = Call("POST", path, params=params, more_headers=headers)
        answer = yield UploadStep(call, _watch(input_, report))
        return self._hand_out(read_answer(answer, ImportAnswer))

    def _find(self, import_id: str) -> Flow[_Handle]:
        return self._hand_out((yield from _get_import(import_id)))

    @abstractmethod
    def _hand_out(self, answer: ImportAnswer) -> _Handle: ...


class ImportClient(ImportMethods[ImportHandle], Synchronous):
    """`client.imports`."""

    def _hand_out(self, answer: ImportAnswer) -> ImportHandle:
        return ImportHandle(self.connection, answer)


class AsyncImportClient(ImportMethods[AsyncImportHandle], Asynchronous):
    """`client.imports` of an AsyncClient."""

    def _hand_out(self, answer: ImportAnswer) -> AsyncImportHandle:
        return AsyncImportHandle(self.connection, answer)


def _get_import(import_id: str) -> Flow[ImportAnswer]:
    return send(Call("GET", make_path("memories", "imports", import_id)), ImportAnswer)


def _describe_body(input_: Input) -> Mapping[str, str]:
    """The headers of a file; with its size the service can refuse it before it comes."""
    headers = {"Content-Type": "application/octet-stream"}
    if input_.size_bytes is not None:
        headers["Content-Length"] = str(input_.size_bytes)
    return headers


def _watch(input_: Input, report: Report) -> Iterator[bytes]:
    """The chunks of a file, with the progress of their sending."""
    sent = 0
    for chunk in input_.iterate_chunks():
        yield chunk
        sent += len(chunk)
        report(Progress("uploading", sent, input_.size_bytes))
    report(Progress("uploading", sent, sent))


def _describe_end(job: ImportAnswer) -> str:
    text = f"import {job.id} {job.status}"
    return text if job.error is None else f"{text}: {job.error}"
