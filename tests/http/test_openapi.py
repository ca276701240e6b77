"""The OpenAPI document is true: real answers have its shapes, and its examples work."""

from typing import Any

import httpx
import pytest
from pydantic import BaseModel, TypeAdapter

from memferry.http import shapes
from support.people import Person
from support.service import Service
from support.tokens import admin_of


def example(shape: type[BaseModel]) -> dict[str, Any]:
    """The examples of a shape's fields, as the document shows them."""
    properties = shape.model_json_schema()["properties"]
    return {name: each["examples"][0] for name, each in properties.items() if each.get("examples")}


def test_answers_about_tokens_have_the_documented_shapes(alice: Person, database_url: str) -> None:
    alice.get("/api/memories/none")
    with admin_of(alice, database_url) as admin:
        made = admin.post("/api/tokens", json=example(shapes.NewToken))
        answers: list[tuple[Any, Any]] = [
            (shapes.CreatedToken, made.json()),
            (shapes.TokenList, admin.get("/api/tokens").json()),
            (shapes.Token, admin.get(f"/api/tokens/{made.json()['id']}").json()),
            (shapes.AuditPage, admin.get("/api/audit").json()),
            (shapes.Error, alice.get("/api/tokens").json()),
        ]

    for shape, answer in answers:
        TypeAdapter(shape).validate_python(answer)


def test_answers_have_the_documented_shapes(alice: Person) -> None:
    row = alice.save("green tea", metadata={"x": 1}, source_ref="r")
    bulk = {"items": [{"content": "more"}, {"content": ""}]}
    hook = alice.post("/api/webhooks", json={"url": "https://example.com"}).json()
    answers: list[tuple[Any, Any]] = [
        (shapes.MemoryRow, row),
        (list[shapes.ListedMemory], alice.get("/api/memories").json()),
        (list[shapes.Hit], alice.get("/api/memories?q=tea").json()),
        (shapes.BulkSaved, alice.post("/v1/memories/bulk", json=bulk).json()),
        (shapes.BulkFound, alice.post("/api/memories/search/bulk", json={"queries": ["a"]}).json()),
        (shapes.Recalled, alice.get("/api/recall/unified?q=tea").json()),
        (shapes.Thread, alice.get("/api/threads/r").json()),
        (list[shapes.Namespace], alice.get("/api/namespaces").json()),
        (shapes.Export, alice.export()),
        (shapes.ExportList, alice.get("/api/memories/exports").json()),
        (shapes.CreatedWebhook, hook),
        (shapes.Webhook, alice.get(f"/api/webhooks/{hook['id']}").json()),
        (shapes.WebhookList, alice.get("/api/webhooks").json()),
        (shapes.Health, alice.get("/health").json()),
        (shapes.Error, alice.get("/api/memories/none").json()),
        (shapes.Error, alice.post("/api/memories", json={"content": 1}).json()),
    ]

    for shape, answer in answers:
        TypeAdapter(shape).validate_python(answer)


@pytest.mark.parametrize(
    ("method", "path", "shape"),
    [
        ("POST", "/api/memories", shapes.NewMemory),
        ("POST", "/api/memories/search/bulk", shapes.BulkSearch),
        ("POST", "/api/memories/exports", shapes.ExportRequest),
        ("POST", "/api/webhooks", shapes.NewWebhook),
    ],
)
def test_the_examples_of_requests_work(
    alice: Person, method: str, path: str, shape: type[BaseModel]
) -> None:
    body = example(shape)

    assert body
    assert alice.request(method, path, json=body).is_success


def test_a_body_in_the_document_is_the_one_that_is_taken(service: Service) -> None:
    document = httpx.get(f"{service.url}/openapi.json").json()
    operation = document["paths"]["/api/memories/exports"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]

    assert set(schema["properties"]) == {
        "format",
        "compression",
        "csv_safe",
        "encrypt_to",
        "namespace",
        "tags",
        "metadata_filter",
        "created_after",
        "created_before",
    }
    assert schema["additionalProperties"] is False
    assert "ValidationError" not in str(document)
