"""The list of threads: conversations by their parent_ref, and memories that belong to none."""

from collections.abc import AsyncIterator
from typing import Any, LiteralString

import pytest

from memferry.database.pool import Connection
from memferry.database.sql import sql
from memferry.filters import Selection
from support.people import Person
from support.tokens import create_holder
from support.transactions import open_transaction

PATH = "/api/threads"
START = (-(2**63), "", "")


def piece(ref: Any, at: int, **more: Any) -> dict[str, Any]:
    metadata = {"parent_ref": ref, **more.pop("metadata", {})}
    return {"content": f"{ref} at {at}", "created_at": at, "metadata": metadata, **more}


def test_a_thread_is_summed_up_from_its_pieces(alice: Person) -> None:
    alice.save_many(
        [
            piece("chat:1", 5, namespace="web", metadata={"chunk_index": 1}),
            piece("chat:1", 3, namespace="web", metadata={"chunk_index": 0, "title": "Tea"}),
            piece("chat:1", 4, namespace="home"),
            piece("a/b", 9, namespace="web", content="\n\n first line \nsecond"),
        ]
    )

    assert alice.get(PATH).json() == [
        {"parent_ref": "a/b", "namespace": "web", "count": 1, "first_at": 9, "last_at": 9,
         "title": " first line ", "has_chunks": False},
        {"parent_ref": "chat:1", "namespace": "web", "count": 2, "first_at": 3, "last_at": 5,
         "title": "Tea", "has_chunks": True},
        {"parent_ref": "chat:1", "namespace": "home", "count": 1, "first_at": 4, "last_at": 4,
         "title": "chat:1 at 4", "has_chunks": False},
    ]  # fmt: skip


@pytest.mark.parametrize("metadata", [None, {}, {"parent_ref": None}, {"parent_ref": 5}])
def test_a_memory_without_a_parent_ref_is_a_thread_of_one(alice: Person, metadata: Any) -> None:
    row = alice.save("alone\nand more", metadata=metadata, source_ref="chat:1")
    (thread,) = alice.get(PATH).json()

    assert (thread["parent_ref"], thread["count"], thread["title"]) == (row["id"], 1, "alone")
    assert alice.get(f"{PATH}/{thread['parent_ref']}").json()["chunks"] == [row]


@pytest.mark.parametrize("content", ["\n", "\r\n\r\n", " "])
def test_a_thread_without_any_word_has_a_title_all_the_same(alice: Person, content: str) -> None:
    alice.save(content)

    assert alice.get(PATH).json()[0]["title"] in {"", " "}


@pytest.fixture
def many(alice: Person) -> Person:
    """Alice with 12 threads, some of one memory, many with the same time."""
    alice.save_many(
        [piece(f"t{i % 9}", i // 4, namespace=f"n{i % 2}") for i in range(18) if i != 7]
        + [{"content": f"alone {i}", "created_at": i} for i in range(3)]
    )
    return alice


@pytest.fixture
async def connection(many: Person, database_url: str) -> AsyncIterator[Connection]:
    """A transaction of Alice."""
    async with open_transaction(many, database_url) as opened:
        yield opened


async def fetch_threads(
    connection: Connection, name: LiteralString, *leading: object
) -> list[dict[str, Any]]:
    """At most 500 threads by a statement, whose own arguments are `leading`."""
    statement, arguments = Selection.for_scan({}).fill(sql(name), 500, 0, *leading)
    return [dict(row) for row in await connection.fetch(statement, *arguments)]


@pytest.mark.parametrize("recent", [1, 2, 3, 5, 8, 13, 19, 20, 21])
async def test_threads_found_among_recent_memories_are_those_found_among_all(
    connection: Connection, recent: int
) -> None:
    """Fewer may be found; none is wrong, and none is passed over."""
    whole = await fetch_threads(connection, "memories/list_threads", *START)
    places = [START, *((-row["last_at"], row["parent_ref"], row["namespace"]) for row in whole)]
    pages = [
        await fetch_threads(connection, "memories/list_recent_threads", *place, recent)
        for place in places
    ]

    for i, page in enumerate(pages):
        assert page == whole[i : i + len(page)]
    assert any(pages) or recent <= 2
    assert recent <= 20 or [len(page) for page in pages] == list(range(20, -1, -1))


@pytest.mark.parametrize("limit", [1, 2, 5, 500])
def test_threads_are_paged_to_their_end_by_links_and_by_offset(many: Person, limit: int) -> None:
    whole = many.get(PATH, params={"limit": 500}).json()
    by_link: list[Any] = []
    by_offset: list[Any] = []
    answer = many.get(PATH, params={"limit": limit})
    while True:
        by_link += answer.json()
        if "next" not in answer.links:
            break
        answer = many.get(answer.links["next"]["url"])
    while page := many.get(PATH, params={"limit": limit, "offset": len(by_offset)}).json():
        by_offset += page

    assert by_link == by_offset == whole
    assert len(whole) == 20
    assert [thread["last_at"] for thread in whole] == sorted(
        (thread["last_at"] for thread in whole), reverse=True
    )


def test_threads_of_one_namespace_and_within_the_limit_of_a_token(
    many: Person, bob: Person, database_url: str
) -> None:
    bob.save_many([piece("t1", 1, namespace="n1")])
    chosen = many.get(PATH, params={"namespace": "n1"}).json()
    with create_holder(many, database_url, namespaces=("n1",)) as limited:
        assert limited.get(PATH).json() == chosen

    assert {thread["namespace"] for thread in chosen} == {"n1"}
    assert [thread["count"] for thread in bob.get(PATH).json()] == [1]


def test_a_cursor_of_threads_belongs_to_its_namespace(many: Person) -> None:
    link = many.get(PATH, params={"limit": 1}).links["next"]["url"]
    answer = many.get(f"{link}&namespace=n1")

    assert (answer.status_code, answer.json()["field"]) == (400, "cursor")
