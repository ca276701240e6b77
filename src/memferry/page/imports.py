"""Imports: files come in, a dry run says what they would do, and the same files are imported."""

from dataclasses import asdict
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from memferry.errors import Invalid, TooLarge
from memferry.http.bodies import hold_memory
from memferry.http.forms import MULTIPART, FormArchive
from memferry.http.imports import PAGES, UNWRAPPED_FILES, show_import
from memferry.http.paging import CURSOR
from memferry.http.parameters import query_field
from memferry.http.reading import get_caller, read_query
from memferry.imports.request import ImportRequest
from memferry.imports.service import Imports
from memferry.imports.uploads import IncomingFile
from memferry.model.job import UNFINISHED
from memferry.page.field_names import show_choices
from memferry.page.forms import TOKEN_FIELD, SentForm, check_form, read_form
from memferry.page.navigation import WRITE
from memferry.page.screens import Screen, find_part, redirect
from memferry.page.templates import Templates
from memferry.page.twins import write_twin
from memferry.sources import SOURCES
from memferry.wire.imports import ImportOptions

_ROWS = 50
_CHOICES = ("name", "format", "namespace", "conflict", "timezone", "per", "folders")
_FIELDS = frozenset((TOKEN_FIELD, *_CHOICES, "tags", "branches", "now"))
_WORDS = {
    "conflict": {
        "skip": "leave it as it is",
        "overwrite": "overwrite it",
        "new_ids": "add the record beside it",
    },
    "per": {
        "message": "one memory per message",
        "conversation": "one memory per conversation",
    },
    "folders": {"tag": "a tag", "namespace": "the namespace", "none": "nothing"},
}
_DONE = query_field("done", "string", "what was done before")


class ImportScreens:
    """Everything below /imports."""

    def __init__(self, templates: Templates, imports: Imports, *, most_bytes: int) -> None:
        """A file that says it is larger than `most_bytes` is refused before it comes."""
        self._templates = templates
        self._imports = imports
        self._most_bytes = most_bytes

    def screens(self) -> list[Screen]:
        """All addresses."""
        one = "/imports/{import_id}"
        return [
            Screen("GET /imports", self.list_imports, WRITE, (CURSOR, _DONE)),
            Screen("POST /imports", self.receive, WRITE),
            Screen(f"GET {one}", self.show_import, WRITE),
            Screen("POST /imports/run", self.run, WRITE),
            Screen(f"POST {one}/delete", self.delete, WRITE),
        ]

    async def list_imports(self, request: Request) -> Response:
        """The place to drop files, and the imports, newest first."""
        query = read_query(request)
        jobs = await self._imports.list_newest(
            get_caller(request), limit=_ROWS + 1, place=PAGES.read_place(query)
        )
        cursor = PAGES.make_cursor([(job.created_at, job.id) for job in jobs], _ROWS)
        return self._templates.answer(
            request,
            "import_list.html" if find_part(request) else "imports.html",
            rows=[show_import(job) for job in jobs[:_ROWS]],
            unfinished=UNFINISHED,
            is_first=not query.get("cursor"),
            here_cursor=query.get("cursor") or "",
            next=f"/imports?cursor={cursor}" if cursor else None,
            done=query.get("done"),
            most_bytes=self._most_bytes,
            sources=sorted(SOURCES.names),
            words_of=_WORDS,
            twin=write_twin("/memories/imports", limit=_ROWS, cursor=query.get("cursor")),
        )

    async def receive(self, request: Request) -> Response:
        """Take files as they come; nothing is stored before the reader has seen a dry run."""
        content_type = request.headers.get("content-type", "")
        if content_type.partition(";")[0].strip().lower() != MULTIPART:
            raise Invalid("form", "is not a multipart form")
        announced = request.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > self._most_bytes:
            raise TooLarge("file", self._most_bytes)
        archive = FormArchive(content_type, request.stream(), _FIELDS)
        form = SentForm(tuple(await archive.read_fields()))
        check_form(request, form)
        await hold_memory(request, self._imports.upload_bytes)
        file = IncomingFile(archive, lambda: archive.files <= UNWRAPPED_FILES)
        job = await self._imports.create(get_caller(request), _read_options(form), file)
        return redirect(f"/imports/{job.id}")

    async def show_import(self, request: Request, import_id: str) -> Response:
        """One import: how far it is, or what became of every record."""
        job = await self._imports.get(get_caller(request), import_id)
        shown = show_import(job)
        return self._templates.answer(
            request,
            "import_state.html" if find_part(request) else "import.html",
            job=shown,
            options=_list_options(shown.options),
            is_unfinished=job.status in UNFINISHED,
            is_kept=job.object_key is not None,
            twin=write_twin(f"/memories/imports/{job.id}"),
        )

    async def run(self, request: Request) -> Response:
        """Import the file of a dry run, without sending it again."""
        form = await read_form(request)
        await hold_memory(request, self._imports.upload_bytes)
        job = await self._imports.run_kept(
            get_caller(request),
            form.get("import_id"),
            on_error="skip" if form.has("skip") else "abort",
        )
        return redirect(f"/imports/{job.id}")

    async def delete(self, request: Request, import_id: str) -> Response:
        """Cancel an import that is not finished, which leaves nothing; forget a finished one."""
        await read_form(request)
        job = await self._imports.get(get_caller(request), import_id)
        await self._imports.delete(get_caller(request), import_id)
        if job.status in UNFINISHED:
            return redirect(f"/imports/{job.id}")
        return redirect("/imports?done=forgotten")


def _read_options(form: SentForm) -> ImportRequest:
    """Read the options; a dry run tells of all that is wrong, and keeps the file for the import."""
    texts: dict[str, Any] = {name: value for name in _CHOICES if (value := form.get(name))}
    is_dry = not form.has("now")
    tags = [tag.strip() for tag in form.get("tags").split(",")]
    return ImportRequest(
        **texts,
        tags=tuple(tag for tag in tags if tag),
        branches=form.has("branches"),
        dry_run=is_dry,
        keep_file=is_dry,
        on_error="skip" if is_dry else "abort",
    )


def _list_options(options: ImportOptions) -> list[tuple[str, Markup]]:
    """The options that were chosen, as pairs of a label and its value."""
    usual = asdict(ImportRequest()) | {"tags": []}
    chosen = {
        name: _WORDS.get(name, {}).get(str(value), value)
        for name in (*_CHOICES, "tags", "branches")
        if (value := getattr(options, name)) != usual[name]
    }
    return show_choices(chosen)
