"""The OpenAPI document is true: real answers have its shapes, and its examples work."""

import json
from typing import Any

import httpx
import msgspec
import pytest
from msgspec import Struct

from memferry.wire.audit import AuditPage
from memferry.wire.errors import Error
from memferry.wire.exports import ExportAnswer, ExportPage, NewExport
from memferry.wire.health import Health, Ready
from memferry.wire.limits import Limits
from memferry.wire.memories import (
    BulkSaveResult,
    BulkSearch,
    BulkSearchResult,
    Hit,
    ListedMemory,
    MemoryChange,
    MemoryRow,
    NamespaceCount,
    NewMemory,
    Recall,
    Thread,
)
from memferry.wire.tokens import CreatedToken, NewToken, Token, TokenPage
from memferry.wire.webhooks import (
    ChangedWebhook,
    CreatedWebhook,
    DeliveryPage,
    NewWebhook,
    Webhook,
    WebhookChange,
    WebhookList,
)
from support.people import Person
from support.service import Service
from support.tokens import create_admin


def example(body: type[Struct]) -> dict[str, Any]:
    """The examples of a body's fields, as the document shows them."""
    _, components = msgspec.json.schema_components([body])
    properties = components[body.__name__]["properties"]
    return {name: field["examples"][0] for name, field in properties.items() if "examples" in field}


def assert_shape(type_: Any, answer: httpx.Response) -> None:
    """The type says all there is in an answer: decoded and encoded again nothing is missing."""
    decoded = msgspec.json.decode(answer.content, type=type_)

    assert json.loads(msgspec.json.encode(decoded)) == answer.json()


def test_answers_about_tokens_have_the_documented_shapes(alice: Person, database_url: str) -> None:
    alice.get("/api/memories/none")
    with create_admin(alice, database_url) as admin:
        made = admin.post("/api/tokens", json=example(NewToken))
        answers: list[tuple[Any, httpx.Response]] = [
            (CreatedToken, made),
            (TokenPage, admin.get("/api/tokens")),
            (TokenPage, admin.get("/api/tokens?limit=1")),
            (Token, admin.get(f"/api/tokens/{made.json()['id']}")),
            (AuditPage, admin.get("/api/audit")),
            (Error, alice.get("/api/tokens")),
        ]

    for type_, answer in answers:
        assert_shape(type_, answer)


def test_answers_about_memories_have_the_documented_shapes(alice: Person) -> None:
    row = alice.save("green tea", metadata={"x": 1}, source_ref="r")
    one = f"/api/memories/{row['id']}"
    bulk = {"items": [{"content": "more", "source_ref": "r"}, {"content": ""}]}
    answers: list[tuple[Any, httpx.Response]] = [
        (MemoryRow, alice.post("/api/memories", json=example(NewMemory))),
        (MemoryRow, alice.get(one)),
        (MemoryRow, alice.patch(one, json=example(MemoryChange))),
        (list[ListedMemory], alice.get("/api/memories")),
        (list[Hit], alice.get("/api/memories?q=tea")),
        (BulkSaveResult, alice.post("/v1/memories/bulk", json=bulk)),
        (BulkSearchResult, alice.post("/api/memories/search/bulk", json={"queries": ["tea"]})),
        (Recall, alice.get("/api/recall/unified?q=tea")),
        (Thread, alice.get("/api/threads/r")),
        (Thread, alice.get("/api/threads/r?limit=1")),
        (list[NamespaceCount], alice.get("/api/namespaces")),
        (Limits, alice.get("/api/limits")),
        (Error, alice.get("/api/memories/none")),
        (Error, alice.post("/api/memories", json={"content": 1})),
    ]

    for type_, answer in answers:
        assert_shape(type_, answer)


def test_answers_about_exports_have_the_documented_shapes(alice: Person) -> None:
    alice.save("green tea", metadata={"x": 1.5})
    made = alice.post("/api/memories/exports", json={"metadata_filter": {"x": 1.5}, "tags": []})
    alice.export()
    answers: list[tuple[Any, httpx.Response]] = [
        (ExportAnswer, made),
        (ExportAnswer, alice.get(f"/api/memories/exports/{made.json()['id']}")),
        (ExportPage, alice.get("/api/memories/exports")),
        (ExportPage, alice.get("/api/memories/exports?limit=1")),
    ]

    assert made.json()["row_count"] == 1
    for type_, answer in answers:
        assert_shape(type_, answer)


def test_answers_about_webhooks_have_the_documented_shapes(alice: Person) -> None:
    made = alice.post("/api/webhooks", json={"url": "https://example.com"})
    one = f"/api/webhooks/{made.json()['id']}"
    alice.save("green tea")
    answers: list[tuple[Any, httpx.Response]] = [
        (CreatedWebhook, made),
        (Webhook, alice.get(one)),
        (WebhookList, alice.get("/api/webhooks")),
        (ChangedWebhook, alice.put(one, json=example(WebhookChange))),
        (DeliveryPage, alice.get(f"{one}/deliveries")),
    ]

    for type_, answer in answers:
        assert_shape(type_, answer)


def test_answers_about_health_have_the_documented_shapes(alice: Person) -> None:
    assert_shape(Health, alice.get("/health"))
    assert_shape(Health, alice.get("/api/health"))
    ready = alice.get("/api/health/ready")
    if ready.status_code == httpx.codes.OK:
        assert_shape(Ready, ready)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/memories", NewMemory),
        ("POST", "/api/memories/search/bulk", BulkSearch),
        ("POST", "/api/memories/exports", NewExport),
        ("POST", "/api/webhooks", NewWebhook),
    ],
)
def test_the_examples_of_requests_work(
    alice: Person, method: str, path: str, body: type[Struct]
) -> None:
    sent = example(body)

    assert sent
    assert alice.request(method, path, json=sent).is_success


def test_the_documented_export_request_has_exactly_the_accepted_fields(service: Service) -> None:
    document = httpx.get(f"{service.url}/openapi.json").json()
    operation = document["paths"]["/api/memories/exports"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]

    assert set(schema["properties"]) == set(NewExport.__struct_fields__)
    assert schema["additionalProperties"] is False


def test_a_client_reads_answers_of_a_newer_service(alice: Person) -> None:
    row = alice.save("green tea") | {"a_field_of_tomorrow": 1}

    assert msgspec.convert(row, MemoryRow).content == "green tea"
