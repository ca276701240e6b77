"""Deliveries: signed, repeated, given up, kept until the last is done, and listed."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from mnueron import verify_webhook_signature

from support.people import Person
from support.webhooks import Receiver, subscribe


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_deliveries_are_signed_over_the_raw_body(alice: Person, receiver: Receiver) -> None:
    hook = subscribe(alice, receiver.url)
    numbers = '{"a":1.50,"b":12345678901234567890}'
    saved = alice.post("/api/memories", content=f'{{"content": "x", "metadata": {numbers}}}')
    receiver.wait_for(1)
    headers, body = receiver.got[0]

    assert verify_webhook_signature(hook["secret"], body, headers["X-Mnueron-Signature"])
    assert not verify_webhook_signature(hook["secret"], body + b" ", headers["X-Mnueron-Signature"])
    assert json.loads(body)["id"]
    assert json.loads(body)["data"] == saved.json()
    assert numbers.encode() in body


def test_every_event_is_delivered(alice: Person, receiver: Receiver) -> None:
    subscribe(alice, receiver.url)
    row = alice.save("x")
    alice.patch(f"/api/memories/{row['id']}", json={"content": "y"})
    alice.delete(f"/api/memories/{row['id']}")
    alice.export()
    alice.save_many([{"content": f"memory {i}"} for i in range(3)])
    receiver.wait_for(7)

    assert sorted(receiver.events()) == sorted(
        ["memory.saved"] * 4 + ["memory.updated", "memory.deleted", "export.completed"]
    )


def test_a_webhook_gets_only_chosen_events_of_its_own_tenant(
    alice: Person, bob: Person, receiver: Receiver
) -> None:
    subscribe(alice, receiver.url, "memory.deleted")
    bob.delete(f"/api/memories/{bob.save('x')['id']}")
    row = alice.save("x")
    alice.delete(f"/api/memories/{row['id']}")
    receiver.wait_for(1)
    time.sleep(0.3)

    assert [json.loads(body)["data"]["id"] for _, body in receiver.got] == [row["id"]]


async def test_a_failed_delivery_is_repeated_under_the_same_id(
    alice: Person, receiver: Receiver, database_url: str
) -> None:
    hook = await failed_once(alice, receiver, database_url)
    assert alice.get(f"/api/webhooks/{hook['id']}").json()["consecutive_failures"] == 1

    receiver.status = 200
    await make_due(database_url, hook["id"])
    receiver.wait_for(2)
    await settled(database_url, hook["id"], attempts=2)

    assert len({json.loads(body)["id"] for _, body in receiver.got}) == 1
    after = alice.get(f"/api/webhooks/{hook['id']}").json()
    assert (after["consecutive_failures"], after["last_success_at"] is None) == (0, False)


async def test_a_delivery_is_given_up_after_ten_attempts(
    alice: Person, receiver: Receiver, database_url: str
) -> None:
    receiver.status = 302
    hook = subscribe(alice, receiver.url)
    alice.save("x")
    for attempt in range(1, 11):
        await settled(database_url, hook["id"], attempts=attempt)
        await make_due(database_url, hook["id"])
    time.sleep(1.5)

    assert len(receiver.got) == 10


async def test_a_message_is_kept_until_the_last_attempt_of_its_delivery(
    alice: Person, receiver: Receiver, database_url: str
) -> None:
    hook = await failed_once(alice, receiver, database_url)
    waiting = await to_be_told(database_url, hook["id"])
    receiver.status = 200
    await make_due(database_url, hook["id"])
    await settled(database_url, hook["id"], attempts=2)

    assert ["secret" in str(each) for each in waiting] == [True]
    assert await to_be_told(database_url, hook["id"]) == [None]


async def test_a_message_is_kept_once_and_until_the_last_webhook_has_it(
    alice: Person, receiver: Receiver, database_url: str
) -> None:
    receiver.status = 500
    hooks = [subscribe(alice, receiver.url) for _ in range(3)]
    alice.save("secret")
    receiver.wait_for(3)
    for hook in hooks:
        await settled(database_url, hook["id"], attempts=1)
    of_all = [await messages(database_url, hook["id"]) for hook in hooks]
    receiver.status = 200
    left = []
    for hook in hooks:
        await make_due(database_url, hook["id"])
        await settled(database_url, hook["id"], attempts=2)
        left.append(await messages(database_url, hooks[2]["id"], of_all[0]))

    assert of_all[0] == of_all[1] == of_all[2]
    assert len(of_all[0]) == 1
    assert left == [of_all[0], of_all[0], []]


async def test_exports_go_on_while_messages_for_a_busy_webhook_are_dropped(
    alice: Person, receiver: Receiver, database_url: str
) -> None:
    hook = subscribe(alice, receiver.url, "export.completed")
    alice.save("one")
    await leave_no_room_for_messages(database_url, hook["id"])
    done = asyncio.Event()
    noting = asyncio.create_task(note_deliveries(database_url, hook["id"], done))
    exports = [await asyncio.to_thread(alice.export) for _ in range(20)]
    done.set()

    assert await noting > 20
    assert {each["status"] for each in exports} == {"completed"}
    assert alice.get(f"/api/webhooks/{hook['id']}").json()["dropped"] == 20


async def leave_no_room_for_messages(database_url: str, webhook_id: str) -> None:
    """Let one message that is due tomorrow have all the bytes that messages may have."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "WITH hook AS (SELECT * FROM memferry.webhooks WHERE id = $1), message AS ("
        " INSERT INTO memferry.messages (tenant_id, data, bytes)"
        " SELECT tenant_id, '{}', 1 << 28 FROM hook RETURNING id)"
        "INSERT INTO memferry.deliveries"
        " (tenant_id, webhook_id, event, message_id, next_attempt_at)"
        " SELECT hook.tenant_id, hook.id, 'test', message.id, now() + interval '1 day'"
        " FROM hook, message",
        webhook_id,
    )
    await connection.close()


