"""Programs on this machine without a token: let in where the operator says so, but no web page."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.people import Person
from support.postgres import create_database
from support.service import NO_TLS, Service, find_free_port, start_service, stop_service

EXTENSION = "chrome-extension://abcdefghijklmnop"


@pytest.fixture(scope="module")
def local(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service where programs of this machine are the tenant `me`."""
    with create_database(database_url) as url:
        service = start_service(
            tmp_path_factory.mktemp("local"), MEMFERRY_DATABASE_URL=url, MEMFERRY_LOCAL_TENANT="me"
        )
        yield service
        stop_service(service)


@pytest.fixture
def program(local: Service) -> Iterator[httpx.Client]:
    """A program without a token."""
    with httpx.Client(base_url=local.url, verify=NO_TLS, timeout=60) as client:
        yield client


def test_a_request_without_a_token_is_refused_by_default(service: Service) -> None:
    assert httpx.get(f"{service.url}/api/memories", verify=NO_TLS).status_code == 401


def test_a_local_program_without_a_token_acts_as_the_local_tenant(program: httpx.Client) -> None:
    saved = program.post("/api/memories", json={"content": "tea"})
    export = program.post("/api/memories/exports", json={"format": "ndjson"}).json()

    assert saved.status_code == 201
    assert saved.json()["id"] in export["payload"]
    assert program.get(f"/api/memories/exports/{export['id']}").json()["payload"]
    assert program.get("/api/memories").json()


def test_a_local_program_without_a_token_calls_tools_and_a_web_page_does_not(
    program: httpx.Client,
) -> None:
    call = {"name": "list_memories", "arguments": {}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    accept = {"Accept": "application/json, text/event-stream"}
    page = program.post("/mcp", json=message, headers={**accept, "Origin": "https://evil.example"})
    answer = program.post("/mcp", json=message, headers=accept)

    assert page.status_code == 401
    assert not answer.json()["result"].get("isError")


@pytest.mark.parametrize("path", ["/api/tokens", "/api/audit"])
def test_the_local_tenant_manages_nothing_without_a_token(program: httpx.Client, path: str) -> None:
    assert program.get(path).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer mnu_wrong"},
        {"Authorization": ""},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-For": "203.0.113.9"},
        {"Forwarded": "for=203.0.113.9"},
        {"Via": "1.1 proxy"},
        {"Host": "memories.example"},
        {"Host": "127.0.0.1.nip.example:3122"},
        {"Host": "localhost.example"},
        {"Host": "[::1"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "null"},
        {"Origin": "file://"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://x-extension://y"},
    ],
    ids=str,
)
def test_requests_of_web_pages_and_other_machines_need_a_token(
    program: httpx.Client, headers: dict[str, str]
) -> None:
    answer = program.get("/api/memories", headers=headers)

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "mnueron-vscode/0.1", "Accept": "application/json"},
        {"Origin": EXTENSION, "Sec-Fetch-Site": "cross-site"},
        {"Origin": "moz-extension://0f6c"},
        {"Origin": "vscode-webview://abc"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Host": "localhost:3122"},
        {"Host": "[::1]:3122"},
    ],
    ids=str,
)
def test_a_local_program_and_a_browser_extension_need_no_token(
    program: httpx.Client, headers: dict[str, str]
) -> None:
    assert program.get("/api/memories", headers=headers).status_code == 200


def test_a_token_beats_the_local_tenant(local: Service, program: httpx.Client) -> None:
    program.post("/api/memories", json={"content": "of me"})
    made = subprocess.run(
        [sys.executable, "-m", "memferry", "token", "create", "--tenant", "alice"],
        env=os.environ | local.environment,
        check=True,
        capture_output=True,
        text=True,
    )
    with Person("alice", local.url, made.stdout.strip()) as alice:
        assert alice.get("/api/memories").json() == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_the_local_tenant_is_refused_on_a_public_address(
    database_url: str, tmp_path: Path, host: str
) -> None:
    words = ["serve", "--host", host, "--port", str(find_free_port()), "--data-dir", str(tmp_path)]
    refused = subprocess.run(
        [sys.executable, "-m", "memferry", *words],
        env=os.environ | {"MEMFERRY_DATABASE_URL": database_url, "MEMFERRY_LOCAL_TENANT": "me"},
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert refused.returncode == 1
    assert "MEMFERRY_LOCAL_TENANT" in refused.stderr


def test_requests_of_the_browser_extensions_are_answered_as_they_expect(
    program: httpx.Client,
) -> None:
    """The requests of VS Code and of the browser extension, in the order in which they come."""
    program.headers.update({"Content-Type": "application/json", "Origin": EXTENSION})
    saved = program.post(
        "/api/memories",
        json={
            "content": "**User:** which tea?",
            "namespace": "web-claude",
            "tags": ["captured", "claude", "extension"],
            "source": "claude-extension",
            "source_ref": "https://claude.ai/chat/1",
            "metadata": {"title": "Tea", "message_count": 1, "captured_at": 1},
        },
    ).json()
    preflight = program.options("/api/memories", headers={"Origin": EXTENSION})

    assert preflight.status_code == 204
    assert program.get("/api/health").json() == {"ok": True}
    assert program.get("/api/memories?limit=200&offset=0").json()
    assert program.get("/api/memories?limit=25&namespace=web-claude").json() == [saved]
    assert program.get("/api/memories?q=tea&limit=10&namespace=web-claude").json()
    recalled = program.get("/api/recall/unified?q=tea&namespace=web-claude&limit=5").json()
    assert recalled["memories"][0]["id"] == saved["id"]
    assert recalled["procedurals"] == []
    assert program.get(f"/api/memories/{saved['id']}").json() == saved
    assert "web-claude" in {row["name"] for row in program.get("/api/namespaces").json()}
    thread = program.get("/api/threads/https%3A%2F%2Fclaude.ai%2Fchat%2F1").json()
    assert thread["chunks"] == [saved]
    assert program.get("/api/procedural?limit=5").status_code == 404
