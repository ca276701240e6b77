"""Deleting a memory reaches the exports that hold it: stored, being answered, being written."""

import random
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pyrage
import pytest

from memferry.model.token import Grant
from memferry.tenants.operator import Operator
from support.faults import CLEAN, Plant
from support.gates import Step
from support.people import Person
from support.postgres import execute
from support.service import Service, start_service, stop_service
from support.waiting import wait_until

pytest_plugins = ["support.plants"]

KEY = str(pyrage.x25519.Identity.generate().to_public())
HOUR_MS = 3_600_000
LONG_AGO = {"created_at": 1_000, "updated_at": 1_000}


def delete(person: Person, memory: dict[str, Any], **query: str) -> httpx.Response:
    """Ask for a memory's deletion."""
    return person.delete(f"/api/memories/{memory['id']}", params=query)


def purged_by(person: Person, memory: dict[str, Any]) -> int:
    """Delete a memory with the exports that hold it; how many they were."""
    answer = delete(person, memory, purge_exports="true")
    assert answer.status_code == 204, answer.text
    return int(answer.headers["Memferry-Purged-Exports"])


def shown(person: Person, export: dict[str, Any]) -> dict[str, Any]:
    """An export as it is now."""
    found: dict[str, Any] = person.get(f"/api/memories/exports/{export['id']}").json()
    return found


def save_long_ago(person: Person, **more: Any) -> dict[str, Any]:
    """A memory that was last changed long before any export."""
    person.save_many([{"content": "secret", **LONG_AGO, **more}])
    row: dict[str, Any] = person.get("/api/memories", params={"limit": 500}).json()[-1]
    return row


def test_purging_removes_the_payload_that_holds_the_memory_and_says_so(alice: Person) -> None:
    secret, export = alice.save("secret"), alice.export()

    assert purged_by(alice, secret) == 1
    now = shown(alice, export)
    assert (now["status"], now["payload"], now["download_url"]) == ("expired", None, None)
    assert now["purged_at"] >= now["completed_at"]
    (listed,) = alice.get("/api/memories/exports").json()["exports"]
    assert (listed["status"], listed["purged_at"]) == ("expired", now["purged_at"])


def test_purging_removes_the_file_that_holds_the_memory_and_its_links(
    alice: Person, service: Service
) -> None:
    alice.save_many([{"content": f"memory {i}"} for i in range(10_001)])
    secret = alice.save("secret")
    done = alice.wait_for(alice.export())
    files = list(service.store.glob(f"*/{done['id']}/*"))
    assert len(files) == 3
    assert httpx.head(done["download_url"]).status_code == 200

    assert purged_by(alice, secret) == 1
    assert not any(file.exists() for file in files)
    assert httpx.get(done["download_url"]).status_code == 404
    assert alice.get(f"/api/memories/exports/{done['id']}/manifest").status_code == 404
    assert shown(alice, done)["download_url"] is None


async def test_purging_removes_the_text_of_the_manifest_and_leaves_its_line(
    alice: Person, database_url: str
) -> None:
    secret, export = alice.save("secret"), alice.export(metadata_filter={})
    purged_by(alice, secret)
    owner = await asyncpg.connect(database_url)
    count = "SELECT count(*) FROM memferry.{} WHERE export_id = $1"
    texts = await owner.fetchval(count.format("export_manifests"), export["id"])
    lines = await owner.fetchval(count.format("manifest_chain"), export["id"])
    await owner.close()

    assert (texts, lines) == (0, 1)


def test_a_deletion_without_purging_leaves_exports(alice: Person) -> None:
    secret, export = alice.save("secret"), alice.export()
    answer = delete(alice, secret)

    assert (answer.status_code, "Memferry-Purged-Exports" in answer.headers) == (204, False)
    assert shown(alice, export) == export
    assert export["purged_at"] is None


@pytest.mark.parametrize("junk", ["1", "yes", "", "TRUE"])
def test_a_purge_parameter_that_is_no_boolean_deletes_nothing(alice: Person, junk: str) -> None:
    secret = alice.save("secret")
    answer = delete(alice, secret, purge_exports=junk)

    assert (answer.status_code, answer.json()["field"]) == (400, "purge_exports")
    assert alice.get(f"/api/memories/{secret['id']}").json() == secret


def test_purging_leaves_exports_of_other_tenants(alice: Person, bob: Person) -> None:
    bob.save("of Bob")
    export, secret = bob.export(), alice.save("secret")

    assert purged_by(alice, secret) == 0
    assert delete(bob, secret, purge_exports="true").status_code == 404
    assert shown(bob, export) == export


