"""The first page: what this is, where its description is, and how to get a token."""

from html import escape
from importlib import resources
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from memferry.http.page.files import STATIC, make_headers
from memferry.http.reading import find_service_address

_FILES = resources.files("memferry.http.page") / "static"
_HEADERS = make_headers(style="'self'") | {"Vary": "Accept"}
_TEXT = """memferry {version}: a memory store for AI agents that people can always leave.

The API describes itself at {address}/docs, for programs at {address}/openapi.json.
Every call needs a token: Authorization: Bearer mnu_...
On the machine that runs the service, this makes one: memferry token create --tenant NAME
"""


def home_routes() -> list[Route]:
    """The page at `/` and its style sheet; no token needed."""
    return [
        Route("/", show_home),
        STATIC.route("/assets/home.css", "home.css", _HEADERS),
    ]


async def show_home(request: Request) -> Response:
    """One screen, as HTML for those who accept it, else as text."""
    values = {"version": version("memferry"), "address": find_service_address(request)}
    if "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse(_TEXT.format(**values), headers=_HEADERS)
    page = (_FILES / "home.html").read_text(encoding="utf-8")
    shown = page.format(**{name: escape(value) for name, value in values.items()})
    return Response(shown, headers=_HEADERS, media_type="text/html")
