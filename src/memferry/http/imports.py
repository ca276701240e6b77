"""The import endpoints: take a file as it comes, call one verb, show the result."""

from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from memferry.errors import TooLarge
from memferry.http.auth import Access
from memferry.http.bodies import hold_memory
from memferry.http.forms import MULTIPART, FormArchive
from memferry.http.paging import CURSOR, Pages, link_next
from memferry.http.parameters import list_field, query_field
from memferry.http.reading import (
    Query,
    get_caller,
    read_flag,
    read_number,
    read_query,
    read_texts,
)
from memferry.http.routing import Operation
from memferry.http.views import answer_json
from memferry.imports.request import ImportRequest
from memferry.imports.service import Imports
from memferry.imports.uploads import IncomingFile
from memferry.model.cursor import ExportId, TimeMs
from memferry.model.import_job import Import
from memferry.model.job import UNFINISHED
from memferry.wire.imports import ImportAnswer, ImportOptions, ImportPage, ImportReport

IMPORT_PATH = "/api/memories/imports"
UNWRAPPED_FILES = 100
"""So few are read as if each was sent by itself: an archive among them may hold another one."""
PAGES = Pages(listing=("imports",), kinds=(TimeMs, ExportId))
"""The order of their list."""
_LIST_QUERY = (query_field("limit", "integer", "100 unless given, held within 1 to 500"), CURSOR)
_OPTIONS = (
    query_field("format", "string", "the name of a source; unless given, the content tells"),
    query_field("namespace", "string", "where all records go; unless given, where they were"),
    list_field("tags", "added to each record; repeat it for more, or a JSON array"),
    query_field(
        "conflict",
        "string",
        "what becomes of a record whose memory is there and differs: `skip` (unless given), "
        "`overwrite`, or `new_ids`, which gives every record an id of its own",
    ),
    query_field(
        "on_error",
        "string",
        "`abort` (unless given): one bad record, and nothing is imported; `skip` keeps the others",
    ),
    query_field("dry_run", "boolean", "do everything but save; the report says what would be"),
    query_field("timezone", "string", "the IANA zone of times that have none; UTC unless given"),
    query_field(
        "per", "string", "chats: one memory per `message` (unless given) or `conversation`"
    ),
    query_field("branches", "boolean", "chats: also what was edited away, with the tag `branch`"),
    query_field(
        "folders",
        "string",
        "Markdown: a folder becomes a `tag` (unless given), the `namespace`, `none`",
    ),
    query_field("name", "string", "the file's name, for the report"),
)
_ACCESS = Access(("memories:write",))
_report = msgspec.json.Decoder(ImportReport)
_options = msgspec.json.Decoder(ImportOptions)
_operation = partial(Operation, tag="imports", access=_ACCESS)


class ImportEndpoints:
    """Everything below /api/memories/imports."""

    def __init__(self, imports: Imports, *, most_bytes: int) -> None:
        """A file that says it is larger than `most_bytes` is refused before it comes."""
        self._imports = imports
        self._most_bytes = most_bytes

    def operations(self) -> list[Operation]:
        """All addresses of imports."""
        base, one = IMPORT_PATH, f"{IMPORT_PATH}/{{import_id}}"
        return [
            _operation(
                f"POST {base}", self.create_import, ImportAnswer, status=201, errors=(413,),
                body=bytes, parameters=_OPTIONS,
            ),
            _operation(f"GET {base}", self.list_imports, ImportPage, parameters=_LIST_QUERY),
            _operation(f"GET {one}", self.get_import, ImportAnswer, errors=(404,)),
            _operation(f"DELETE {one}", self.delete_import, status=204, errors=(404,)),
        ]  # fmt: skip

    async def create_import(self, request: Request) -> Response:
        """Import a file: the body is the file, or a multipart form with one or more files.

        It is read by a worker; the report tells what became of every record.
        """
        options = _read_options(read_query(request))
        announced = request.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > self._most_bytes:
            raise TooLarge("file", self._most_bytes)
        await hold_memory(request, self._imports.upload_bytes)
        job = await self._imports.create(get_caller(request), options, _read_file(request))
        return _answer_import(job, 201)

    async def list_imports(self, request: Request) -> Response:
        """The most recent imports with their reports, newest first."""
        query = read_query(request)
        limit = read_number(query.get("limit"), 100, least=1, most=500)
        jobs = await self._imports.list_newest(
            get_caller(request), limit=limit + 1, place=PAGES.read_place(query)
        )
        cursor = PAGES.make_cursor([(job.created_at, job.id) for job in jobs], limit)
        page = ImportPage(imports=[show_import(job) for job in jobs[:limit]], next_cursor=cursor)
        return answer_json(page, headers=link_next(request, cursor))

    async def get_import(self, request: Request, import_id: str) -> Response:
        """One import, with its report once it has ended."""
        return _answer_import(await self._imports.get(get_caller(request), import_id), 200)

    async def delete_import(self, request: Request, import_id: str) -> Response:
        """Cancel an import that is not finished, which leaves nothing; forget a finished one."""
        await self._imports.delete(get_caller(request), import_id)
        return Response(status_code=204)


def show_import(job: Import) -> ImportAnswer:
    """Render an import."""
    return ImportAnswer(
        id=job.id,
        status=job.status,
        options=_options.decode(job.request),
        row_count=job.row_count,
        rows_done=job.rows_done,
        bytes_done=job.bytes_done,
        file_bytes=job.file_bytes,
        file_sha256=job.file_sha256.hex(),
        error=job.error,
        error_code=job.error_code,
        retryable=job.retryable,
        created_at=job.created_at,
        completed_at=job.completed_at,
        report=None if job.report is None else _report.decode(job.report),
    )


def _answer_import(job: Import, status: int) -> Response:
    headers = {"Location": f"{IMPORT_PATH}/{job.id}"}
    if job.status in UNFINISHED:
        headers["Retry-After"] = "1"
    return answer_json(show_import(job), status, headers)


def _read_options(query: Query) -> ImportRequest:
    texts: dict[str, Any] = {
        name: value
        for name in (
            "format",
            "namespace",
            "conflict",
            "on_error",
            "timezone",
            "per",
            "folders",
            "name",
        )
        if (value := query.get(name))
    }
    return ImportRequest(
        **texts,
        tags=tuple(read_texts("tags", query.all("tags")) or ()),
        dry_run=read_flag(query, "dry_run"),
        branches=read_flag(query, "branches"),
    )


def _read_file(request: Request) -> IncomingFile:
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != MULTIPART:
        return IncomingFile(request.stream())
    form = FormArchive(content_type, request.stream())
    return IncomingFile(form, lambda: form.files <= UNWRAPPED_FILES)