async def test_purging_by_a_limited_token_reaches_exports_of_all_namespaces(
    service: Service, database_url: str
) -> None:
    operator, tenant = Operator(database_url), f"alice-{uuid4()}"
    every = (await operator.create_token(tenant, "all")).text
    part = (await operator.create_token(tenant, "part", Grant(namespaces=("a",)))).text
    with Person("all", service.url, every) as alice, Person("part", service.url, part) as limited:
        secret, other = alice.save("secret", namespace="a"), alice.save("other", namespace="b")
        export = alice.export()

        assert delete(limited, other, purge_exports="true").status_code == 404
        assert purged_by(limited, secret) == 1
        assert shown(alice, export)["payload"] is None


async def test_the_audit_names_the_purged_exports(alice: Person, database_url: str) -> None:
    secret, export = alice.save("secret"), alice.export()
    purged_by(alice, secret)
    owner = await asyncpg.connect(database_url)
    noted = await owner.fetch(
        "SELECT event, detail, token_id IS NOT NULL AS by_token FROM memferry.audit"
        " WHERE subject = ANY ($1) AND event LIKE '%.deleted' ORDER BY event",
        [secret["id"], export["id"]],
    )
    await owner.close()

    assert [tuple(row) for row in noted] == [
        ("export.deleted", "memory erased", True),
        ("memory.deleted", None, True),
    ]


def test_the_setting_purges_with_every_deletion(
    alice: Person, service: Service, database_url: str, tmp_path: Path
) -> None:
    strict = start_service(
        tmp_path,
        MEMFERRY_DATABASE_URL=database_url,
        MEMFERRY_STORAGE_URL=service.store.as_uri(),
        MEMFERRY_PURGE_EXPORTS="true",
    )
    try:
        with Person("alice", strict.url, alice.token) as person:
            secret, export = person.save("secret"), person.export()
            answer = delete(person, secret, purge_exports="false")
            now = shown(person, export)
    finally:
        stop_service(strict)

    assert answer.headers["Memferry-Purged-Exports"] == "1"
    assert now["status"] == "expired"


def _filters(chance: random.Random) -> dict[str, Any]:
    """Filters of which each is there or not."""
    possible: dict[str, Any] = {
        "namespace": chance.choice("ab"),
        "tags": chance.choice(([], ["x"], ["y"], ["x", "y"])),
        "metadata_filter": chance.choice(({}, {"n": 1}, {"in": {"n": 2}})),
        "created_after": chance.randrange(8),
        "created_before": chance.randrange(8, 12),
    }
    return {name: value for name, value in possible.items() if chance.random() < 0.4}


def test_purging_removes_exactly_the_exports_that_hold_the_memory(alice: Person, seed: int) -> None:
    chance = random.Random(seed)
    alice.save_many(
        [
            {
                "content": f"memory {i}",
                "namespace": chance.choice("ab"),
                "tags": chance.choice(([], ["x"], ["x", "y"], ["X"])),
                "metadata": chance.choice((None, {}, {"n": 1}, {"in": {"n": 2, "m": 3}})),
                "created_at": i,
                "updated_at": i,
            }
            for i in range(12)
        ]
    )
    memories = alice.get("/api/memories").json()
    exports = [alice.export(format="ndjson", **_filters(chance)) for _ in range(40)]
    for memory in memories[:6]:
        holding = {each["id"] for each in exports if memory["id"] in each["payload"]}
        gone = purged_by(alice, memory)
        left = [each for each in exports if shown(alice, each)["status"] == "completed"]

        assert {each["id"] for each in exports} - {each["id"] for each in left} == holding
        assert gone == len(holding)
        exports = left


@pytest.mark.parametrize(
    "change",
    [{"namespace": "b"}, {"tags": []}, {"metadata": {"n": None}}],
    ids=["namespace", "tags", "metadata"],
)
def test_purging_finds_an_export_that_matched_the_memory_before_a_change(
    alice: Person, change: dict[str, Any]
) -> None:
    secret = save_long_ago(alice, namespace="a", tags=["x"], metadata={"n": 1})
    export = alice.export(namespace="a", tags=["x"], metadata_filter={"n": 1})
    assert export["row_count"] == 1
    assert alice.patch(f"/api/memories/{secret['id']}", json=change).is_success

    assert purged_by(alice, secret) == 1
    assert shown(alice, export)["payload"] is None


@pytest.mark.parametrize(("hours", "purged"), [(23, 1), (25, 0)])
async def test_purging_leaves_an_export_from_long_before_the_memory_was_saved(
    alice: Person, database_url: str, hours: int, purged: int
) -> None:
    export = alice.export()
    # Its created_at was brought along, and says nothing.
    secret = save_long_ago(alice)
    await execute(
        database_url,
        f"UPDATE memferry.jobs SET snapshot_at = snapshot_at - {hours * HOUR_MS}"
        f" WHERE id = '{export['id']}'",
    )

    assert purged_by(alice, secret) == purged


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    """Where requests wait that are held up."""
    with ThreadPoolExecutor() as pool:
        yield pool


