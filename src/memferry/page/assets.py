"""The files that screens load; their address changes with their bytes."""

import hashlib
from importlib import resources
from pathlib import Path
from typing import cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from memferry.page.policy import make_headers

_FOLDER = cast("Path", resources.files("memferry.page") / "static")
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class PackageFolder:
    """A folder of files inside an installed package, which is not imported."""

    def __init__(self, package: str, name: str) -> None:
        self._package = package
        self._name = name

    def route(self, path: str, file: str, headers: dict[str, str]) -> Route:
        """Make the route of one file; raises RuntimeError if the package is missing."""
        files = StaticFiles(packages=[(self._package, self._name)])

        async def show_file(request: Request) -> Response:
            answer = await files.get_response(file, request.scope)
            answer.headers.update(headers)
            return answer

        return Route(path, show_file)


STATIC = PackageFolder("memferry.page", "static")
"""The files of the page."""


class Assets:
    """The style sheet, the scripts and the icon of all screens, below one address.

    The address holds the digest of all files, since scripts import each other by relative names.
    """

    def __init__(self) -> None:
        self._files = {
            file.name: file.read_bytes()
            for file in sorted(_FOLDER.iterdir())
            if file.suffix in _MEDIA_TYPES
        }
        digest = hashlib.sha256()
        for name, content in self._files.items():
            digest.update(b"%b %d " % (name.encode(), len(content)) + content)
        self._version = digest.hexdigest()[:16]

    def find_address(self, name: str) -> str:
        """The address of a file; raises KeyError if there is none by that name."""
        if name not in self._files:
            raise KeyError(name)
        return f"/assets/page/{self._version}/{name}"

    def route(self) -> Route:
        """Make the route of all files; no token needed."""
        headers = make_headers()

        async def show_asset(request: Request) -> Response:
            name, version = request.path_params["name"], request.path_params["version"]
            content = self._files.get(name)
            if content is None:
                return Response(status_code=404, headers=headers)
            # Another version asks while the service is updated: it gets what is there, once.
            cached = _FOREVER if version == self._version else {}
            media_type = _MEDIA_TYPES[Path(name).suffix]
            return Response(content, headers=headers | cached, media_type=media_type)

        return Route("/assets/page/{version}/{name}", show_asset)
