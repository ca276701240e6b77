"""The API's description for people: Swagger UI over the OpenAPI document, from this host alone."""

from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from memferry.http.openapi import describe_api
from memferry.http.routing import Operation
from memferry.page.assets import STATIC, PackageFolder
from memferry.page.policy import make_headers

_HERE = "'self'"
# Swagger UI shows icons that its style sheet holds as data.
_HEADERS = make_headers(script=_HERE, style=_HERE, img=f"{_HERE} data:", connect=_HERE)
# The package is a blueprint for Flask; only its files are used, and it is never imported.
_SWAGGER = PackageFolder("flask_swagger_ui", "dist")


def reference_routes(operations: Sequence[Operation]) -> list[Route]:
    """The page at `/docs`, its files, and the document that it shows; no token needed."""
    document = msgspec.json.encode(describe_api(operations))

    async def show_document(request: Request) -> Response:  # noqa: ARG001 - every endpoint takes it
        return Response(document, media_type="application/json")

    return [
        Route("/openapi.json", show_document),
        STATIC.route("/docs", "reference.html", _HEADERS),
        STATIC.route("/assets/reference.css", "reference.css", _HEADERS),
        STATIC.route("/assets/reference.js", "reference.js", _HEADERS),
        _SWAGGER.route("/assets/swagger-ui.css", "swagger-ui.css", _HEADERS),
        _SWAGGER.route("/assets/swagger-ui-bundle.js", "swagger-ui-bundle.js", _HEADERS),
    ]
