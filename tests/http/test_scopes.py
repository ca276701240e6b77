"""Every address with every scope missing; the table comes from the application's own routes."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.routing import Route

from memferry.audit.service import Audit
from memferry.database.pool import Database
from memferry.erasure.memories import MemoryErasure
from memferry.erasure.projects import ProjectErasure
from memferry.exports.hand_out.downloads import Downloads
from memferry.exports.service import Exports
from memferry.http.app import Services, list_operations, make_router
from memferry.imports.service import Imports
from memferry.memories.changes import MemoryBatches
from memferry.memories.history import MemoryHistory
from memferry.memories.lists import MemoryLists
from memferry.memories.overview import MemoryOverview
from memferry.memories.service import Memories
from memferry.model.token import SCOPES, USUAL_SCOPES
from memferry.operation.readiness import Readiness
from memferry.operation.store_identity import StoreIdentity
from memferry.operation.workers import Workers
from memferry.projects.service import Projects
from memferry.request_rate import RequestRate
from memferry.settings import ExportSettings, Quotas
from memferry.shares import Shares
from memferry.storage.local import LocalStorage
from memferry.tenants.limits import TenantLimits
from memferry.tenants.sign_ins import SignIns
from memferry.tenants.tokens import Tokens
from memferry.webhooks.service import Webhooks
from support.people import Person
from support.service import Service
from support.tokens import create_holder

_OPEN = {"/api/health", "/health", "/downloads/{link}", "/api/health/ready", "/api/keys"}
# Whoever may create exports reads those of the same token.
_INSTEAD = {"exports:read": "exports:create"}
# Whoever holds a token may ask what it is; what a tool calls needs scopes of its own.
_ANY_TOKEN = {"/api/auth/me", "/mcp"}
_NOBODY = "00000000-0000-0000-0000-000000000000"


def routes() -> Iterator[tuple[str, str, list[str]]]:
    """Method, path and needed scopes of every route of the application."""
    database, storage = Database(""), LocalStorage(Path("/nowhere"))
    exports = Exports(database, storage, ExportSettings(lifetime_seconds=1))
    services = Services(
        tokens=Tokens(database),
        sign_ins=SignIns(database),
        memories=Memories(database),
        lists=MemoryLists(database),
        batches=MemoryBatches(database),
        history=MemoryHistory(database),
        overview=MemoryOverview(database),
        memory_erasure=MemoryErasure(database, storage),
        projects=Projects(database),
        project_erasure=ProjectErasure(database, MemoryErasure(database, storage)),
        exports=exports,
        imports=Imports(database, storage),
        downloads=Downloads(database, storage, exports),
        webhooks=Webhooks(database),
        audit=Audit(database),
        rate=RequestRate(1),
        limits=TenantLimits(database, Quotas()),
        memory=Shares(1, tenant_most=1),
        readiness=Readiness(database, StoreIdentity(database, storage), Workers(database)),
    )
    scopes: dict[tuple[str, str], list[str]] = {
        (method, operation.path): list(operation.access.scopes)
        for operation in list_operations(services)
        if operation.access is not None
        for method in operation.methods
    }
    for route in make_router(services).routes:
        assert isinstance(route, Route)
        # HEAD is what the router adds to GET.
        for method in sorted((route.methods or set()) - {"HEAD"}):
            yield method, route.path, scopes.get((method, route.path), [])


ROUTES = list(routes())
PROTECTED = [each for each in ROUTES if each[1] not in _OPEN]
CASES = [(method, path, scope) for method, path, scopes in PROTECTED for scope in scopes]


@pytest.mark.parametrize(("method", "path", "scopes"), PROTECTED)
def test_every_address_says_which_scopes_it_needs(
    method: str, path: str, scopes: list[str]
) -> None:
    assert scopes or path in _ANY_TOKEN, f"{method} {path}"
    assert set(scopes) <= set(SCOPES)


def test_the_table_of_scopes_lists_every_route() -> None:
    assert {path for _, path, _ in ROUTES} >= _OPEN
    assert len(PROTECTED) >= 23
    assert {scope for _, _, scope in CASES} == set(SCOPES)


@pytest.mark.parametrize(("method", "path", "scope"), CASES)
def test_a_token_without_the_scope_is_refused_with_its_name(
    alice: Person, database_url: str, method: str, path: str, scope: str
) -> None:
    others = tuple(other for other in SCOPES if other not in {scope, _INSTEAD.get(scope)})
    with create_holder(alice, database_url, scopes=others) as lacking:
        answer = lacking.request(method, _filled(path))

    assert answer.status_code == 403
    assert answer.json()["code"] == "scope_missing"
    assert answer.json()["scope"] == scope
    assert scope in answer.json()["error"]


@pytest.mark.parametrize(("method", "path", "scopes"), PROTECTED)
def test_a_token_with_only_the_named_scopes_is_accepted(
    alice: Person, database_url: str, method: str, path: str, scopes: list[str]
) -> None:
    # A token has a scope at least.
    scopes = scopes or ["exports:create"]
    with create_holder(alice, database_url, scopes=tuple(scopes)) as holding:
        answer = holding.request(method, _filled(path))

    assert answer.status_code in {200, 201, 400, 404}, answer.text


@pytest.mark.parametrize(("method", "path", "scopes"), PROTECTED)
def test_a_wrong_token_comes_before_a_missing_scope(
    charlie: Person, method: str, path: str, scopes: list[str]
) -> None:
    del scopes

    assert charlie.request(method, _filled(path)).status_code == 401


def test_a_token_with_the_default_scopes_does_everything_but_manage(alice: Person) -> None:
    answers = {
        (method, path): alice.request(method, _filled(path)).status_code
        for method, path, _ in PROTECTED
    }
    refused = {each for each, status in answers.items() if status == 403}

    assert refused == {(method, path) for method, path, scopes in PROTECTED if "admin" in scopes}
    assert USUAL_SCOPES == ("memories:read", "memories:write", "exports:read", "exports:create")


def test_the_document_shows_403_and_the_scopes(service: Service) -> None:
    document = httpx.get(f"{service.url}/openapi.json").json()
    shown = {
        (method.upper(), path): (operation["security"][0]["token"], "403" in operation["responses"])
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if operation.get("security")
    }

    assert shown == {
        (method, re.sub(r":\w+}", "}", path)): (scopes, True)
        for method, path, scopes in PROTECTED
        if path != "/mcp"  # its messages describe themselves, to models
    }


def _filled(path: str) -> str:
    """An address of the path that names nothing there is."""
    for name in ("{memory_id}", "{webhook_id}", "{token_id}", "{export_id}", "{project_id}"):
        path = path.replace(name, _NOBODY)
    return re.sub(r"{reference:\w+}", "none", path)
