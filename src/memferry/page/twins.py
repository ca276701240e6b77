"""The JSON twins of screens: every GET of the API once more, for a signed-in browser.

A cookie never reaches /api, where any origin may read. Below /json no other origin may read, and
nothing can be changed.
"""

from collections.abc import Iterable
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from memferry.errors import MemferryError
from memferry.http.errors import FAULT, ErrorAnswer
from memferry.http.routing import Operation
from memferry.page.forms import check_origin
from memferry.page.policy import SCREEN_HEADERS
from memferry.page.screens import Screen

TWINS = "/json"
_API = "/api"


def list_twins(operations: Iterable[Operation]) -> list[Screen]:
    """The twin of each GET that needs a token."""
    return [
        _make_twin(operation)
        for operation in operations
        if operation.access is not None
        and "GET" in operation.methods
        and operation.path.startswith(_API)
    ]


def write_twin(path: str, **fields: object) -> str:
    """Write the address of a twin; a field that is empty or None is not given."""
    query = urlencode({name: value for name, value in fields.items() if value})
    return f"{TWINS}{path}" + (f"?{query}" if query else "")


def _make_twin(operation: Operation) -> Screen:
    async def show_json(request: Request, **values: str) -> Response:
        check_origin(request)
        try:
            answer = await operation.endpoint(request, **values)
        except MemferryError as fault:
            request.scope[FAULT] = fault
            answer = ErrorAnswer(fault)
        answer.headers.update(SCREEN_HEADERS)
        return answer

    return Screen(
        f"GET {TWINS}{operation.path.removeprefix(_API)}",
        show_json,
        operation.access,
        operation.parameters,
    )
