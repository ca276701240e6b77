"""Requests made up from the OpenAPI document: no 5xx, and every answer is a documented one."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import seed as repeat
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from support.people import Person
from support.service import Service

_SMALL, _FULL = 10, 500
DOCUMENTED: list[Callable[..., Any]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = [
    "GET /api/health",
    "GET /health",
    "GET /api/health/ready",
    "POST /api/memories/exports",
    "POST /api/memories/exports/estimate",
    "GET /api/memories/exports",
    "GET /api/memories/exports/{export_id}",
    "DELETE /api/memories/exports/{export_id}",
    "GET /api/memories/exports/{export_id}/manifest",
    "GET /api/keys",
    "POST /api/memories/imports",
    "GET /api/memories/imports",
    "GET /api/memories/imports/{import_id}",
    "DELETE /api/memories/imports/{import_id}",
    "POST /api/memories",
    "GET /api/memories",
    "POST /api/memories/list",
    "POST /api/memories/search",
    "POST /api/memories/search/bulk",
    "GET /api/memories/duplicates",
    "PUT /api/memories/batch",
    "DELETE /api/memories/batch",
    "GET /api/memories/{memory_id}",
    "PATCH /api/memories/{memory_id}",
    "PUT /api/memories/{memory_id}",
    "DELETE /api/memories/{memory_id}",
    "GET /api/memories/{memory_id}/history",
    "POST /api/memories/{memory_id}/restore",
    "POST /v1/memories/bulk",
    "GET /api/recall/unified",
    "GET /api/threads",
    "GET /api/threads/{reference}",
    "GET /api/overview",
    "GET /api/projects",
    "POST /api/projects",
    "GET /api/projects/{project_id}",
    "PATCH /api/projects/{project_id}",
    "DELETE /api/projects/{project_id}",
    "GET /api/namespaces",
    "GET /api/webhooks",
    "POST /api/webhooks",
    "GET /api/webhooks/{webhook_id}",
    "PUT /api/webhooks/{webhook_id}",
    "DELETE /api/webhooks/{webhook_id}",
    "GET /api/webhooks/{webhook_id}/deliveries",
    "GET /api/tokens",
    "POST /api/tokens",
    "GET /api/tokens/{token_id}",
    "DELETE /api/tokens/{token_id}",
    "GET /api/auth/tokens",
    "POST /api/auth/tokens",
    "DELETE /api/auth/tokens/{token_id}",
    "GET /api/auth/me",
    "GET /api/audit",
    "GET /api/limits",
    "GET /downloads/{link}",
]


# Bodies among the components, which pass over unknown fields.
BODIES = {"MovedMemory"}
POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
# Where nothing is asked for, or any text, no request is wrong.
ALWAYS_RIGHT = {
    "GET /api/health",
    "GET /health",
    "GET /api/health/ready",
    "GET /api/keys",
    "GET /downloads/{link}",
}
# Where the document leaves nothing open: what it does not allow must be refused.
STRICT = {
    "POST /api/memories/exports",
    "POST /api/memories/exports/estimate",
    "POST /api/webhooks",
}
CASES = [(each, POSITIVE) for each in OPERATIONS] + [
    (each, NEGATIVE) for each in OPERATIONS if each not in ALWAYS_RIGHT
]


@pytest.fixture(scope="session")
def document(service: Service) -> BaseSchema:
    """The document as the service hands it out."""
    document = httpx.get(f"{service.url}/openapi.json").json()
    loaded: BaseSchema = schemathesis.openapi.from_dict(close_answers(document))
    loaded.config.update(base_url=service.url)
    return loaded


def close_answers(document: dict[str, Any]) -> dict[str, Any]:
    """The document with answers of its own fields and no others.

    Clients must take fields that a newer service sends, so it does not say that there are none.
    """
    for schema in document["components"]["schemas"].values():
        schema.setdefault("additionalProperties", schema["title"] in BODIES)
    return document


@pytest.fixture(scope="session")
def examples(*, full: bool) -> int:
    """How many requests are made up per operation and kind."""
    return _FULL if full else _SMALL


def test_the_fuzzer_tries_every_documented_operation(service: Service) -> None:
    paths = httpx.get(f"{service.url}/openapi.json").json()["paths"]

    assert sorted(OPERATIONS) == sorted(
        f"{method.upper()} {path}" for path, item in paths.items() for method in item
    )


@pytest.mark.fuzz
@pytest.mark.parametrize(
    ("operation", "mode"), CASES, ids=[f"{name} {mode.value}" for name, mode in CASES]
)
def test_every_answer_is_a_documented_one(
    document: BaseSchema,
    alice: Person,
    seed: int,
    examples: int,
    operation: str,
    mode: GenerationMode,
) -> None:
    method, path = operation.split(" ")
    checks = DOCUMENTED + [negative_data_rejection] * (operation in STRICT)
    known = {
        "memory_id": alice.save("x")["id"],
        "export_id": alice.export()["id"],
        "webhook_id": alice.post("/api/webhooks", json={"url": "https://a.example"}).json()["id"],
    }

    @repeat(seed)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=document[path][method].as_strategy(generation_mode=mode), real=st.booleans())
    def check(case: Case[Any], *, real: bool) -> None:
        if real:
            case.path_parameters = {
                name: known.get(name, value) for name, value in case.path_parameters.items()
            }
        answer = case.call(headers={"Authorization": f"Bearer {alice.token}"})
        case.validate_response(answer, checks=checks)

    check()
