"""Lists go on to their end by cursors: every row once, whatever is saved and deleted meanwhile."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from memferry.model.cursor import encode_cursor
from support.people import Person
from support.tokens import create_holder


def pages(person: Person, path: str, **query: Any) -> Iterator[httpx.Response]:
    """Every page of a list, by its links."""
    answer = person.get(path, params=query)
    while True:
        assert answer.status_code == 200, answer.text
        yield answer
        if "next" not in answer.links:
            return
        answer = person.get(answer.links["next"]["url"])


def contents(answers: Iterator[httpx.Response]) -> list[str]:
    return [row["content"] for answer in answers for row in answer.json()]


@pytest.fixture
def many(alice: Person) -> Person:
    """Alice with 23 memories about tea, of which many have the same time."""
    alice.save_many(
        [
            {"content": f"tea {i}", "namespace": "even" if i % 2 == 0 else "odd",
             "tags": ["all", f"t{i % 3}"], "created_at": 1000 + i // 5}
            for i in range(23)
        ]
    )  # fmt: skip
    return alice


@pytest.mark.parametrize(
    "reference", ["https://chat.example/1?a=1#b", "a%2Fb", "a/../b", "x;y", "x,<y>", "é ü", "%"]
)
def test_the_links_of_a_thread_work_for_any_reference(alice: Person, reference: str) -> None:
    for number in range(3):
        alice.save(str(number), source_ref=reference)
    path = f"/api/threads/{quote(reference, safe='')}"
    chunks = [row for page in pages(alice, path, limit=1) for row in page.json()["chunks"]]

    assert [row["content"] for row in chunks] == ["0", "1", "2"]


@pytest.mark.parametrize("limit", [1, 7, 22, 23, 500])
def test_the_links_of_a_list_lead_to_every_row_once_newest_first(many: Person, limit: int) -> None:
    listed = contents(pages(many, "/api/memories", limit=limit))

    assert listed == [f"tea {i}" for i in reversed(range(23))]


@pytest.mark.parametrize(
    "query",
    [
        {"namespace": "odd"},
        {"tags": "t1"},
        {"tags": ["all", "t1"], "created_after": 1001},
        {"q": "tea"},
        {"q": "tea", "namespace": "even"},
        {"namespace": "none"},
    ],
    ids=str,
)
def test_pages_under_filters_hold_what_one_page_holds(many: Person, query: dict[str, Any]) -> None:
    whole = contents(pages(many, "/api/memories", limit=500, **query))
    paged = contents(pages(many, "/api/memories", limit=4, **query))

    assert paged == whole
    assert len(set(paged)) == len(paged)


def test_rows_saved_or_deleted_between_pages_move_no_other_row(many: Person) -> None:
    seen: list[str] = []
    for number, answer in enumerate(pages(many, "/api/memories", limit=5)):
        rows = answer.json()
        seen += [row["content"] for row in rows]
        many.save(f"new {number}")
        many.delete(f"/api/memories/{rows[-1]['id']}")

    assert seen == [f"tea {i}" for i in reversed(range(23))]


def test_the_last_page_has_no_next_link(many: Person) -> None:
    assert "link" not in many.get("/api/memories", params={"limit": 23}).headers
    assert "link" in many.get("/api/memories", params={"limit": 22}).headers


def test_any_offset_is_honoured(many: Person) -> None:
    def listed(offset: int) -> list[str]:
        answer = many.get("/api/memories", params={"limit": 2, "offset": offset})
        return [row["content"] for row in answer.json()]

    assert listed(21) == ["tea 1", "tea 0"]
    assert listed(100_001) == listed(2**63 - 1) == listed(10**30) == []


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%00",
        "é",
        "a" * 5000,
        urlsafe_b64encode(json.dumps([1, "00" * 8, [1, "x"]]).encode()).decode(),
        urlsafe_b64encode(b"[" * 2000).decode(),
        urlsafe_b64encode(json.dumps([1, "00" * 8, [2**70, "x"]]).encode()).decode(),
    ],
)
@pytest.mark.parametrize("path", ["/api/memories", "/api/memories/exports", "/api/threads/x"])
def test_a_malformed_cursor_is_refused_by_name(alice: Person, path: str, cursor: str) -> None:
    answer = alice.get(path, params={"cursor": cursor})

    assert (answer.status_code, answer.json()["field"]) == (400, "cursor")


@pytest.mark.parametrize("other", [{"namespace": "odd"}, {"q": "tea"}, {"tags": "t1"}])
def test_a_cursor_of_another_list_is_refused(many: Person, other: dict[str, str]) -> None:
    link = many.get("/api/memories", params={"limit": 2}).links["next"]["url"]
    cursor = httpx.URL(link).params["cursor"]
    answer = many.get("/api/memories", params={**other, "cursor": cursor})

    assert (answer.status_code, answer.json()["field"]) == (400, "cursor")


def test_a_cursor_beside_an_offset_is_refused(many: Person) -> None:
    link = many.get("/api/memories", params={"limit": 2, "offset": 3}).links["next"]["url"]
    cursor = httpx.URL(link).params["cursor"]
    answer = many.get("/api/memories", params={"cursor": cursor, "offset": 3})

    assert "offset" not in httpx.URL(link).params
    assert (answer.status_code, answer.json()["field"]) == (400, "cursor")


def test_a_thread_is_paged_to_its_end_and_says_when_there_is_more(alice: Person) -> None:
    order = [3, 1, 2, None, 0.5, None, 10]
    alice.save_many(
        [
            {"content": str(index), "metadata": {"parent_ref": "t:1"} | (
                {} if index is None else {"chunk_index": index})}
            for index in order
        ]
    )  # fmt: skip
    bodies = [answer.json() for answer in pages(alice, "/api/threads/t:1", limit=3)]

    assert [chunk["content"] for body in bodies for chunk in body["chunks"]] == [
        "0.5", "1", "2", "3", "10", "None", "None",
    ]  # fmt: skip
    assert ["next_cursor" in body for body in bodies] == [True, True, False]


def test_the_id_of_a_memory_without_a_thread_is_a_thread_of_one(alice: Person, bob: Person) -> None:
    alone = alice.save("alone", metadata={"parent_ref": None})
    piece = alice.save("piece", metadata={"parent_ref": "t:1"})

    assert alice.get(f"/api/threads/{alone['id']}").json()["chunks"] == [alone]
    single = alice.save("single")
    assert alice.get(f"/api/threads/{single['id']}").json()["chunks"] == [single]
    assert alice.get(f"/api/threads/{piece['id']}").json()["chunks"] == []
    assert bob.get(f"/api/threads/{single['id']}").json()["chunks"] == []


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_the_namespaces_are_paged_to_their_end(alice: Person, limit: int) -> None:
    names = ["b", "a", "é ü", "", "c"]
    for name in names:
        alice.save("x", namespace=name)
    whole = alice.get("/api/namespaces").json()
    listed = [row for page in pages(alice, "/api/namespaces", limit=limit) for row in page.json()]

    assert listed == whole
    assert {row["name"] for row in whole} == {"b", "a", "é ü", "default", "c"}


@pytest.mark.parametrize("place", [[2**64, "x"], [-(2**64), "x"], [-1, "a\0b"], [-1, "x" * 513]])
def test_a_malformed_cursor_of_namespaces_is_refused(alice: Person, place: list[Any]) -> None:
    cursor = encode_cursor(("namespaces",), place)
    answer = alice.get("/api/namespaces", params={"cursor": cursor})

    assert (answer.status_code, answer.json()["field"]) == (400, "cursor")


def test_the_exports_are_paged_to_their_end(alice: Person) -> None:
    made = [alice.export()["id"] for _ in range(5)]
    bodies = [answer.json() for answer in pages(alice, "/api/memories/exports", limit=2)]

    assert [export["id"] for body in bodies for export in body["exports"]] == made[::-1]
    assert ["next_cursor" in body for body in bodies] == [True, True, False]


def test_the_audit_is_paged_to_its_end(alice: Person, database_url: str) -> None:
    for _ in range(3):
        alice.export()
    with create_holder(alice, database_url, scopes=("admin",)) as admin:
        whole = admin.get("/api/audit", params={"limit": 500}).json()["entries"]
        paged = [
            entry
            for answer in pages(admin, "/api/audit", limit=2)
            for entry in answer.json()["entries"]
        ]

    assert [entry["id"] for entry in paged] == [entry["id"] for entry in whole]
    assert len(paged) >= 6
