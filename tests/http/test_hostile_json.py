"""Bodies made to hang or to crash a reader: refused at once, by every endpoint that takes JSON."""

import json
import time
from collections.abc import Callable
from http.client import HTTPConnection
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
from msgspec import Raw

from memferry.errors import Invalid
from memferry.filters import FILTERS
from memferry.model import rules
from memferry.model.json_text import MAX_DEPTH
from support.people import Person

LEVELS = 10_000
# Refusing takes milliseconds; this tells them from a hang on any machine.
AT_ONCE_SECONDS = 1.0
ARRAYS = "[" * LEVELS + "]" * LEVELS
OBJECTS = '{"a":' * LEVELS + "1" + "}" * LEVELS
UNENDED = "[" * LEVELS

# Method, path, a body with a place for the value, and the field that is named.
PLACES = [
    ("POST", "/api/memories", '{"content": "x", "metadata": {"a": %s}}', "metadata"),
    ("POST", "/api/memories", '{"content": %s}', "content"),
    ("POST", "/api/memories", '{"content": "x", "tags": %s}', "tags"),
    ("POST", "/api/memories", '{"content": "x", "unheard_of": %s}', "unheard_of"),
    ("POST", "/api/memories", "%s", "body"),
    ("PATCH", f"/api/memories/{UUID(int=1)}", '{"metadata": {"a": %s}}', "metadata"),
    ("PATCH", f"/api/memories/{UUID(int=1)}", '{"unheard_of": %s}', "unheard_of"),
    ("POST", "/v1/memories/bulk", '{"items": [{"content": "x", "metadata": %s}]}', "items"),
    ("POST", "/v1/memories/bulk", '{"items": %s}', "items"),
    ("POST", "/v1/memories/bulk", '{"items": [], "unheard_of": %s}', "unheard_of"),
    ("POST", "/api/memories/search/bulk", '{"queries": %s}', "queries"),
    (
        "POST",
        "/api/memories/search/bulk",
        '{"queries": ["x"], "metadata_filter": {"a": %s}}',
        "metadata_filter",
    ),
    ("POST", "/api/memories/exports", '{"metadata_filter": {"a": %s}}', "metadata_filter"),
    ("POST", "/api/memories/exports", '{"tags": %s}', "tags"),
    ("POST", "/api/memories/exports", '{"unheard_of": %s}', "unheard_of"),
    ("POST", "/api/memories/exports", "%s", "body"),
    ("POST", "/api/webhooks", '{"url": %s}', "url"),
    ("POST", "/api/webhooks", '{"url": "https://example.com", "unheard_of": %s}', "unheard_of"),
    ("PUT", f"/api/webhooks/{UUID(int=1)}", '{"events": %s}', "events"),
]