def waits(plant: Plant) -> bool:
    """Whether a deletion waits for a lock."""
    return bool(
        plant.sql(
            "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND (query LIKE '-- Take back%' OR query LIKE '-- Take the tenant%')"
        )
    )


def held_up(plant: Plant, aside: ThreadPoolExecutor, secret: dict[str, Any]) -> "Future[int]":
    """A deletion that has come as far as it can."""
    deletion = aside.submit(purged_by, plant.person, secret)
    wait_until(lambda: deletion.done() or waits(plant))
    return deletion


@pytest.mark.faults
@pytest.mark.parametrize("step", [Step.CLAIMED, Step.SNAPSHOT, Step.MIDDLE, Step.NAMED])
def test_purging_restarts_a_running_export_without_the_memory(
    plant: Plant, aside: ThreadPoolExecutor, step: Step
) -> None:
    secret = plant.person.save("secret", namespace="main")
    export_id = plant.ask()
    with plant.close_gate(step) as gate:
        plant.start_worker()
        gate.wait()
        deletion = held_up(plant, aside, secret)
    # The clean result has no secret.
    plant.assert_right(export_id)
    deletion.result()

    plant.assert_one_file(export_id)
    row = plant.row(export_id)
    assert (row["attempt"], row["failures"], row["purged_at"]) == (3, 1, None)


@pytest.mark.faults
def test_purging_removes_an_export_that_is_published_at_the_same_time(
    plant: Plant, aside: ThreadPoolExecutor
) -> None:
    secret = plant.person.save("secret", namespace="main")
    export_id = plant.ask()
    with plant.close_gate(Step.PUBLISHED) as gate:
        plant.start_worker()
        gate.wait()
        deletion = held_up(plant, aside, secret)

    assert deletion.result() >= 1
    assert plant.show(export_id)["status"] == "expired"
    plant.assert_files([], export_id)


@pytest.mark.faults
def test_an_inline_export_during_a_purge_is_made_again_without_the_memory(
    plant: Plant, aside: ThreadPoolExecutor
) -> None:
    # Takes back what other tests have left completed.
    purged_by(plant.person, plant.person.save("other"))
    secret = plant.person.save("secret", namespace="small")
    plant.person.save("stays", namespace="small", source=f"gate {int(Step.SNAPSHOT)}")
    with plant.close_gate(Step.SNAPSHOT) as gate:
        export = aside.submit(plant.person.export, **CLEAN | {"namespace": "small"})
        gate.wait()
        assert purged_by(plant.person, secret) == 0

    answered = export.result()
    assert answered["row_count"] == 1
    assert secret["id"] not in answered["payload"]


@pytest.mark.faults
@pytest.mark.parametrize(
    ("more", "outcome"),
    [({}, ("expired", 1)), ({"encrypt_to": KEY}, ("completed", 0))],
    ids=["answered", "queued"],
)
def test_purging_waits_for_an_export_whose_row_is_being_inserted(
    plant: Plant, aside: ThreadPoolExecutor, more: dict[str, str], outcome: tuple[str, int]
) -> None:
    secret = plant.person.save("secret", namespace="alone")
    # Holds up the commit of whatever is added to exports.
    plant.sql(
        "CREATE CONSTRAINT TRIGGER added AFTER INSERT ON memferry.jobs"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        f" EXECUTE FUNCTION public.gate({int(Step.POISON)})",
    )
    with plant.close_gate(Step.POISON) as gate:
        export = aside.submit(plant.person.export, namespace="alone", **more)
        gate.wait()
        deletion = held_up(plant, aside, secret)
        assert not deletion.done()
    plant.sql("DROP TRIGGER added ON memferry.jobs")

    assert export.result()["row_count"] == 1
    deletion.result()
    plant.start_worker()
    done = plant.wait_for(export.result()["id"])
    assert (done["status"], done["row_count"]) == outcome
    assert done["payload"] is None


async def test_the_view_of_a_tenant_shows_its_name_and_its_count_of_erasures_alone(
    database_url: str,
) -> None:
    owner = await asyncpg.connect(database_url)
    columns = await owner.fetch(
        "SELECT attname FROM pg_attribute"
        " WHERE attrelid = 'memferry_service.tenant'::regclass AND attnum > 0"
    )
    await owner.close()

    assert [row["attname"] for row in columns] == ["id", "name", "erasures"]
