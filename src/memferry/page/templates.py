"""Renders templates into screens: everything is escaped, and a name that is missing is an error."""

import re
from importlib.metadata import version
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from memferry.http.auth import AUTHENTICATED
from memferry.http.reading import find_service_address
from memferry.page.assets import Assets
from memferry.page.cookies import read_theme
from memferry.page.field_names import show_fault, show_job_error
from memferry.page.forms import make_form_token
from memferry.page.navigation import list_entries
from memferry.page.policy import SCREEN_HEADERS
from memferry.page.shown import (
    show_count,
    show_exact,
    show_number,
    show_path,
    show_size,
    show_time,
    show_words,
)


class Templates:
    """The templates of all screens."""

    def __init__(self, assets: Assets) -> None:
        self.version = version("memferry")
        self._environment = Environment(
            loader=PackageLoader("memferry.page"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {
            "asset": assets.find_address,
            "version": self.version,
            "show_count": show_count,
        }
        self._environment.filters |= {
            "exact": show_exact,
            "fault": show_fault,
            "job_error": show_job_error,
            "number": show_number,
            "path": show_path,
            "size": show_size,
            "time": show_time,
            "words": show_words,
        }

    def render(self, request: Request, name: str, **values: Any) -> str:
        """Render a template for the reader of a request."""
        caller = request.scope.get(AUTHENTICATED)
        shared = {
            "caller": caller,
            "entries": list_entries(caller),
            "form_token": make_form_token(request),
            "here": find_here(request),
            "path": request.scope["path"],
            "service": find_service_address(request),
            "theme": read_theme(request),
            "twin": None,
        }
        return self._environment.get_template(name).render(shared | values)

    def answer(self, request: Request, name: str, *, status: int = 200, **values: Any) -> Response:
        """Answer with a screen, or with a part of one."""
        text = self.render(request, name, **values)
        return Response(text, status, SCREEN_HEADERS, media_type="text/html")


def find_here(request: Request) -> str:
    """The address of a screen within the service, to come back to."""
    query = request.scope["query_string"].decode("latin-1")
    return quote(request.scope["path"], safe="/") + (f"?{query}" if query else "")


def find_back(request: Request) -> str | None:
    """The address of the screen of this service that led to a request; None for any other."""
    address = urlsplit(request.headers.get("referer", ""))
    if address.netloc != request.headers.get("host"):
        return None
    # `//host` would lead to another host.
    if re.match("/(?!/)", address.path) is None:
        return None
    back = quote(address.path, safe="/%") + (f"?{address.query}" if address.query else "")
    return None if back == find_here(request) else back
