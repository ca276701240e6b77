"""The web application as a value: all routes at a glance."""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from memferry.audit.service import Audit
from memferry.erasure.memories import MemoryErasure
from memferry.errors import MemferryError
from memferry.exports.downloads import Downloads
from memferry.exports.service import Exports
from memferry.http.audit import AuditEndpoints, Refusals
from memferry.http.auth import Authentication
from memferry.http.cors import Cors
from memferry.http.downloads import DownloadEndpoints
from memferry.http.errors import (
    answer_anything_else,
    answer_http_exception,
    answer_memferry_error,
    answer_nobody,
)
from memferry.http.exports import ExportEndpoints
from memferry.http.head import HeadAsGet
from memferry.http.health import health_routes
from memferry.http.home import home_routes
from memferry.http.lifetime import Lifetime
from memferry.http.limits import LimitEndpoints
from memferry.http.memories import BULK_PATH, MemoryEndpoints
from memferry.http.reference import reference_routes
from memferry.http.tokens import TokenEndpoints
from memferry.http.webhooks import WebhookEndpoints
from memferry.memories.service import Memories
from memferry.operation.readiness import Readiness
from memferry.request_rate import RequestRate
from memferry.settings import WebSettings
from memferry.shares import Shares
from memferry.tenants.limits import TenantLimits
from memferry.tenants.tokens import Tokens
from memferry.webhooks.service import Webhooks

_DESCRIPTION = "A memory store for AI agents that people can always leave."


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the routes need, built once by the composition root."""

    tokens: Tokens
    memories: Memories
    memory_erasure: MemoryErasure
    exports: Exports
    downloads: Downloads
    webhooks: Webhooks
    audit: Audit
    rate: RequestRate
    limits: TenantLimits
    memory: Shares
    """The bytes that requests may hold."""
    readiness: Readiness
    web: WebSettings = WebSettings()
    local_tenant: UUID | None = None
    """Whom programs on this machine speak for without a token."""


def web_app(services: Services) -> ASGIApp:
    """The whole API: CORS outside, then the time limit, HEAD, authentication and the routes."""
    longer = {BULK_PATH: services.web.bulk_seconds}
    return Cors(Lifetime(HeadAsGet(routed_app(services)), services.web.request_seconds, longer))


def routed_app(services: Services) -> FastAPI:
    """Authentication and the routes."""
    app = FastAPI(
        title="memferry",
        version=version("memferry"),
        description=_DESCRIPTION,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    app.state.public_url = services.web.public_url
    for router in (
        home_routes(),
        health_routes(services.readiness),
        ExportEndpoints(services.exports, services.downloads, services.audit).router(),
        MemoryEndpoints(services.memories, services.memory_erasure).router(),
        WebhookEndpoints(services.webhooks).router(),
        TokenEndpoints(services.tokens).router(),
        AuditEndpoints(services.audit).router(),
        LimitEndpoints(services.limits).router(),
        DownloadEndpoints(services.downloads, services.audit, services.memory).router(),
        reference_routes(app),
    ):
        app.include_router(router)
    app.add_exception_handler(MemferryError, answer_memferry_error)
    app.add_exception_handler(HTTPException, answer_http_exception)
    app.add_exception_handler(ClientDisconnect, answer_nobody)
    app.add_exception_handler(Exception, answer_anything_else)
    # The last one added is the outermost.
    app.add_middleware(Refusals, audit=services.audit)
    app.add_middleware(
        Authentication,
        tokens=services.tokens,
        rate=services.rate,
        memory=services.memory,
        local_tenant=services.local_tenant,
    )
    _correct_description(app)
    return app


def _correct_description(app: FastAPI) -> None:
    """Name the bearer token in the OpenAPI document, and drop the 422 that no route answers."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        components = document["components"]
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        for name in ("HTTPValidationError", "ValidationError"):
            components["schemas"].pop(name, None)
        for item in document["paths"].values():
            for operation in item.values():
                if "HTTPValidationError" in str(operation["responses"].get("422")):
                    del operation["responses"]["422"]
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it
