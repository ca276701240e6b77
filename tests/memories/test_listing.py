"""Lists and searches whose filters are in a body: four orders, a total, pages to the end."""

from typing import Any

import httpx
import pytest

from support.memories import ROW_KEYS
from support.people import Person
from support.tokens import create_holder

LIST, SEARCH = "/api/memories/list", "/api/memories/search"
ORDERS = ("newest", "oldest", "updated_desc", "updated_asc")


def listed(person: Person, **body: Any) -> dict[str, Any]:
    answer = person.post(LIST, json=body)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def contents(rows: list[dict[str, Any]]) -> list[str]:
    return [row["content"] for row in rows]


def page_through(person: Person, **body: Any) -> list[dict[str, Any]]:
    """All pages of a list, by their cursors."""
    pages = [listed(person, **body)]
    while "next_cursor" in pages[-1]:
        pages.append(listed(person, **body, cursor=pages[-1]["next_cursor"]))
    return pages


@pytest.fixture
def many(alice: Person) -> Person:
    """Alice with 23 memories; those created late were changed early, many at the same time."""
    alice.save_many(
        [
            {"content": f"tea {i}", "namespace": "even" if i % 2 == 0 else "odd",
             "tags": ["all", f"t{i % 3}"], "metadata": {"third": i % 3},
             "created_at": 1000 + i // 5, "updated_at": 9000 - i // 4}
            for i in range(23)
        ]
    )  # fmt: skip
    return alice


def test_a_list_tells_its_page_and_how_many_match(many: Person) -> None:
    page = listed(many, limit=5, offset=3, namespace="odd")

    assert {name: page[name] for name in ("limit", "offset", "total")} == {
        "limit": 5, "offset": 3, "total": 11,
    }  # fmt: skip
    assert len(page["memories"]) == 5
    assert list(page["memories"][0]) == ROW_KEYS
    assert listed(many, tags=["all", "t1"])["total"] == 8
    assert listed(many, metadata_filter={"third": 2})["total"] == 7
    assert listed(many, created_after=1001, created_before=1001)["total"] == 5
    assert listed(many, updated_after=8999, updated_before=8999)["total"] == 4
    assert listed(many, namespace="none") == {
        "limit": 50, "offset": 0, "total": 0, "memories": [],
    }  # fmt: skip


def test_the_last_change_comes_first_unless_another_order_is_asked_for(many: Person) -> None:
    rows = {order: listed(many, order=order)["memories"] for order in ORDERS}

    assert contents(rows["newest"]) == [f"tea {i}" for i in reversed(range(23))]
    assert contents(rows["oldest"]) == [f"tea {i}" for i in range(23)]
    assert rows["updated_asc"] == rows["updated_desc"][::-1]
    assert listed(many)["memories"] == listed(many, order=None)["memories"] == rows["updated_desc"]
    assert [row["updated_at"] for row in rows["updated_desc"]] == sorted(
        (row["updated_at"] for row in rows["oldest"]), reverse=True
    )


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("limit", [1, 4, 22, 23])
@pytest.mark.parametrize("filters", [{}, {"namespace": "even"}, {"tags": ["t0"]}], ids=str)
def test_the_cursors_of_every_order_lead_to_every_row_once(
    many: Person, order: str, limit: int, filters: dict[str, Any]
) -> None:
    whole = listed(many, order=order, limit=500, **filters)
    pages = page_through(many, order=order, limit=limit, **filters)

    assert [row for page in pages for row in page["memories"]] == whole["memories"]
    assert {page["total"] for page in pages} == {whole["total"]}


@pytest.mark.parametrize("order", ORDERS)
def test_rows_saved_or_deleted_between_pages_move_no_other_row(many: Person, order: str) -> None:
    before = [row["id"] for row in listed(many, order=order)["memories"]]
    page, seen = listed(many, order=order, limit=5), []
    while True:
        seen += [row["id"] for row in page["memories"]]
        many.save("new")
        many.delete(f"/api/memories/{page['memories'][-1]['id']}")
        if "next_cursor" not in page:
            break
        page = listed(many, order=order, limit=5, cursor=page["next_cursor"])

    assert [each for each in seen if each in set(before)] == before
    assert len(set(seen)) == len(seen)


def test_pages_repeat_the_total_of_the_first_one(many: Person) -> None:
    first = listed(many, limit=2)
    many.save("new")

    assert listed(many, limit=2, cursor=first["next_cursor"])["total"] == 23
    assert listed(many, limit=2)["total"] == 24


def test_any_offset_is_honoured(many: Person) -> None:
    assert contents(listed(many, order="oldest", offset=21)["memories"]) == ["tea 21", "tea 22"]
    for offset in (23, 100_001, 2**63 - 1, 10**30):
        assert listed(many, offset=offset)["memories"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"order": "best"}, "order"),
        ({"order": ""}, "order"),
        ({"order": 3}, "order"),
        ({"tags": "x"}, "tags"),
        ({"namespace": ""}, "namespace"),
        ({"updated_after": -1}, "updated_after"),
        ({"metadata_filter": []}, "metadata_filter"),
        ({"entity": "x"}, "entity"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": 3}, "cursor"),
        ([], "body"),
    ],
)
def test_a_wrong_list_is_refused_by_name(alice: Person, body: Any, field: str) -> None:
    answer = alice.post(LIST, json=body)

    assert (answer.status_code, answer.json()["field"]) == (400, field)


