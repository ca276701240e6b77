"""The web application: its services, its middleware and the list of all routes."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from memferry.audit.service import Audit
from memferry.erasure.memories import MemoryErasure
from memferry.erasure.projects import ProjectErasure
from memferry.errors import MemferryError
from memferry.exports.hand_out.downloads import Downloads
from memferry.exports.service import Exports
from memferry.http.audit import AuditEndpoints, Refusals
from memferry.http.auth import Authentication
from memferry.http.batches import BatchEndpoints
from memferry.http.cors import Cors
from memferry.http.downloads import DownloadEndpoints
from memferry.http.duplicates import DuplicateEndpoints
from memferry.http.errors import (
    answer_anything_else,
    answer_client_gone,
    answer_http_exception,
    answer_memferry_error,
)
from memferry.http.exports import ExportEndpoints
from memferry.http.fault_screens import FaultScreens, ShowFault
from memferry.http.head import HeadAsGet
from memferry.http.health import HealthEndpoints
from memferry.http.history import HistoryEndpoints
from memferry.http.imports import IMPORT_PATH, ImportEndpoints
from memferry.http.lifetime import Lifetime
from memferry.http.limits import LimitEndpoints
from memferry.http.listing import ListingEndpoints
from memferry.http.manifests import ManifestEndpoints
from memferry.http.mcp import mcp_route
from memferry.http.memories import BULK_PATH, MemoryEndpoints
from memferry.http.namespaces import NamespaceEndpoints
from memferry.http.overview import OverviewEndpoints
from memferry.http.projects import ProjectEndpoints
from memferry.http.routing import Operation
from memferry.http.search import SearchEndpoints
from memferry.http.threads import ThreadEndpoints
from memferry.http.tokens import TokenEndpoints
from memferry.http.webhooks import WebhookEndpoints
from memferry.imports.service import Imports
from memferry.memories.changes import MemoryBatches
from memferry.memories.history import MemoryHistory
from memferry.memories.lists import MemoryLists
from memferry.memories.overview import MemoryOverview
from memferry.memories.service import Memories
from memferry.operation.readiness import Readiness
from memferry.projects.service import Projects
from memferry.request_rate import RequestRate
from memferry.settings import Quotas, WebSettings
from memferry.shares import Shares
from memferry.tenants.limits import TenantLimits
from memferry.tenants.sign_ins import SignIns
from memferry.tenants.tokens import Tokens
from memferry.webhooks.service import Webhooks


@dataclass(frozen=True, kw_only=True)
class Services:
    """The services that routes call, built once by the composition root."""

    tokens: Tokens
    sign_ins: SignIns
    memories: Memories
    lists: MemoryLists
    batches: MemoryBatches
    history: MemoryHistory
    overview: MemoryOverview
    memory_erasure: MemoryErasure
    projects: Projects
    project_erasure: ProjectErasure
    exports: Exports
    imports: Imports
    downloads: Downloads
    webhooks: Webhooks
    audit: Audit
    rate: RequestRate
    limits: TenantLimits
    memory: Shares
    """The bytes that requests may hold."""
    readiness: Readiness
    import_bytes: int = Quotas().import_bytes
    """The most bytes that the file of an import may have."""
    web: WebSettings = WebSettings()
    local_tenant: UUID | None = None
    """Whom programs on this machine speak for without a token."""
    mcp: ASGIApp | None = None
    """What answers the messages of models; None: it is not installed."""


@dataclass(frozen=True)
class Page:
    """What is there for people."""

    routes: Sequence[BaseRoute]
    slow_paths: Sequence[str]
    """Those of its addresses that take files."""
    show_fault: ShowFault


def web_app(services: Services, page: Page) -> ASGIApp:
    """Build the API and the page: CORS outside, then the time limit, HEAD, and the routes."""
    # The clock of an upload starts with its last byte, and the store has then to verify it.
    longer = dict.fromkeys((BULK_PATH, IMPORT_PATH, *page.slow_paths), services.web.bulk_seconds)
    router = HeadAsGet(make_router(services, page.routes))
    limited = Lifetime(router, services.web.request_seconds, longer)
    return Cors(FaultScreens(limited, page.show_fault))


def make_router(services: Services, page: Sequence[BaseRoute] = ()) -> Starlette:
    """Authentication and the routes."""
    operations = list_operations(services)
    app = Starlette(
        routes=[
            *(operation.route() for operation in operations),
            mcp_route(services.mcp),
            *page,
        ],
        middleware=[
            Middleware(
                Authentication,
                tokens=services.tokens,
                rate=services.rate,
                memory=services.memory,
                local_tenant=services.local_tenant,
            ),
            Middleware(Refusals, audit=services.audit),
        ],
        exception_handlers={
            MemferryError: answer_memferry_error,
            HTTPException: answer_http_exception,
            ClientDisconnect: answer_client_gone,
            Exception: answer_anything_else,
        },
    )
    app.router.redirect_slashes = False
    app.state.public_url = services.web.public_url
    return app


def list_operations(services: Services) -> list[Operation]:
    """List all operations; if two patterns fit an address, the first one counts."""
    memories = services.memories
    endpoints = (
        HealthEndpoints(services.readiness),
        ExportEndpoints(services.exports, services.downloads, services.audit),
        ImportEndpoints(services.imports, most_bytes=services.import_bytes),
        ManifestEndpoints(services.exports),
        SearchEndpoints(memories),
        ListingEndpoints(memories, services.lists),
        DuplicateEndpoints(services.lists),
        BatchEndpoints(services.batches, services.memory_erasure),
        MemoryEndpoints(memories, services.memory_erasure),
        HistoryEndpoints(services.history),
        ThreadEndpoints(memories, services.lists),
        NamespaceEndpoints(memories),
        OverviewEndpoints(services.overview),
        ProjectEndpoints(services.projects, services.project_erasure),
        WebhookEndpoints(services.webhooks),
        TokenEndpoints(services.tokens),
        AuditEndpoints(services.audit),
        LimitEndpoints(services.limits),
        DownloadEndpoints(services.downloads, services.audit, services.memory),
    )
    return [operation for group in endpoints for operation in group.operations()]
