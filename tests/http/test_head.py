"""HEAD answers what GET would, without its body (RFC 9110, section 9.3.2)."""

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from memferry.http.head import HeadAsGet
from support.people import Person
from support.service import Service
from support.tokens import create_admin

_OWN_WORDS = ("date", "retry-after")


def told(answer: httpx.Response) -> tuple[int, dict[str, str]]:
    """Status and headers, but for those that say when."""
    return answer.status_code, {k: v for k, v in answer.headers.items() if k not in _OWN_WORDS}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/assets/swagger-ui-bundle.js",
        "/docs",
        "/openapi.json",
        "/health",
        "/api/health",
        "/api/memories",
        "/api/memories?limit=junk&limit=twice",
        "/api/memories?unknown=1",
        "/api/memories/none",
        "/api/memories/exports",
        "/api/namespaces",
        "/api/recall/unified?q=x",
        "/api/threads/x",
        "/api/webhooks",
        "/api/audit",
        "/api/nothing",
        "/downloads/x",
    ],
)
def test_head_answers_the_status_and_headers_of_get_and_no_body(alice: Person, path: str) -> None:
    alice.save("something to list")
    head, get = alice.head(path), alice.get(path)

    assert head.content == b""
    assert told(head) == told(get)
    assert int(head.headers["content-length"]) == len(get.content) > 0


def test_head_needs_the_token_that_get_needs(charlie: Person, service: Service) -> None:
    assert charlie.head("/api/memories").status_code == 401
    assert httpx.head(f"{service.url}/api/memories").status_code == 401


async def test_the_body_of_a_head_request_is_kept_back() -> None:
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["method"] == "GET"
        del receive
        headers = [(b"content-length", b"6")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"sec", "more_body": True})
        await send({"type": "http.response.body", "body": b"ret"})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "HEAD", "path": "/api/memories"}
    await HeadAsGet(app)(scope, receive, send)

    assert sent[0]["headers"] == [(b"content-length", b"6")]
    assert b"".join(message["body"] for message in sent[1:]) == b""
    assert not sent[-1].get("more_body")


def test_head_of_an_export_hands_no_link_out_and_notes_none(
    alice: Person, database_url: str
) -> None:
    alice.save_many([{"content": f"memory {number}"} for number in range(10_001)])
    path = f"/api/memories/exports/{alice.wait_for(alice.export())['id']}"
    with create_admin(alice, database_url) as admin:
        minted = {"event": "link.minted", "limit": "500"}
        before = admin.get("/api/audit", params=minted).json()["entries"]
        head = alice.head(path)
        after_head = admin.get("/api/audit", params=minted).json()["entries"]
        alice.get(path)
        after_get = admin.get("/api/audit", params=minted).json()["entries"]

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["location"] == path
    assert len(after_head) == len(before)
    assert len(after_get) == len(before) + 1


@pytest.mark.parametrize(
    ("method", "path", "methods"),
    [
        ("PUT", "/api/memories", "GET, POST, HEAD"),
        ("POST", "/api/memories/exports/x", "GET, DELETE, HEAD"),
        ("POST", "/health", "GET, HEAD"),
        ("POST", "/downloads/x", "GET, HEAD"),
        ("GET", "/v1/memories/bulk", "POST"),
        ("HEAD", "/v1/memories/bulk", "POST"),
    ],
)
def test_a_405_names_every_method_of_the_address(
    alice: Person, method: str, path: str, methods: str
) -> None:
    answer = alice.request(method, path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == methods