@pytest.mark.parametrize("other", [{"order": "oldest"}, {"namespace": "odd"}, {"offset": 1}])
def test_a_cursor_of_another_list_is_refused(many: Person, other: dict[str, Any]) -> None:
    cursor = listed(many, limit=2)["next_cursor"]
    answer = many.post(LIST, json={"limit": 2, "cursor": cursor, **other})

    assert (answer.status_code, answer.json()["field"]) == (400, "cursor")


@pytest.mark.parametrize(("limit", "rows"), [(0, 1), (-3, 1), ("x", 23), (7, 7), ("7", 7)])
def test_a_limit_is_held_within_its_bounds(many: Person, limit: Any, rows: int) -> None:
    assert len(listed(many, limit=limit)["memories"]) == rows


def test_a_list_without_a_body_is_the_list_of_all(many: Person) -> None:
    assert many.post(LIST).json() == listed(many)


def test_a_search_finds_the_best_hits_under_its_filters(many: Person) -> None:
    many.save("green tea and cake", tags=["cake"])
    answer = many.post(SEARCH, json={"query": "green tea", "k": 3})
    tagged = many.post(SEARCH, json={"query": "tea", "k": 100, "tags": ["t1"]}).json()
    hits = answer.json()["hits"]

    assert answer.json()["query"] == "green tea"
    assert (len(hits), hits[0]["content"]) == (3, "green tea and cake")
    assert list(hits[0]) == [*ROW_KEYS, "score"]
    assert {row["tags"][1] for row in tagged["hits"]} == {"t1"}
    assert len(many.post(SEARCH, json={"query": "tea"}).json()["hits"]) == 5
    assert len(many.post(SEARCH, json={"query": "tea", "k": 1000}).json()["hits"]) == 24
    assert many.post(SEARCH, json={"query": "coffee"}).json() == {"query": "coffee", "hits": []}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "query"),
        ({"query": 3}, "query"),
        ({"query": "a\0b"}, "query"),
        ({"query": "x" * 10_001}, "query"),
        ({"query": "tea", "prefix": "x"}, "prefix"),
        ({"query": "tea", "tag": "x"}, "tag"),
        ({"query": "tea", "created_after": -1}, "created_after"),
    ],
)
def test_a_wrong_search_is_refused_by_name(alice: Person, body: dict[str, Any], field: str) -> None:
    answer = alice.post(SEARCH, json=body)

    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_a_limited_token_lists_and_counts_its_namespaces_alone(
    many: Person, bob: Person, database_url: str
) -> None:
    bob.save("tea of Bob", namespace="odd")
    with create_holder(many, database_url, namespaces=("odd",)) as limited:
        page = listed(limited)
        hits = limited.post(SEARCH, json={"query": "tea", "k": 100}).json()["hits"]

    assert (page["total"], {row["namespace"] for row in page["memories"]}) == (11, {"odd"})
    assert (len(hits), {row["namespace"] for row in hits}) == (11, {"odd"})