def timed(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer, which comes at once."""
    began = time.monotonic()
    answer = ask()

    assert time.monotonic() - began < AT_ONCE_SECONDS
    return answer


@pytest.mark.parametrize("deep", [ARRAYS, OBJECTS, UNENDED], ids=["arrays", "objects", "unended"])
@pytest.mark.parametrize(("method", "path", "body", "field"), PLACES)
def test_ten_thousand_levels_are_refused_at_once_with_the_field(
    alice: Person, method: str, path: str, body: str, field: str, deep: str
) -> None:
    answer = timed(lambda: alice.request(method, path, content=body % deep))

    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "invalid"
    named = answer.json()["field"]
    # Where the whole body is the nest, its outermost key or the body itself is what there is.
    assert named == field or (field == "body" and named == "a")


@pytest.mark.parametrize("deep", [ARRAYS, OBJECTS, UNENDED], ids=["arrays", "objects", "unended"])
@pytest.mark.parametrize("path", ["/api/memories?", "/api/memories?q=x&", "/api/recall/unified?"])
def test_ten_thousand_levels_in_a_query_string_are_refused_at_once(
    alice: Person, path: str, deep: str
) -> None:
    # Longer than httpx lets an address be.
    connection = HTTPConnection(alice.base_url.host, alice.base_url.port or 80, timeout=10)
    text = quote(f'{{"a":{deep}}}', safe='[]{}:"')
    began = time.monotonic()
    connection.request("GET", f"{path}metadata_filter={text}", headers=dict(alice.headers))
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()

    assert time.monotonic() - began < AT_ONCE_SECONDS
    assert (answer.status, body.get("field")) == (400, "metadata_filter"), body


@pytest.mark.parametrize("padding", [0, 1024 * 1024])
def test_millions_of_levels_are_refused_at_once(alice: Person, padding: int) -> None:
    text, deep = "x" * padding, "[" * 4_000_000
    body = f'{{"content": "{text}", "metadata": {{"a": {deep}'
    answer = timed(lambda: alice.post("/api/memories", content=body))

    assert answer.status_code == 400, answer.text


def test_brackets_in_texts_count_as_no_levels(alice: Person) -> None:
    content = '[{"' * 1000 + "\\"
    row = alice.save(content, metadata={"text": content})

    assert (row["content"], row["metadata"]) == (content, {"text": content})


def test_metadata_may_be_deeper_than_a_filter(alice: Person) -> None:
    deepest = json.loads('{"a":' * MAX_DEPTH + "1" + "}" * MAX_DEPTH)
    saved = alice.post("/v1/memories/bulk", json={"items": [{"content": "x", "metadata": deepest}]})

    assert alice.save("x", metadata=deepest)["metadata"] == deepest
    assert saved.json()["saved"] == 1


def test_a_filter_may_be_32_levels_deep_and_no_deeper(alice: Person) -> None:
    deepest = '{"a":' * rules.FILTER_DEPTH + "1" + "}" * rules.FILTER_DEPTH
    taken = alice.post("/api/memories/exports", content=f'{{"metadata_filter":{deepest}}}')
    refused = alice.post(
        "/api/memories/exports", content=f'{{"metadata_filter":{{"a":{deepest}}}}}'
    )

    assert rules.FILTER_DEPTH == 32
    assert (taken.status_code, refused.status_code) == (201, 400)
    assert refused.json()["error"] == "metadata_filter: nested deeper than 32 levels"


def test_the_keys_of_a_filter_are_counted_in_all_its_objects(alice: Person) -> None:
    half = {str(number): number for number in range(49)}
    taken = alice.get(
        "/api/memories", params={"metadata_filter": json.dumps({"a": half, "b": [half]})}
    )
    more = json.dumps({"a": half, "b": [half, {"c": 1}]})
    refused = [
        alice.get("/api/memories", params={"metadata_filter": more}),
        alice.post("/api/memories/exports", content=f'{{"metadata_filter": {more}}}'),
        alice.post(
            "/api/memories/search/bulk",
            content=f'{{"queries": ["x"], "metadata_filter": {more}}}',
        ),
    ]

    assert rules.FILTER_KEYS == 100
    assert taken.status_code == 200
    assert {each.status_code for each in refused} == {400}
    assert {each.json()["error"] for each in refused} == {"metadata_filter: more than 100 keys"}


def test_a_filter_may_have_a_hundred_tags_and_a_memory_more(alice: Person) -> None:
    tags = [str(number) for number in range(101)]
    row = alice.save("x", tags=tags)
    taken = alice.post("/api/memories/exports", json={"tags": tags[:100]})
    refused = alice.post("/api/memories/exports", json={"tags": tags})

    assert row["tags"] == tags
    assert taken.json()["row_count"] == 1
    assert (refused.status_code, refused.json()["error"]) == (400, "tags: more than 100 tags")


@pytest.mark.parametrize("path", ["/api/memories/exports", "/api/webhooks"])
def test_a_body_of_more_than_64_kib_is_refused(alice: Person, path: str) -> None:
    body = b'{"metadata_filter": {"a": "' + b"x" * 64 * 1024 + b'"}}'
    answer = timed(lambda: alice.post(path, content=body))

    assert (answer.status_code, answer.json()["field"]) == (413, "body")


def test_every_filter_has_a_limit() -> None:
    deep = '{"a":' * 33 + "1" + "}" * 33
    too_much = {
        "namespace": "x" * 513,
        "tags": [""] * 101,
        "metadata_filter": Raw(deep.encode()),
        "created_after": 2**63,
        "created_before": 2**63,
        "updated_after": 2**63,
        "updated_before": 2**63,
        "ids": [str(UUID(int=0))] * 501,
    }
    for each in FILTERS:
        with pytest.raises(Invalid, match=each.field):
            each.check(too_much[each.field])
