"""A key that is given twice is refused by name: to drop one of its values would lose what was sent.

RFC 8259, section 4, leaves open what a receiver makes of it.
"""

import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from memferry.model.token import SCOPES
from support.people import Person, make_person
from support.service import Service

ROW = {
    "content": "x",
    "namespace": "n",
    "tags": ["a"],
    "source": "s",
    "source_ref": "r",
    "metadata": {"a": 1},
    "expires_at": 8_640_000_000_000_000,
}
FILTERS = {
    "namespace": "n",
    "tags": ["a"],
    "metadata_filter": {"a": 1},
    "created_after": 1,
    "created_before": 2,
    "updated_after": 1,
    "updated_before": 2,
    "ids": ["00000000-0000-4000-8000-000000000000"],
}
HOOK = {"url": "https://example.com/", "events": ["memory.saved"], "description": "d"}
TOKEN = {
    "name": "n",
    "scopes": ["memories:read"],
    "namespaces": ["n"],
    "expires_at": 8_640_000_000_000_000,
}
# Every address that takes a JSON body, and one with all its fields.
EXPORT = {
    "format": "csv",
    "fields": ["id", "metadata"],
    "include": None,
    "csv_metadata": True,
    "csv_safe": True,
    "compression": None,
    "max_part_bytes": 2**20,
    "encrypt_to": None,
    **FILTERS,
}
CHANGE = {name: ROW[name] for name in ("content", "namespace", "tags", "metadata", "expires_at")}
PROJECT = {"name": "p", "description": "d", "metadata": {"a": 1}, "retention_days": 9}
BODIES: dict[str, dict[str, Any]] = {
    "POST /api/memories": ROW,
    "PATCH /api/memories/{memory_id}": CHANGE,
    "PUT /api/memories/{memory_id}": CHANGE,
    "POST /api/memories/{memory_id}/restore": {"version": 1},
    "PUT /api/memories/batch": {"updates": []},
    "DELETE /api/memories/batch": {"ids": []},
    "POST /api/memories/list": {
        "order": "newest",
        "limit": 5,
        "offset": 1,
        "cursor": None,
        **FILTERS,
    },
    "POST /api/memories/search": {"query": "x", "k": 5, "prefix": False, **FILTERS},
    "POST /api/projects": PROJECT,
    "PATCH /api/projects/{project_id}": {**PROJECT, "name": "q", "archived": True},
    "POST /v1/memories/bulk": {"items": [ROW]},
    "POST /api/memories/search/bulk": {
        "queries": ["x"],
        "k": 5,
        "prefix": False,
        **dict.fromkeys(("recall", "source", "include", "entity"), "sent by published clients"),
        **FILTERS,
    },
    "POST /api/memories/exports": EXPORT,
    "POST /api/memories/exports/estimate": EXPORT,
    "POST /api/webhooks": HOOK,
    "PUT /api/webhooks/{webhook_id}": {**HOOK, "enabled": True},
    "POST /api/tokens": TOKEN,
    "POST /api/auth/tokens": TOKEN,
}


@pytest.fixture(scope="module")
def alice(service: Service, database_url: str) -> Iterator[Person]:
    """Alice, who may do everything."""
    with make_person("alice", service, database_url, SCOPES) as person:
        yield person


def repeat(body: dict[str, Any], name: str, key: str | None = None) -> bytes:
    """The body with one member once more, at its end; its key perhaps spelled in another way."""
    again = f"{key or json.dumps(name)} : {json.dumps(body[name])}"
    return f"{json.dumps(body)[:-1]} , {again}}}".encode()


def send(person: Person, target: str, body: bytes) -> httpx.Response:
    method, path = target.split(" ")
    if "{memory_id}" in path:
        path = path.format(memory_id=person.save("kept")["id"])
    elif "{webhook_id}" in path:
        made = person.post("/api/webhooks", json={"url": HOOK["url"]}).json()
        path = path.format(webhook_id=made["id"])
    elif "{project_id}" in path:
        made = person.post("/api/projects", json={"name": uuid4().hex}).json()
        path = path.format(project_id=made["id"])
    return person.request(method, path, content=body)


def test_every_field_of_every_documented_body_is_tried_twice(service: Service) -> None:
    document = httpx.get(f"{service.url}/openapi.json").json()
    known = {
        f"{method.upper()} {path}": set(
            operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
        )
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }

    assert {target: set(body) for target, body in BODIES.items()} == known