def test_large_rows_of_a_list_come_whole(alice: Person) -> None:
    rows = [alice.save(f"{i}" + "é" * 400_000) for i in range(4)]

    assert listed(alice, order="oldest")["memories"] == rows


def test_duplicates_are_groups_of_equal_content_in_one_namespace(alice: Person) -> None:
    alice.save_many(
        [
            {"content": content, "namespace": namespace, "created_at": number}
            for number, (content, namespace) in enumerate(
                [
                    ("b", "x"),
                    ("a", "x"),
                    ("a", "y"),
                    ("a", "x"),
                    ("b", "x"),
                    ("a", "x"),
                    ("a ", "x"),
                ]
            )
        ]
    )
    ids = [row["id"] for row in listed(alice, order="oldest")["memories"]]
    groups = alice.get("/api/memories/duplicates").json()["groups"]

    assert [(group["namespace"], group["count"], group["ids"]) for group in groups] == [
        ("x", 2, [ids[0], ids[4]]),
        ("x", 3, [ids[1], ids[3], ids[5]]),
    ]
    assert groups[1] == {
        "sha256": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
        "namespace": "x", "count": 3, "first_at": 1, "last_at": 5, "ids": groups[1]["ids"],
    }  # fmt: skip
    assert alice.get("/api/memories/duplicates", params={"namespace": "y"}).json() == {"groups": []}


@pytest.mark.parametrize("limit", [1, 3, 11, 12])
def test_duplicates_are_paged_to_their_end(alice: Person, limit: int) -> None:
    alice.save_many(
        [{"content": f"{i % 12}", "namespace": f"{i % 2}", "created_at": i // 8} for i in range(30)]
    )
    whole = alice.get("/api/memories/duplicates").json()["groups"]
    answer, paged = alice.get("/api/memories/duplicates", params={"limit": limit}), []
    while True:
        paged += answer.json()["groups"]
        assert ("next_cursor" in answer.json()) == ("next" in answer.links)
        if "next" not in answer.links:
            break
        answer = alice.get(answer.links["next"]["url"])

    assert (len(whole), paged) == (12, whole)
    assert [group["first_at"] for group in whole] == sorted(group["first_at"] for group in whole)


def test_a_group_shows_a_hundred_ids_and_counts_all(alice: Person) -> None:
    alice.save_many([{"content": "x", "created_at": i} for i in range(150)])
    (group,) = alice.get("/api/memories/duplicates").json()["groups"]
    oldest = [row["id"] for row in listed(alice, order="oldest", limit=100)["memories"]]

    assert (group["count"], group["ids"]) == (150, oldest)


def test_duplicates_of_others_are_none_of_mine(
    alice: Person, bob: Person, database_url: str
) -> None:
    alice.save("x", namespace="home")
    alice.save("x", namespace="work")
    alice.save("x", namespace="work")
    bob.save("x", namespace="home")
    with create_holder(alice, database_url, namespaces=("home",)) as limited:
        assert limited.get("/api/memories/duplicates").json() == {"groups": []}
    assert bob.get("/api/memories/duplicates").json() == {"groups": []}


@pytest.mark.parametrize("query", [{"limit": "2", "offset": "1"}, {"tags": "x"}])
def test_duplicates_refuse_other_parameters(alice: Person, query: dict[str, str]) -> None:
    answer: httpx.Response = alice.get("/api/memories/duplicates", params=query)

    assert answer.status_code == 400
