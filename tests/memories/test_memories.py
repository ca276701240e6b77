"""POST, GET, PATCH, DELETE /api/memories, and what lives beside them."""

import time
from http.client import HTTPConnection
from typing import Any
from uuid import UUID, uuid4

import pytest

from support.memories import AWKWARD, ROW_KEYS
from support.people import Person


def test_a_saved_memory_comes_back_with_the_nine_keys_in_order(alice: Person) -> None:
    row = alice.save("Likes tea.")

    assert list(row) == ROW_KEYS
    assert UUID(row["id"]).version == 7
    assert row | {"id": 0, "created_at": 0, "updated_at": 0} == {
        "id": 0,
        "content": "Likes tea.",
        "namespace": "default",
        "tags": [],
        "source": "agent",
        "source_ref": None,
        "metadata": None,
        "created_at": 0,
        "updated_at": 0,
    }
    assert abs(row["created_at"] - time.time() * 1000) < 5000


@pytest.mark.parametrize("namespace", [None, ""])
def test_no_namespace_means_default(alice: Person, namespace: str | None) -> None:
    assert alice.save("x", namespace=namespace)["namespace"] == "default"


@pytest.mark.parametrize("text", AWKWARD)
def test_text_is_kept_byte_for_byte(alice: Person, text: str) -> None:
    row = alice.save(text, tags=[text], source_ref=text, metadata={text: text})

    found = alice.get(f"/api/memories/{row['id']}").json()

    assert (found["content"], found["tags"], found["source_ref"]) == (text, [text], text)
    assert found["metadata"] == {text: text}


def test_numbers_of_metadata_keep_every_digit(alice: Person) -> None:
    body = '{"content":"n","metadata":{"a":1.50,"b":12345678901234567890123}}'

    saved = alice.post("/api/memories", content=body).text

    assert '"metadata":{"a":1.50,"b":12345678901234567890123}' in saved


def test_saving_the_same_content_twice_makes_two_memories(alice: Person) -> None:
    assert alice.save("same")["id"] != alice.save("same")["id"]


@pytest.mark.parametrize("size", [1024 * 1024, 1024 * 1024 + 1])
def test_content_may_have_one_mebibyte_of_utf8(alice: Person, size: int) -> None:
    answer = alice.post("/api/memories", json={"content": "x" * size})

    assert answer.status_code == (201 if size == 1024 * 1024 else 413)
    if answer.is_error:
        assert answer.json()["field"] == "content"


def test_a_mebibyte_of_different_words_is_kept_and_found(alice: Person) -> None:
    words = " ".join(f"{number:x}" for number in range(190_000))[: 1024 * 1024]
    row = alice.save(words)

    assert [hit["id"] for hit in alice.get("/api/memories?q=1f").json()] == [row["id"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b"{", "body"),
        (b'{"content": 5}', "content"),
        (b'{"content": ""}', "content"),
        (b'{"content": null}', "content"),
        (b'{"tags": []}', "content"),
        (b'{"content": "a\\u0000b"}', "content"),
        (b'{"content": "\\ud800"}', "content"),
        (b'{"content": "\xff"}', "content"),
        (b'{"content": "a", "tags": "b"}', "tags"),
        (b'{"content": "a", "tags": [1]}', "tags[0]"),
        (b'{"content": "a", "tags": ["\\u0000"]}', "tags[0]"),
        (b'{"content": "a", "tags": ["' + b"x" * 513 + b'"]}', "tags[0]"),
        (b'{"content": "a", "namespace": 1}', "namespace"),
        (b'{"content": "a", "namespace": "' + b"x" * 513 + b'"}', "namespace"),
        (b'{"content": "a", "source": true}', "source"),
        (b'{"content": "a", "source_ref": {}}', "source_ref"),
        (b'{"content": "a", "metadata": []}', "metadata"),
        (b'{"content": "a", "metadata": "x"}', "metadata"),
        (b'{"content": "a", "metadata": {"x": "\\u0000"}}', "metadata"),
        (b'{"content": "a", "metadata": {"x": "\\udc00"}}', "metadata"),
        (b'{"content": "a", "metadata": {"x": 1e131071}}', "metadata"),
        (b'{"content": "a", "metadata": {"x": ' + b"9" * 5000 + b"}}", "metadata"),
        (b'{"content": "a", "metadata": {"x": ' + b"9" * 500 + b"}}", "metadata"),
        (b'{"content": "a", "metadata": {"x": 0.' + b"9" * 500 + b"}}", "metadata"),
        (b'{"content": "a", "metadata": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001, "metadata"),
    ],
)
def test_wrong_input_is_refused_quickly_by_name_and_nothing_is_stored(
    alice: Person, body: bytes, field: str
) -> None:
    started = time.monotonic()
    answer = alice.post("/api/memories", content=body)

    assert (answer.status_code, answer.json()["field"]) == (400, field), answer.text
    assert answer.json()["error"].startswith(f"{field}: ")
    assert time.monotonic() - started < 1
    assert alice.get("/api/memories").json() == []