@pytest.mark.parametrize(
    ("target", "name"), [(target, name) for target, body in BODIES.items() for name in body]
)
def test_a_repeated_field_is_refused_by_name(alice: Person, target: str, name: str) -> None:
    answer = send(alice, target, repeat(BODIES[target], name))

    assert (answer.status_code, answer.json()["field"]) == (400, name)
    assert "is given twice" in answer.json()["error"]


@pytest.mark.parametrize("target", BODIES)
def test_a_body_with_each_field_once_is_accepted(alice: Person, target: str) -> None:
    spaced = json.dumps(BODIES[target], indent=3, separators=(" ,", " : "))
    assert send(alice, target, spaced.encode()).is_success


@pytest.mark.parametrize("name", ROW)
def test_a_repeated_field_of_a_bulk_row_is_refused_by_name(alice: Person, name: str) -> None:
    bad, good = repeat(ROW, name).decode(), json.dumps(ROW)
    answer = send(alice, "POST /v1/memories/bulk", f'{{"items": [{good}, {bad}]}}'.encode())
    told = answer.json()

    assert (told["saved"], told["errors"]) == (1, 1)
    assert (told["failures"][0]["index"], told["failures"][0]["field"]) == (1, name)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"content": "x", "\\u0063ontent": "y"}', "content"),
        (b'{"content": "x", "content": "x"}', "content"),
        (b'{"content": "x", "created_at": 31, "created_at": 3}', "created_at"),
        (b'{"created_at": 31, "created_at": 3, "content": "x"}', "created_at"),
        (b'{"a": 1, "a": 1, "content": "x"}', "a"),
        (b'{"a": 1, "content": "x", "a": {"content": "y"}}', "a"),
        (b'\n{ "content"\t:\r"x" ,"tags":[],"tags" : [] } ', "tags"),
        (b'{"\\"": 1, "content": "x", "\\u0022": 2}', '"'),
    ],
)
def test_a_repeated_field_is_refused_in_any_spelling_and_place(
    alice: Person, body: bytes, name: str
) -> None:
    answer = alice.post("/api/memories", content=body)

    assert (answer.status_code, answer.json().get("field")) == (400, name)


@pytest.mark.parametrize(
    "body",
    [
        b'{"content": "{\\"content\\": 1, \\"content\\": 2}"}',
        b'{"content": "x", "unknown": {"content": "y"}, "metadata": {"content": {"content": 1}}}',
        b'\t{"content":"\\\\","tags":["\\"content\\""],"":"","\\u0000":1}\n',
    ],
)
def test_a_field_name_inside_a_value_is_no_repetition(alice: Person, body: bytes) -> None:
    assert alice.post("/api/memories", content=body).status_code == 201


@pytest.mark.parametrize(
    ("target", "field", "place"),
    [
        ("POST /api/memories", "metadata", '{"content": "x", "metadata": %s}'),
        ("PATCH /api/memories/{memory_id}", "metadata", '{"metadata": %s}'),
        (
            "POST /v1/memories/bulk",
            "items[0].metadata",
            '{"items": [{"content": "x", "metadata": %s}]}',
        ),
        (
            "POST /api/memories/search/bulk",
            "metadata_filter",
            '{"queries": ["x"], "metadata_filter": %s}',
        ),
        ("POST /api/memories/exports", "metadata_filter", '{"metadata_filter": %s}'),
    ],
)
def test_a_repeated_key_of_metadata_or_of_a_filter_is_refused(
    alice: Person, target: str, field: str, place: str
) -> None:
    answer = send(alice, target, (place % '{"a": {"b": 1, "b": 1}}').encode())

    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert "the key 'b' is given twice" in answer.json()["error"]


@pytest.mark.parametrize(
    ("members", "status"),
    [
        (",".join(f'"{number}":1' for number in range(1_000_000)), 400),
        (",".join(['"a":1'] * 1_000_000), 400),
        ('"a":1,"' + '\\"' * 5_000_000 + '":1', 400),
        ('"a":1' + " " * 10_000_000, 201),
    ],
    ids=["many fields", "one field many times", "a long name", "white space"],
)
def test_a_body_with_many_long_fields_is_answered_quickly(
    alice: Person, members: str, status: int
) -> None:
    began = time.monotonic()
    answer = alice.post("/api/memories", content=f'{{"content": "x", {members}}}'.encode())

    assert answer.status_code == status
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("path", ["/api/memories", "/api/recall/unified"])
def test_a_repeated_key_of_a_filter_in_a_query_is_refused(alice: Person, path: str) -> None:
    answer = alice.get(path, params={"q": "x", "metadata_filter": '{"a": {"b": 1, "b": 1}}'})

    assert (answer.status_code, answer.json()["field"]) == (400, "metadata_filter")
    assert "the key 'b' is given twice" in answer.json()["error"]
