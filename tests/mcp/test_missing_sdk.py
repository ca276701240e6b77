"""Where the SDK is not installed, both ways say so, and all else works."""

import sys
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send
from typer.testing import CliRunner

from memferry.cli import app as command_line
from memferry.errors import MemferryError, NotInstalled
from memferry.http.auth import AUTHENTICATED
from memferry.http.errors import answer_memferry_error
from memferry.http.mcp import mcp_route
from memferry.mcp.endpoint import find_endpoint
from memferry.model.token import Caller


@pytest.fixture(autouse=True)
def _missing_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)


async def test_the_address_answers_how_to_install_it() -> None:
    app = Starlette(
        routes=[mcp_route(find_endpoint())],
        exception_handlers={MemferryError: answer_memferry_error},
    )
    transport = httpx.ASGITransport(_authenticate(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.post("/mcp", json={})

    assert answer.status_code == 404
    assert "pip install 'memferry[mcp]'" in answer.json()["error"]


def test_the_command_says_how_to_install_it() -> None:
    result = CliRunner().invoke(command_line, ["mcp"])

    assert isinstance(result.exception, NotInstalled)
    assert "pip install 'memferry[mcp]'" in str(result.exception)


def _authenticate(app: ASGIApp) -> ASGIApp:
    """The application for a caller who is known already."""
    caller = Caller(tenant_id=uuid4(), scopes=frozenset())

    async def pass_on(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, AUTHENTICATED: caller}, receive, send)

    return pass_on
