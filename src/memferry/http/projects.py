"""The endpoints of projects."""

from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from memferry.erasure.projects import ProjectErasure
from memferry.errors import ProjectNotFound
from memferry.http.answers import answer_pieces
from memferry.http.auth import Access
from memferry.http.bodies import read_body
from memferry.http.paging import CURSOR, Pages, link_next, show_cursor
from memferry.http.parameters import PURGE, query_field
from memferry.http.reading import get_caller, read_flag, read_number, read_query, require_uuid
from memferry.http.routing import Operation
from memferry.http.views import answer_text, show_purged, wrap_rows
from memferry.model import strict_json
from memferry.model.cursor import BackwardsMs, Name
from memferry.projects.service import Projects
from memferry.projects.validation import check_project_change
from memferry.wire.projects import NewProject, Project, ProjectChange, ProjectPage

_BODY_BYTES = 256 * 1024
_PAGES = Pages(listing=("projects",), kinds=(BackwardsMs, Name))
_LIST_QUERY = (query_field("limit", "integer", "100 unless given, held within 1 to 500"), CURSOR)
_READ = Access(("memories:read",))
_WRITE = Access(("memories:read", "memories:write"))
_new = msgspec.json.Decoder(NewProject)
_change = msgspec.json.Decoder(ProjectChange)
_operation = partial(Operation, tag="projects")


class ProjectEndpoints:
    """Everything below /api/projects."""

    def __init__(self, projects: Projects, erasure: ProjectErasure) -> None:
        self._projects = projects
        self._erasure = erasure

    def operations(self) -> list[Operation]:
        """All addresses of projects."""
        base, one = "/api/projects", "/api/projects/{project_id}"
        return [
            _operation(
                f"GET {base}", self.list_projects, ProjectPage, parameters=_LIST_QUERY,
                access=_READ,
            ),
            _operation(
                f"POST {base}", self.create_project, Project, status=201, errors=(409, 413),
                body=NewProject, access=_WRITE,
            ),
            _operation(f"GET {one}", self.get_project, Project, errors=(404,), access=_READ),
            _operation(
                f"PATCH {one}", self.change_project, Project, errors=(404, 409, 413),
                body=ProjectChange, access=_WRITE,
            ),
            _operation(
                f"DELETE {one}", self.delete_project, status=204, errors=(404,),
                parameters=(PURGE,), access=_WRITE,
            ),
        ]  # fmt: skip

    async def list_projects(self, request: Request) -> Response:
        """Every project, the most recently active first; a namespace with memories is one.

        While more are left, `next_cursor` and the header `Link` lead to the next page.
        """
        query = read_query(request)
        limit = read_number(query.get("limit"), 100, least=1, most=500)
        rows = await self._projects.list_active(
            get_caller(request), limit=limit + 1, place=_PAGES.read_place(query)
        )
        cursor = _PAGES.make_cursor([(row["place"], row["name"]) for row in rows], limit)
        shown = {"projects": wrap_rows(row["row"] for row in rows[:limit]), **show_cursor(cursor)}
        return await answer_pieces(
            request, [msgspec.json.encode(shown)], headers=link_next(request, cursor)
        )

    async def create_project(self, request: Request) -> Response:
        """Create a project, which is a namespace with a description."""
        new = strict_json.decode(_new, await read_body(request, _BODY_BYTES) or b"{}")
        return answer_text((await self._projects.create(get_caller(request), new)).encode(), 201)

    async def get_project(self, request: Request, project_id: str) -> Response:
        """One project."""
        row = await self._projects.get(
            get_caller(request), require_uuid(project_id, ProjectNotFound())
        )
        return answer_text(row.encode())

    async def change_project(self, request: Request, project_id: str) -> Response:
        """Change the given fields. A new name moves up to 100,000 memories, all or none.

        Metadata is merged at its top level; null removes a key.
        """
        body = strict_json.decode(_change, await read_body(request, _BODY_BYTES) or b"{}")
        row = await self._projects.change(
            get_caller(request),
            require_uuid(project_id, ProjectNotFound()),
            check_project_change(body),
        )
        return answer_text(row.encode())

    async def delete_project(self, request: Request, project_id: str) -> Response:
        """Delete a project and all its memories; `purge_exports` as for one memory.

        Memories are deleted batch by batch: a deletion that is cut short is repeated to go on.
        """
        purge = read_flag(read_query(request), "purge_exports")
        purged = await self._erasure.delete(
            get_caller(request), require_uuid(project_id, ProjectNotFound()), purge=purge
        )
        return Response(status_code=204, headers=show_purged(purged))
