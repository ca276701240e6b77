"""The first page: what this is, where its description is, and how to get a token."""

from html import escape
from importlib import resources
from importlib.metadata import version

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from memferry.http.requests import service_address

_ASSETS = resources.files("memferry.http.assets")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept",
}
_TEXT = """memferry {version}: a memory store for AI agents that people can always leave.

The API describes itself at {address}/docs, for programs at {address}/openapi.json.
Every call needs a token: Authorization: Bearer mnu_...
On the machine that runs the service, this makes one: memferry token create --tenant NAME
"""


def home_routes() -> APIRouter:
    """The page at `/` and its style sheet; no token needed."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def show_home(request: Request) -> Response:
        """One screen, as HTML for those who accept it, else as text."""
        values = {"version": version("memferry"), "address": service_address(request)}
        if "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse(_TEXT.format(**values), headers=_HEADERS)
        page = _read_asset("home.html").format(
            **{name: escape(value) for name, value in values.items()}
        )
        return Response(page, headers=_HEADERS, media_type="text/html")

    @router.get("/assets/home.css")
    async def show_style() -> Response:
        """The style sheet of the page."""
        return Response(_read_asset("home.css"), headers=_HEADERS, media_type="text/css")

    return router


def _read_asset(name: str) -> str:
    return _ASSETS.joinpath(name).read_text(encoding="utf-8")
