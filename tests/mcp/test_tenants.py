"""Each message speaks for the caller of its own request, and nothing of it stays behind."""

import asyncio

import httpx
import pytest

from support.mcp_clients import call, connect_by_http, try_call
from support.people import Person
from support.service import NO_TLS, Service
from support.tokens import create_admin, create_holder

_ACCEPT = {"Accept": "application/json, text/event-stream"}
_NOBODY = "00000000-0000-7000-8000-000000000000"
_LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


async def test_tenants_side_by_side_never_see_each_other(alice: Person, bob: Person) -> None:
    rows = {person.name: person.save(f"tea of {person.name}") for person in (alice, bob)}

    async def look(person: Person, other: Person) -> None:
        async with connect_by_http(person) as client:
            for _ in range(5):
                found = await call(client, "search_memories", query="tea")
                assert [memory["id"] for memory in found["memories"]] == [rows[person.name]["id"]]
                for tool in ("get_memory", "delete_memory", "get_history"):
                    failed, text = await try_call(client, tool, id=rows[other.name]["id"])
                    assert failed
                    assert text.startswith("memory_not_found")

    await asyncio.gather(look(alice, bob), look(bob, alice))

    assert bob.get(f"/api/memories/{rows['bob']['id']}").status_code == 200


@pytest.mark.parametrize(
    ("tool", "arguments", "scope"),
    [
        ("save_memory", {"content": "x"}, "memories:write"),
        ("search_memories", {"query": "x"}, "memories:read"),
        ("export_memories", {}, "exports:create"),
    ],
)
async def test_a_tool_needs_the_scope_of_its_call(
    alice: Person, database_url: str, tool: str, arguments: dict[str, str], scope: str
) -> None:
    scopes = {"memories:write", "memories:read", "exports:create"} - {scope}
    with await asyncio.to_thread(
        create_holder, alice, database_url, scopes=tuple(scopes)
    ) as holder:
        async with connect_by_http(holder) as client:
            failed, text = await try_call(client, tool, **arguments)

    assert failed
    assert text.startswith(f"scope_missing: the token lacks the scope {scope}")


async def test_a_token_of_some_namespaces_stays_in_them(alice: Person, database_url: str) -> None:
    alice.save("tea", namespace="b")
    rights = {"scopes": ("memories:read", "memories:write"), "namespaces": ("a",)}
    with await asyncio.to_thread(create_holder, alice, database_url, **rights) as holder:
        async with connect_by_http(holder) as client:
            found = await call(client, "search_memories", query="tea")
            failed, text = await try_call(client, "save_memory", content="x", namespace="b")

    assert found["memories"] == []
    assert failed
    assert text.startswith("namespace_forbidden")


def test_without_a_valid_token_there_is_no_message(service: Service, charlie: Person) -> None:
    missing = httpx.post(f"{service.url}/mcp", json=_LIST, headers=_ACCEPT, verify=NO_TLS)
    unknown = charlie.post("/mcp", json=_LIST, headers=_ACCEPT)

    assert (missing.status_code, unknown.status_code) == (401, 401)
    assert missing.headers["www-authenticate"] == "Bearer"


def test_a_refused_call_is_in_the_audit_with_its_token(alice: Person, database_url: str) -> None:
    call = {"name": "get_memory", "arguments": {"id": _NOBODY}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    with create_admin(alice, database_url) as admin:
        me = admin.get("/api/auth/me").json()["user"]
        assert admin.post("/mcp", json=message, headers=_ACCEPT).status_code == 200
        (entry,) = admin.get("/api/audit", params={"event": "request.denied"}).json()["entries"]

    assert entry["subject"] == "GET /api/memories/{memory_id}"
    assert (entry["token_id"], entry["detail"]) == (me["id"], _NOBODY)


def test_no_session_and_no_stream_is_kept(alice: Person) -> None:
    answer = alice.post("/mcp", json=_LIST, headers=_ACCEPT)

    assert "mcp-session-id" not in answer.headers
    assert {alice.get("/mcp").status_code, alice.delete("/mcp").status_code} == {405}


def test_a_message_has_a_limit(alice: Person) -> None:
    message = {**_LIST, "params": {"x": "y" * (4 * 1024 * 1024)}}

    answer = alice.post("/mcp", json=message, headers=_ACCEPT)

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