def test_a_body_over_the_limit_is_refused_while_it_arrives(alice: Person) -> None:
    def endless() -> Any:
        for _ in range(40):
            yield b"x" * 1024 * 1024

    answer = alice.post("/api/memories", content=endless())

    assert (answer.status_code, answer.json()["field"]) == (413, "body")


def test_a_body_that_says_it_is_too_large_is_refused_before_it_arrives(alice: Person) -> None:
    connection = HTTPConnection(alice.base_url.host, alice.base_url.port or 80, timeout=10)
    connection.putrequest("POST", "/api/memories")
    connection.putheader("Authorization", alice.headers["Authorization"])
    connection.putheader("Content-Length", str(40 * 1024 * 1024))
    connection.endheaders()
    answer = connection.getresponse()

    assert answer.status == 413
    connection.close()


@pytest.mark.parametrize("size", [1024 * 1024, 1024 * 1024 + 1])
def test_metadata_may_have_one_mebibyte(alice: Person, size: int) -> None:
    metadata = '{"a":"' + "x" * (size - 8) + '"}'
    body = f'{{"content": "x", "metadata": {metadata}}}'
    answer = alice.post("/api/memories", content=body)

    assert len(metadata) == size
    assert answer.status_code == (201 if size == 1024 * 1024 else 413)
    if answer.is_error:
        assert answer.json()["field"] == "metadata"


def test_a_change_of_a_memory_touches_only_the_given_fields(alice: Person) -> None:
    row = alice.save("old", tags=["a"], metadata={"keep": 1, "drop": 2})

    changed = alice.patch(
        f"/api/memories/{row['id']}",
        json={"tags": ["b", "c"], "namespace": "n", "metadata": {"drop": None, "new": {"x": None}}},
    ).json()

    assert changed["content"] == "old"
    assert (changed["tags"], changed["namespace"]) == (["b", "c"], "n")
    assert changed["metadata"] == {"keep": 1, "new": {"x": None}}
    assert changed["created_at"] == row["created_at"]
    assert changed["updated_at"] > row["updated_at"]


@pytest.mark.parametrize("body", ["", "{}", '{"unknown": 1}', '{"metadata": null}'])
def test_a_change_of_a_memory_without_a_field_is_refused(alice: Person, body: str) -> None:
    row = alice.save("old")

    assert alice.patch(f"/api/memories/{row['id']}", content=body).status_code == 400


def test_a_deleted_memory_is_gone(alice: Person) -> None:
    path = f"/api/memories/{alice.save('x')['id']}"

    assert alice.delete(path).status_code == 204
    assert [alice.get(path).status_code, alice.delete(path).status_code] == [404, 404]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_memory_of_another_tenant_is_not_found(alice: Person, bob: Person, method: str) -> None:
    row = alice.save("secret of Alice")
    body = {"content": "x"} if method == "PATCH" else None

    answers = [
        bob.request(method, f"/api/memories/{memory_id}", json=body)
        for memory_id in (row["id"], uuid4(), "no-uuid")
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({answer.text for answer in answers}) == 1
    assert "not found" in answers[0].json()["error"]
    assert alice.get(f"/api/memories/{row['id']}").json() == row


def test_bulk_save_counts_and_names_what_it_could_not_save(alice: Person) -> None:
    items = [{"content": "good"}, {"content": ""}, {"content": 5}, "junk", {"content": "also"}]

    answer = alice.post("/v1/memories/bulk", json={"items": items}).json()

    assert (answer["saved"], answer["errors"]) == (2, 3)
    assert [each["index"] for each in answer["failures"]] == [1, 2, 3]
    assert len(alice.get("/api/memories").json()) == 2


def test_bulk_save_refuses_a_request_of_which_nothing_can_be_saved(alice: Person) -> None:
    answer = alice.post("/v1/memories/bulk", json={"items": [{"content": ""}]})

    assert (answer.status_code, answer.json()["field"]) == (400, "items[0].content")
    assert alice.post("/v1/memories/bulk", json={"items": []}).json()["saved"] == 0


def test_bulk_save_takes_ten_thousand_rows(alice: Person) -> None:
    answer = alice.post("/v1/memories/bulk", json={"items": [{"content": "x"}] * 10_001})

    assert (answer.status_code, answer.json()["field"]) == (400, "items")
    assert alice.get("/api/memories").json() == []


def test_moved_rows_keep_tags_and_times(alice: Person) -> None:
    tags = ['a"b', "c\\d", "{e}", "f,g", "NULL", ""]
    alice.save_many([{"content": "x", "tags": tags, "created_at": 5, "metadata": {"n": 1.50}}])

    (row,) = alice.get("/api/memories").json()

    assert (row["tags"], row["created_at"], row["updated_at"]) == (tags, 5, 5)
