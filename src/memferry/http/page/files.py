"""The files of pages, and their content security policy."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles


def make_headers(**sources: str) -> dict[str, str]:
    """Make the headers of a page and its files; a page may load `sources` alone.

    A source is a directive without `-src`: `script="'self'"`. Inline scripts and styles are never
    let in (https://www.w3.org/TR/CSP3/).
    """
    policy = {
        "default-src": "'none'",
        **{f"{name}-src": source for name, source in sources.items()},
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {rule}" for name, rule in policy.items()),
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


@dataclass(frozen=True)
class Folder:
    """A folder of files inside an installed package, which is not imported."""

    package: str
    name: str

    def route(self, path: str, file: str, headers: dict[str, str]) -> Route:
        """Make the route of one file; raises RuntimeError if the package is missing."""
        files = StaticFiles(packages=[(self.package, self.name)])

        async def show_file(request: Request) -> Response:
            answer = await files.get_response(file, request.scope)
            answer.headers.update(headers)
            return answer

        return Route(path, show_file)


STATIC = Folder("memferry.http.page", "static")
"""The files of our own pages."""
