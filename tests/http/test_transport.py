"""What holds for every address: tokens, errors, CORS, the OpenAPI document."""

import asyncio
import re
import socket
from urllib.parse import urlsplit

import httpx
import pytest

from support.people import Person
from support.postgres import execute
from support.service import Service

ADDRESSES = [
    ("POST", "/api/memories"),
    ("GET", "/api/memories"),
    ("POST", "/api/memories/search/bulk"),
    ("GET", "/api/memories/x"),
    ("PATCH", "/api/memories/x"),
    ("DELETE", "/api/memories/x"),
    ("POST", "/api/memories/exports"),
    ("GET", "/api/memories/exports"),
    ("GET", "/api/memories/exports/x"),
    ("GET", "/api/namespaces"),
    ("GET", "/api/recall/unified"),
    ("GET", "/api/threads/x"),
    ("GET", "/api/webhooks"),
    ("POST", "/api/webhooks"),
    ("GET", "/api/webhooks/x"),
    ("POST", "/v1/memories/bulk"),
    ("GET", "/api/no-such-address"),
]


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_charlies_token_is_refused_before_anything_else(
    charlie: Person, service: Service, method: str, path: str
) -> None:
    answers = [charlie.request(method, path), httpx.request(method, service.url + path)]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert [answer.json()["code"] for answer in answers] == ["unknown_token", "missing_token"]


@pytest.mark.parametrize("path", ["/health", "/api/health"])
def test_health_needs_no_token_and_ignores_a_wrong_one(
    charlie: Person, service: Service, path: str
) -> None:
    assert httpx.get(service.url + path).json() == charlie.get(path).json() == {"ok": True}


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(alice: Person, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {alice.token}"}

    assert alice.get("/api/memories", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/api/memories/", "/api/nothing", "/nothing", "/api/exports"])
def test_an_unknown_address_is_a_json_404_and_no_redirect(alice: Person, path: str) -> None:
    answer = alice.get(path)

    assert answer.status_code == 404
    assert "not found" in answer.json()["error"]


def test_a_wrong_method_is_a_json_405(alice: Person) -> None:
    answer = alice.put("/api/memories")

    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
    assert "allow" in answer.headers


def test_a_malformed_request_is_answered_in_json(service: Service) -> None:
    parts = urlsplit(service.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        connection.sendall(b"this is not HTTP\r\n\r\n")
        answer = connection.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'{"error":' in answer


def test_an_internal_error_shows_no_detail(alice: Person, database_url: str) -> None:
    grant = "SELECT ON memferry_service.webhooks {} memferry_service"
    asyncio.run(execute(database_url, f"REVOKE {grant.format('FROM')}"))
    try:
        answer = alice.get("/api/webhooks")
    finally:
        asyncio.run(execute(database_url, f"GRANT {grant.format('TO')}"))

    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert "webhooks" not in answer.text


def test_a_json_content_type_without_a_body_is_accepted(alice: Person) -> None:
    headers = {"Content-Type": "application/json"}

    assert alice.get("/api/memories", headers=headers).status_code == 200
    assert alice.delete("/api/memories/x", headers=headers).status_code == 404


def test_browsers_of_any_origin_may_ask_and_read(alice: Person, service: Service) -> None:
    preflight = httpx.options(
        f"{service.url}/api/memories",
        headers={"Origin": "https://a.example", "Access-Control-Request-Method": "PATCH"},
    )
    answers = [alice.get("/api/memories"), httpx.get(f"{service.url}/api/memories")]

    assert preflight.status_code == 204
    assert "PATCH" in preflight.headers["access-control-allow-methods"]
    assert "Authorization" in preflight.headers["access-control-allow-headers"]
    for answer in (preflight, *answers):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers


def test_the_openapi_document_names_every_address(service: Service) -> None:
    document = httpx.get(f"{service.url}/openapi.json").json()

    known = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    for method, path in ADDRESSES[:-1]:
        prefix = path.removesuffix("/x")
        assert any(m == method and p.startswith(prefix) for m, p in known), (method, path)


def test_the_page_of_the_api_loads_nothing_from_elsewhere(service: Service) -> None:
    page = httpx.get(f"{service.url}/docs")
    files = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    answers = [httpx.get(service.url + file) for file in files]

    assert page.status_code == 200
    assert "//" not in page.text.replace(service.url, "")
    assert len(files) >= 4
    assert {answer.status_code for answer in answers} == {200}


def test_the_page_of_the_api_runs_no_script_but_its_files(service: Service) -> None:
    page = httpx.get(f"{service.url}/docs")
    policy = dict(
        rule.split(" ", 1) for rule in page.headers["content-security-policy"].split("; ")
    )

    assert policy["default-src"] == "'none'"
    assert (policy["script-src"], policy["style-src"]) == ("'self'", "'self'")
    assert "unsafe" not in page.headers["content-security-policy"]
    assert re.findall(r"<script[^>]*>(.*?)</script>", page.text) == ["", ""]
    assert "<style" not in page.text


def test_a_file_of_a_page_that_the_browser_has_is_not_sent_again(service: Service) -> None:
    address = f"{service.url}/assets/swagger-ui-bundle.js"
    etag = httpx.head(address).headers["etag"]

    assert httpx.get(address, headers={"If-None-Match": etag}).status_code == 304
