"""A page with large rows is rendered in parts, and says just what one with small rows says."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from memferry.filters import Selection
from memferry.memories.service import Memories
from memferry.model.token import Caller
from support.people import Person, make_person
from support.postgres import open_database
from support.tokens import fetchval

# Small ones, some that have no part of their own, and one that is a part by itself.
SIZES = [10, 600_000, 3_000, 3_000, 10, 300_000, 500_000, 5, 690_000, 20, 2_100, 1_000]


@pytest.fixture
def alice(service: Any, database_url: str) -> Iterator[Person]:
    with make_person("alice", service, database_url) as person:
        for number, size in enumerate(SIZES):
            content = (f"tea {number} " + "\x01é" * size)[:size] or "tea"
            metadata = {"parent_ref": "all", "chunk_index": number}
            person.save(content if number % 3 else "tea " + content, metadata=metadata)
        yield person


def whole(person: Person, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [person.get(f"/api/memories/{row['id']}").json() for row in rows]


def test_a_list_has_every_row_as_it_is_by_itself_in_order(alice: Person) -> None:
    rows = alice.get("/api/memories?limit=500").json()
    pages = []
    answer = alice.get("/api/memories?limit=5")
    while True:
        pages += answer.json()
        if "next" not in answer.links:
            break
        answer = alice.get(answer.links["next"]["url"])

    assert [row["metadata"]["chunk_index"] for row in rows] == list(reversed(range(len(SIZES))))
    assert rows == whole(alice, rows) == pages


def test_a_thread_has_every_piece_in_order(alice: Person) -> None:
    chunks = alice.get("/api/threads/all").json()["chunks"]

    assert [row["metadata"]["chunk_index"] for row in chunks] == list(range(len(SIZES)))
    assert chunks == whole(alice, chunks)


def test_hits_keep_their_scores_and_their_queries(alice: Person) -> None:
    listed = alice.get("/api/memories?q=tea&limit=500").json()
    recalled = alice.get("/api/recall/unified?q=tea&limit=500").json()
    body = {"queries": ["tea", "nothing", "4 tea", "tea"], "k": 50}
    results = alice.post("/api/memories/search/bulk", json=body).json()["results"]

    scores = [row["score"] for row in listed]

    assert len(listed) > 3
    assert scores == sorted(scores, reverse=True)
    assert whole(alice, listed) == [
        {key: value for key, value in row.items() if key != "score"} for row in listed
    ]
    assert recalled == {"memories": listed, "procedurals": [], "query": "tea"}
    assert [result["query"] for result in results] == body["queries"]
    assert results[0]["hits"] == results[3]["hits"] == listed
    assert results[1]["hits"] == []
    assert {row["id"] for row in results[2]["hits"]} >= {row["id"] for row in listed}


def test_a_row_that_is_deleted_before_its_part_comes_is_left_out(
    alice: Person, database_url: str
) -> None:
    rows = alice.get("/api/memories?limit=500").json()

    async def read() -> list[list[str | None]]:
        tenant: UUID = await fetchval(
            database_url, "SELECT tenant_id FROM memferry.memories WHERE id = $1", rows[0]["id"]
        )
        async with open_database(database_url) as database:
            memories = Memories(database)
            found = await memories.list_newest(
                Caller(tenant_id=tenant), Selection.for_scan({}), limit=500
            )
            parts = found.render_parts()
            taken = [await anext(parts)]
            for row in rows:
                await asyncio.to_thread(alice.delete, f"/api/memories/{row['id']}")
            return taken + [part async for part in parts]

    first, *others = asyncio.run(read())
    later = [text for part in others for text in part]

    assert len(others) >= 3
    assert None not in first
    # What is small was rendered before.
    assert [text is None for text in later] == [
        len(row["content"]) > 2048 for row in rows[len(first) :]
    ]
