"""Declarations of routes, from which the router and the OpenAPI document are made."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from msgspec import Struct
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from memferry.http.auth import Access
from memferry.http.parameters import Parameter
from memferry.http.reading import accept_query

PATTERN = "memferry.pattern"
"""Where the scope of a request has the pattern that its address matched."""

Endpoint = Callable[..., Awaitable[Response]]
"""Takes the request, and the values of the path by their names."""


class _AnyText(Convertor[str]):
    """A path value of any text; starlette's own `path` ends at a line break."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """The text as it came."""
        return value

    def to_string(self, value: str) -> str:
        """The text as it is."""
        return value


register_url_convertor("any_text", _AnyText())


@dataclass(frozen=True)
class Operation:
    """One address with its methods, and everything that the document says of it.

    Without `access` it needs no token, and takes any query string. Else the query string may hold
    the named parameters and no other: a filter that is dropped would show too much.
    """

    address: str
    """`METHOD[|METHOD] /path`, where the path may name values: `/api/memories/{memory_id}`."""
    endpoint: Endpoint
    answer: Any = None
    """The type of the JSON that is answered; bytes: a file; None: nothing."""
    status: int = 200
    tag: str = ""
    errors: tuple[int, ...] = ()
    """The statuses of failures beside those that everything with `access` has."""
    body: type[Struct] | type[bytes] | None = None
    """The struct of a JSON body; bytes: any file, or a multipart form of files."""
    parameters: tuple[Parameter, ...] = ()
    access: Access | None = None

    @property
    def name(self) -> str:
        """The name of the operation, which is that of its endpoint."""
        return self.endpoint.__name__

    @property
    def struct(self) -> type[Struct] | None:
        """The type of its JSON body, if it has one."""
        return self.body if self.body is not None and issubclass(self.body, Struct) else None

    @property
    def methods(self) -> list[str]:
        """The methods of the address."""
        return self.address.partition(" ")[0].split("|")

    @property
    def path(self) -> str:
        """The pattern of its address."""
        return self.address.partition(" ")[2]

    def route(self) -> Route:
        """Make the route of the operation."""
        return Route(self.path, self._make_handler(), methods=self.methods)

    def _make_handler(self) -> Callable[[Request], Awaitable[Response]]:
        """Make the handler: it checks scopes and query string, then calls the endpoint."""
        path, endpoint, access = self.path, self.endpoint, self.access
        fields = [parameter for parameter in self.parameters if parameter.place == "query"]
        names = frozenset(field.name for field in fields)
        lists = frozenset(field.name for field in fields if field.repeated)

        async def handle(request: Request) -> Response:
            request.scope[PATTERN] = path
            if access is not None:
                access.admit(request)
                accept_query(request, names, lists)
            return await endpoint(request, **request.path_params)

        return handle
