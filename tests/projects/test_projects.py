"""Projects: namespaces with a description, renamed and deleted with their memories."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from memferry.projects import service as projects
from support.people import Person
from support.tokens import create_holder, fetchval, read_tenant_id

PATH = "/api/projects"
KEYS = [
    "id", "name", "description", "metadata", "memory_count", "archived_at", "created_at",
    "updated_at", "retention_days",
]  # fmt: skip


def create(person: Person, name: str, **more: Any) -> dict[str, Any]:
    answer = person.post(PATH, json={"name": name, **more})
    assert answer.status_code == 201, answer.text
    row: dict[str, Any] = answer.json()
    return row


def change(person: Person, project: dict[str, Any], **fields: Any) -> httpx.Response:
    return person.patch(f"{PATH}/{project['id']}", json=fields)


def get(person: Person, project: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = person.get(f"{PATH}/{project['id']}").json()
    return row


def listed(person: Person, **query: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = person.get(PATH, params=query).json()["projects"]
    return rows


def named(person: Person, name: str) -> dict[str, Any]:
    return next(row for row in listed(person) if row["name"] == name)


def contents(person: Person, namespace: str) -> set[str]:
    rows = person.get("/api/memories", params={"namespace": namespace, "limit": 500}).json()
    return {row["content"] for row in rows}


def test_a_project_is_created_with_its_description(alice: Person) -> None:
    plain, rich = create(alice, "a"), create(alice, "b", description="Tea.", metadata={"n": 1.50})

    assert list(plain) == KEYS
    assert (plain["description"], plain["metadata"], plain["archived_at"]) == (None, {}, None)
    assert (plain["memory_count"], plain["created_at"]) == (0, plain["updated_at"])
    assert (rich["description"], rich["metadata"]) == ("Tea.", {"n": 1.50})
    assert get(alice, rich) == rich
    assert [row["name"] for row in listed(alice)] == ["b", "a"]


def test_metadata_keeps_its_text(alice: Person) -> None:
    answer = alice.post(
        PATH, content=b'{"name": "x", "metadata": {"b": 1.50, "a": 12345678901234567890123}}'
    )

    assert '"metadata":{"b":1.50,"a":12345678901234567890123}' in answer.text


def test_every_namespace_with_memories_is_a_project(alice: Person) -> None:
    alice.save_many(
        [
            {"content": "x", "namespace": "old", "created_at": 5, "updated_at": 9},
            {"content": "y", "namespace": "old", "created_at": 4, "updated_at": 8},
        ]
    )
    alice.save("z", namespace="n" * 512)
    first = listed(alice)

    assert [(row["name"], row["memory_count"]) for row in first] == [("n" * 512, 1), ("old", 2)]
    assert (first[1]["created_at"], first[1]["updated_at"]) == (4, 9)
    assert listed(alice) == first
    assert get(alice, first[1]) == first[1]
    assert change(alice, first[1], description="Old.").json()["description"] == "Old."


def test_projects_listed_for_the_first_time_side_by_side_get_one_id_each(alice: Person) -> None:
    alice.save_many([{"content": "x", "namespace": f"n{i}"} for i in range(50)])
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: alice.get(PATH).json()["projects"], range(8)))

    assert all(rows == answers[0] for rows in answers)
    assert len({row["id"] for row in answers[0]}) == 50


def test_a_memory_that_is_saved_or_changed_makes_its_project_the_most_active(alice: Person) -> None:
    for name in "abc":
        create(alice, name)
    row = alice.save("x", namespace="a")
    alice.save("x", namespace="b")
    alice.patch(f"/api/memories/{row['id']}", json={"tags": ["x"]})

    assert [project["name"] for project in listed(alice)] == ["a", "b", "c"]


@pytest.mark.parametrize("limit", [1, 3, 8, 500])
def test_projects_are_paged_to_their_end(alice: Person, limit: int) -> None:
    for number in range(4):
        create(alice, f"p{number}")
    alice.save_many(
        [{"content": "x", "namespace": f"n{i}", "updated_at": i // 2} for i in range(4)]
    )
    whole, answer, paged = listed(alice, limit=500), alice.get(PATH, params={"limit": limit}), []
    while True:
        paged += answer.json()["projects"]
        assert ("next_cursor" in answer.json()) == ("next" in answer.links)
        if "next" not in answer.links:
            break
        answer = alice.get(answer.links["next"]["url"])

    assert (len(whole), paged) == (8, whole)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "name"),
        ({"name": ""}, 400, "name"),
        ({"name": None}, 400, "name"),
        ({"name": "x" * 201}, 400, "name"),
        ({"name": "a\0"}, 400, "name"),
        ({"name": "x", "description": "d" * 2001}, 400, "description"),
        ({"name": "x", "metadata": []}, 400, "metadata"),
        ({"name": "x", "metadata": {"a": "m" * 17_000}}, 413, "metadata"),
        ({"name": "x", "archived": True}, 400, "archived"),
    ],
)
def test_a_wrong_project_is_refused_by_name(
    alice: Person, body: dict[str, Any], status: int, field: str
) -> None:
    answer = alice.post(PATH, json=body)

    assert (answer.status_code, answer.json()["field"]) == (status, field)
    assert listed(alice) == []


def test_a_name_in_use_is_refused(alice: Person, bob: Person) -> None:
    alice.save("x", namespace="used")
    project = create(alice, "a")
    create(alice, "b")
    create(bob, "c")

    for name in ("a", "used"):
        answer = alice.post(PATH, json={"name": name})
        assert (answer.status_code, answer.json()["code"]) == (409, "project_name_in_use")
        assert "retry-after" not in answer.headers
    for name in ("b", "used"):
        assert change(alice, project, name=name).status_code == 409
    assert get(alice, project) == project
    assert create(alice, "c")["name"] == "c"


def test_the_given_fields_change_and_the_others_stay(alice: Person) -> None:
    project = create(alice, "a", description="Tea.", metadata={"a": 1, "b": 2})
    merged = change(alice, project, metadata={"a": None, "c": 3}).json()
    cleared = change(alice, project, description=None).json()
    archived = change(alice, project, archived=True).json()
    again = change(alice, project, archived=True, description="Milk.").json()
    back = change(alice, project, archived=False).json()

    assert (merged["metadata"], merged["description"]) == ({"b": 2, "c": 3}, "Tea.")
    assert (cleared["description"], cleared["metadata"]) == (None, {"b": 2, "c": 3})
    assert archived["archived_at"] >= project["created_at"]
    assert (again["archived_at"], again["description"]) == (archived["archived_at"], "Milk.")
    assert (back["archived_at"], back["name"]) == (None, "a")
    assert project["updated_at"] < merged["updated_at"] < back["updated_at"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "body"),
        ({"name": ""}, 400, "name"),
        ({"name": None}, 400, "name"),
        ({"metadata": None}, 400, "metadata"),
        ({"metadata": {"a": "m" * 17_000}}, 413, "metadata"),
        ({"archived": None}, 400, "archived"),
        ({"title": "x"}, 400, "title"),
    ],
)
def test_a_wrong_change_is_refused_by_name(
    alice: Person, body: dict[str, Any], status: int, field: str
) -> None:
    project = create(alice, "a", metadata={"old": "x" * 100})
    answer = change(alice, project, **body)

    assert (answer.status_code, answer.json()["field"]) == (status, field)
    assert get(alice, project) == project


def test_metadata_that_grows_too_large_by_a_merge_is_refused(alice: Person) -> None:
    project = create(alice, "a", metadata={"a": "x" * 10_000})

    assert change(alice, project, metadata={"b": "x" * 10_000}).status_code == 413
    assert get(alice, project) == project


def test_a_new_name_moves_all_memories(alice: Person, bob: Person) -> None:
    bob.save("of Bob", namespace="old")
    alice.save_many([{"content": f"{i}", "namespace": "old"} for i in range(2_500)])
    hook = alice.post("/api/webhooks", json={"url": "http://127.0.0.1:9/"}).json()
    project, last = named(alice, "old"), alice.save("last", namespace="old")
    answer = change(alice, project, name="new", description="New.")
    row = answer.json()
    told = alice.get(f"/api/webhooks/{hook['id']}/deliveries", params={"limit": 500}).json()
    moved = alice.get(f"/api/memories/{last['id']}").json()

    assert (answer.status_code, row["id"], row["name"]) == (200, project["id"], "new")
    assert (row["description"], row["memory_count"]) == ("New.", 2_501)
    assert alice.get("/api/memories", params={"namespace": "old"}).json() == []
    assert (moved["namespace"], moved["created_at"]) == ("new", last["created_at"])
    assert moved["updated_at"] > last["updated_at"]
    assert [each["event"] for each in told["deliveries"]] == ["memory.updated"] * 500
    assert contents(bob, "old") == {"of Bob"}


def test_the_same_name_moves_nothing(alice: Person) -> None:
    memory = alice.save("x", namespace="a")
    answer = change(alice, named(alice, "a"), name="a")

    assert (answer.status_code, answer.json()["name"]) == (200, "a")
    assert alice.get(f"/api/memories/{memory['id']}").json() == memory


async def test_a_project_with_more_memories_than_a_name_may_move_keeps_its_name(
    alice: Person, database_url: str
) -> None:
    alice.save("x", namespace="a")
    await fetchval(
        database_url,
        "INSERT INTO memferry.memories (tenant_id, id, content, namespace, tags, source, "
        "created_at, updated_at) SELECT $1, gen_random_uuid(), 'x', 'a', '{}', 'agent', 1, 1 "
        "FROM generate_series(1, $2::bigint)",
        await read_tenant_id(alice, database_url),
        projects.MOVED_ROWS,
    )
    answer = change(alice, named(alice, "a"), name="b")

    assert (answer.status_code, answer.json()["field"]) == (400, "name")
    assert named(alice, "a")["memory_count"] == projects.MOVED_ROWS + 1


def test_a_deletion_deletes_all_memories_as_single_deletions_do(
    alice: Person, bob: Person, database_url: str
) -> None:
    bob.save("of Bob", namespace="a")
    alice.save("kept", namespace="b")
    alice.save_many([{"content": f"{i}", "namespace": "a"} for i in range(1_200)])
    hook = alice.post(
        "/api/webhooks", json={"url": "http://127.0.0.1:9/", "events": ["memory.deleted"]}
    ).json()
    project = named(alice, "a")
    answer = alice.delete(f"{PATH}/{project['id']}")
    told = alice.get(f"/api/webhooks/{hook['id']}/deliveries", params={"limit": 500})
    with create_holder(alice, database_url, scopes=("admin",)) as admin:
        (entry,) = admin.get("/api/audit", params={"event": "project.deleted"}).json()["entries"]
        noted = admin.get("/api/audit", params={"event": "memory.deleted", "limit": 500})

    assert (answer.status_code, "Memferry-Purged-Exports" in answer.headers) == (204, False)
    assert alice.get(f"{PATH}/{project['id']}").status_code == 404
    assert [row["name"] for row in listed(alice)] == ["b"]
    assert alice.get("/api/limits").json()["memories"]["used"] == 1
    assert (entry["subject"], entry["rows"]) == (project["id"], 1_200)
    assert len(noted.json()["entries"]) == len(told.json()["deliveries"]) == 500
    assert alice.delete(f"{PATH}/{project['id']}").status_code == 404
    assert contents(bob, "a") == {"of Bob"}


def test_a_deletion_may_purge_the_exports_of_its_memories(alice: Person) -> None:
    alice.save("x", namespace="a")
    export, project = alice.export(namespace="a"), named(alice, "a")
    answer = alice.delete(f"{PATH}/{project['id']}", params={"purge_exports": "true"})

    assert (answer.status_code, answer.headers["Memferry-Purged-Exports"]) == (204, "1")
    assert alice.get(f"/api/memories/exports/{export['id']}").json()["status"] == "expired"


def test_a_deletion_of_an_empty_project_that_should_purge_says_so(alice: Person) -> None:
    project = create(alice, "a")
    junk = alice.delete(f"{PATH}/{project['id']}", params={"purge_exports": "yes"})
    answer = alice.delete(f"{PATH}/{project['id']}", params={"purge_exports": "true"})

    assert (junk.status_code, junk.json()["field"]) == (400, "purge_exports")
    assert (answer.status_code, answer.headers["Memferry-Purged-Exports"]) == (204, "0")


def test_a_limited_token_knows_projects_of_its_namespaces_alone(
    alice: Person, database_url: str
) -> None:
    home, work = create(alice, "home"), create(alice, "work")
    alice.save("x", namespace="other")
    with create_holder(alice, database_url, namespaces=("work", "next")) as limited:
        assert [row["name"] for row in listed(limited)] == ["work"]
        assert limited.get(f"{PATH}/{home['id']}").status_code == 404
        assert change(limited, home, description="mine").status_code == 404
        assert limited.delete(f"{PATH}/{home['id']}").status_code == 404
        for answer in (
            limited.post(PATH, json={"name": "elsewhere"}),
            change(limited, work, name="elsewhere"),
            change(limited, work, name="home"),
        ):
            assert (answer.status_code, answer.json()["field"]) == (403, "name")
        assert change(limited, work, name="next").json()["name"] == "next"

    assert get(alice, home) == home


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_unknown_project_is_not_found(alice: Person, bob: Person, method: str) -> None:
    foreign = create(bob, "of Bob")
    body = {"archived": True} if method == "PATCH" else None
    for project_id in (str(uuid4()), "x", foreign["id"]):
        answer = alice.request(method, f"{PATH}/{project_id}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "project_not_found")
    assert get(bob, foreign) == foreign
