"""Listing, searching and recalling memories; threads and namespaces."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from support.people import Person


def test_the_list_runs_newest_first_and_pages_fit_together(alice: Person) -> None:
    alice.save_many([{"content": str(i)} for i in range(25)])

    pages = [alice.get(f"/api/memories?limit=10&offset={at}").json() for at in (0, 10, 20)]

    assert [row["content"] for page in pages for row in page] == [
        str(i) for i in reversed(range(25))
    ]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 50),
        ("limit=junk", 50),
        ("limit=0", 1),
        ("limit=-5", 1),
        ("limit=501", 60),
        ("limit=1.5", 50),
        ("offset=junk", 50),
        ("offset=58", 2),
        ("offset=99999999999999999999", 0),
        ("created_after=junk", 50),
        ("created_before=0", 0),
    ],
)
def test_junk_numbers_fall_back_and_others_are_clamped(
    alice: Person, query: str, count: int
) -> None:
    alice.save_many([{"content": str(i)} for i in range(60)])

    assert len(alice.get(f"/api/memories?{query}").json()) == count


def test_all_filters_must_hold_and_bounds_belong_to_them(alice: Person) -> None:
    times = {"created_at": 1000, "updated_at": 2000}
    alice.save_many(
        [
            {"content": "tea one", "namespace": "n", "metadata": {"a": {"b": 1}, "c": 2}, **times},
            {"content": "tea two", "namespace": "n", "metadata": {"a": {"b": 2}}, **times},
            {"content": "tea three", "namespace": "m", "metadata": {"a": {"b": 1}}, **times},
        ]
    )
    exact = (
        "namespace=n&created_after=1000&created_before=1000&updated_after=2000&updated_before=2000"
    )
    wanted = quote(json.dumps({"a": {"b": 1}}))

    for extra in ("", "&q=tea"):
        found = alice.get(f"/api/memories?{exact}&metadata_filter={wanted}{extra}").json()
        assert [row["content"] for row in found] == ["tea one"]
    later = exact.replace("created_after=1000", "created_after=1001")
    assert alice.get(f"/api/memories?{later}").json() == []


@pytest.mark.parametrize(
    "query", ["metadata_filter=[1]", "metadata_filter={", "namespace=%00", "namespace=%FF"]
)
def test_a_malformed_filter_is_refused(alice: Person, query: str) -> None:
    assert alice.get(f"/api/memories?{query}").status_code == 400


def test_any_shared_word_finds_a_memory_best_first(alice: Person) -> None:
    for text in ("red fox", "the red fox and the green fox", "blue whale", "Node.js, GPT-4"):
        alice.save(text)

    def found(q: str) -> list[str]:
        return [row["content"] for row in alice.get("/api/memories", params={"q": q}).json()]

    assert set(found("FOX zebra")) == {"red fox", "the red fox and the green fox"}
    assert found("green whale fox")[0] == "the red fox and the green fox"
    assert found("node") == found("4") == ["Node.js, GPT-4"]
    assert found("the") == ["the red fox and the green fox"]
    assert found("unicorn") == []


def test_scores_are_positive_and_fall(alice: Person) -> None:
    for text in ("tea", "tea and milk", "milk", "tea tea tea milk"):
        alice.save(text)

    scores = [row["score"] for row in alice.get("/api/memories?q=tea+milk").json()]

    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] > 0


@pytest.mark.parametrize(
    "q",
    ["& | ! ( ) :*", "'; DROP TABLE memories; --", "\\", "a:b <-> c", '"', "%", "x" * 3000, "'"],
)
def test_a_query_is_plain_text_and_never_an_error(alice: Person, q: str) -> None:
    alice.save("nothing to see")

    assert alice.get("/api/memories", params={"q": q}).json() == []


def test_bulk_search_keeps_order_duplicates_and_empty_hits(alice: Person) -> None:
    row = alice.save("green tea")
    queries = ["tea", "coffee", "tea"]

    results = alice.post("/api/memories/search/bulk", json={"queries": queries, "k": 99}).json()

    assert [each["query"] for each in results["results"]] == queries
    assert [[hit["id"] for hit in each["hits"]] for each in results["results"]] == [
        [row["id"]],
        [],
        [row["id"]],
    ]


@pytest.mark.parametrize("body", [{}, {"queries": []}, {"queries": ["a"] * 26}, {"queries": "a"}])
def test_bulk_search_takes_1_to_25_queries(alice: Person, body: dict[str, Any]) -> None:
    answer = alice.post("/api/memories/search/bulk", json=body)

    assert (answer.status_code, answer.json()["field"]) == (400, "queries")


def test_recall_answers_what_the_mcp_server_reads(alice: Person) -> None:
    row = alice.save("green tea", namespace="n")

    answer = alice.get("/api/recall/unified?q=tea&namespace=n&limit=5").json()

    assert [each["id"] for each in answer["memories"]] == [row["id"]]
    assert (answer["procedurals"], answer["query"]) == ([], "tea")


def test_a_thread_is_ordered_by_chunk_index(alice: Person, bob: Person) -> None:
    reference = "chat:2026/03/14 #1"
    for index in (2, 10, 0, 1):
        alice.save(str(index), metadata={"parent_ref": reference, "chunk_index": index})
    alice.save("by source", source_ref=reference)
    path = f"/api/threads/{quote(reference, safe='')}"

    answer = alice.get(path).json()

    assert answer["parent_ref"] == reference
    assert [row["content"] for row in answer["chunks"]] == ["0", "1", "2", "10", "by source"]
    assert bob.get(path).json()["chunks"] == []


def test_namespaces_count_their_memories(alice: Person) -> None:
    alice.save("a", namespace="old")
    row = alice.save("b", namespace="new")
    alice.save("c", namespace="new")
    alice.delete(f"/api/memories/{row['id']}")

    found = alice.get("/api/namespaces").json()

    assert [(each["name"], each["count"]) for each in found] == [("new", 1), ("old", 1)]
    assert set(found[0]) == {"name", "count", "last_updated"}


@pytest.mark.parametrize("reference", ["a\nb", "\n", "a\n", "a/b//c", "?#%", "\u2028", "  "])
def test_a_thread_may_have_any_text_as_its_reference(alice: Person, reference: str) -> None:
    row = alice.save("x", source_ref=reference)

    answer = alice.get(f"/api/threads/{quote(reference, safe='')}").json()

    assert answer == {"parent_ref": reference, "chunks": [row]}
