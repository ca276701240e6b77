"""/api/webhooks: what is taken and refused, and who sees what of it."""

from typing import Any
from uuid import uuid4

import pytest

from memferry.errors import Invalid
from memferry.model.webhook import check_url
from support.people import Person
from support.webhooks import subscribe

ROW_KEYS = {
    "dropped",
    "id",
    "url",
    "events",
    "description",
    "enabled",
    "consecutive_failures",
    "last_success_at",
    "last_failure_at",
    "created_at",
    "updated_at",
}


def test_the_secret_of_a_webhook_is_shown_once(alice: Person) -> None:
    made = subscribe(alice, "https://example.com/hook")
    path = f"/api/webhooks/{made['id']}"

    assert made.keys() == ROW_KEYS | {"secret"}
    assert made["events"] == []
    shown = {key: value for key, value in made.items() if key != "secret"}
    assert alice.get(path).json() == shown
    assert alice.get("/api/webhooks").json() == {"endpoints": [shown]}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_webhook_of_another_tenant_is_not_found(alice: Person, bob: Person, method: str) -> None:
    made = subscribe(alice, "https://example.com/hook")

    for webhook_id in (made["id"], str(uuid4()), "x"):
        answer = bob.request(method, f"/api/webhooks/{webhook_id}", json={"enabled": False})
        assert answer.status_code == 404
    assert alice.get(f"/api/webhooks/{made['id']}").json()["enabled"]
    assert bob.get("/api/webhooks").json() == {"endpoints": []}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": 5}, "url"),
        ({"url": ""}, "url"),
        ({"url": "ftp://example.com"}, "url"),
        ({"url": "https://"}, "url"),
        ({"url": "https://user:word@example.com"}, "url"),
        ({"url": "https://example.com:99999"}, "url"),
        ({"url": "https://example.com/" + "x" * 2048}, "url"),
        ({"url": "https://example.com", "events": "memory.saved"}, "events"),
        ({"url": "https://example.com", "events": ["memory.saved", "nothing"]}, "events[1]"),
        ({"url": "https://example.com", "description": "x" * 1001}, "description"),
    ],
)
def test_a_wrong_webhook_is_refused_by_name(
    alice: Person, body: dict[str, Any], field: str
) -> None:
    answer = alice.post("/api/webhooks", json=body)

    assert (answer.status_code, answer.json()["field"]) == (400, field), answer.text


def test_a_tenant_may_have_fifty_webhooks(alice: Person, bob: Person) -> None:
    for _ in range(50):
        subscribe(alice, "https://example.com/hook")
    refused = alice.post("/api/webhooks", json={"url": "https://example.com/hook"})

    assert (refused.status_code, refused.json()["field"]) == (400, "url")
    assert len(alice.get("/api/webhooks").json()["endpoints"]) == 50
    assert subscribe(bob, "https://example.com/hook")


def test_a_change_of_a_webhook_without_a_field_is_refused(alice: Person) -> None:
    made = subscribe(alice, "https://example.com/hook")

    assert alice.put(f"/api/webhooks/{made['id']}", json={}).status_code == 400


def test_the_log_of_a_webhook_of_another_tenant_is_not_found(alice: Person, bob: Person) -> None:
    hook = subscribe(alice, "https://example.com/hook")

    assert alice.get(f"/api/webhooks/{hook['id']}/deliveries").json() == {"deliveries": []}
    assert bob.get(f"/api/webhooks/{hook['id']}/deliveries").status_code == 404


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "https://127.0.0.1",
        "https://localhost",
        "https://10.0.0.1",
        "https://169.254.169.254",
        "https://[::1]",
        "https://[::ffff:127.0.0.1]",
        "https://[fe80::1]",
        "https://0.0.0.0",
        "https://224.0.0.1",
    ],
)
def test_private_addresses_are_refused_unless_allowed(url: str) -> None:
    with pytest.raises(Invalid, match="url"):
        check_url(url, allow_private=False)

    assert check_url(url, allow_private=True) == url