async def note_deliveries(database_url: str, webhook_id: str, done: asyncio.Event) -> int:
    """Change the row of a webhook as a delivery does, again and again; answers how often."""
    connection = await asyncpg.connect(database_url)
    times = 0
    while not done.is_set():
        await connection.execute(
            "UPDATE memferry.webhooks SET last_success_at = memferry.now_ms() WHERE id = $1",
            webhook_id,
        )
        times += 1
    await connection.close()
    return times


async def messages(database_url: str, webhook_id: str, ids: list[str] | None = None) -> list[str]:
    """The ids of the messages that a webhook waits for, or which of these are still there."""
    connection = await asyncpg.connect(database_url)
    waiting = await connection.fetch(
        "SELECT message_id::text FROM memferry.deliveries "
        "WHERE webhook_id = $1 AND message_id IS NOT NULL",
        webhook_id,
    )
    there = await connection.fetch(
        "SELECT id::text FROM memferry.messages WHERE id = ANY ($1::uuid[])", ids or []
    )
    await connection.close()
    return [row[0] for row in (waiting if ids is None else there)]


async def test_messages_for_a_disabled_webhook_are_not_kept(
    alice: Person, receiver: Receiver, database_url: str
) -> None:
    hook = await failed_once(alice, receiver, database_url)
    alice.put(f"/api/webhooks/{hook['id']}", json={"enabled": False})
    await make_due(database_url, hook["id"])
    deadline = time.monotonic() + 20
    while await to_be_told(database_url, hook["id"]) != [None]:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def failed_once(alice: Person, receiver: Receiver, database_url: str) -> dict[str, Any]:
    """A webhook that could not be told of a memory, which says "secret", at the first attempt."""
    receiver.status = 500
    hook = subscribe(alice, receiver.url)
    alice.save("secret")
    receiver.wait_for(1)
    await settled(database_url, hook["id"], attempts=1)
    return hook


async def to_be_told(database_url: str, webhook_id: str) -> list[str | None]:
    """What the deliveries of a webhook still hold."""
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch(
        "SELECT data::text FROM memferry.deliveries LEFT JOIN memferry.messages "
        "ON messages.id = message_id WHERE webhook_id = $1",
        webhook_id,
    )
    await connection.close()
    return [row[0] for row in rows]


async def settled(database_url: str, webhook_id: str, attempts: int) -> None:
    """Wait until the result of that attempt is written."""
    connection = await asyncpg.connect(database_url)
    deadline = time.monotonic() + 20
    query = (
        "SELECT true FROM memferry.deliveries JOIN memferry.webhooks ON webhooks.id = webhook_id "
        "WHERE webhook_id = $1 AND attempt = $2 AND last_status IS NOT NULL AND (next_attempt_at "
        "IS NULL OR next_attempt_at < now() + interval '55 s' OR next_attempt_at > now() + "
        "interval '60 s') AND (consecutive_failures = $2 OR delivered_at IS NOT NULL)"
    )
    while not await connection.fetchval(query, webhook_id, attempts):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    await connection.close()


async def make_due(database_url: str, webhook_id: str) -> None:
    """Let the next attempt be now, if there is to be one."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "UPDATE memferry.deliveries SET next_attempt_at = now() "
        "WHERE webhook_id = $1 AND next_attempt_at IS NOT NULL",
        webhook_id,
    )
    await connection.execute("SELECT pg_notify('memferry_deliveries', '')")
    await connection.close()


def test_the_log_of_a_webhook_lists_each_delivery_with_its_result(
    alice: Person, receiver: Receiver
) -> None:
    hook = subscribe(alice, receiver.url, "memory.saved")
    alice.save("first")
    receiver.wait_for(1)
    receiver.status = 500
    alice.save("second")
    receiver.wait_for(2)
    path = f"/api/webhooks/{hook['id']}/deliveries"
    deadline = time.monotonic() + 10
    while (log := alice.get(path).json()["deliveries"])[0]["last_status"] is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)

    assert [each["last_status"] for each in log] == [500, 204]
    assert [each["event"] for each in log] == ["memory.saved"] * 2
    assert [each["attempt"] for each in log] == [1, 1]
    assert log[0]["next_attempt_at"] > log[0]["created_at"]
    assert log[0]["delivered_at"] is None
    assert log[1]["next_attempt_at"] is None
    assert log[1]["delivered_at"] >= log[1]["created_at"]
    assert log[0]["id"] == json.loads(receiver.got[1][1])["id"]
    assert "first" not in json.dumps(log)
