"""Times end where arithmetic on them does: beyond that 400, up to it an answer, never a 500."""

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from memferry.model.token import SCOPES
from support.people import Person, make_person
from support.service import Service

LAST_STORED = 8_640_000_000_000_000
LAST = 2**63 - 1
BEYOND = (LAST + 1, 2**64, 10**30)
FILTERS = ("created_after", "created_before", "updated_after", "updated_before")


@pytest.fixture(scope="module")
def alice(service: Service, database_url: str) -> Iterator[Person]:
    """Alice, who may do everything, with rows at the last time that one may have."""
    with make_person("alice", service, database_url, SCOPES) as person:
        times = {"created_at": LAST_STORED, "updated_at": LAST_STORED}
        person.save_many([{"content": f"x {number}", **times} for number in range(3)])
        yield person


@pytest.mark.parametrize("field", ["created_at", "updated_at"])
@pytest.mark.parametrize("time", [LAST_STORED + 1, LAST, *BEYOND, -1])
def test_no_memory_has_a_time_that_cannot_be_counted_on_from(
    alice: Person, field: str, time: int
) -> None:
    answer = alice.post("/v1/memories/bulk", json={"items": [{"content": "x", field: time}]})

    assert (answer.status_code, answer.json()["field"]) == (400, f"items[0].{field}")


@pytest.mark.parametrize("time", [LAST_STORED + 1, LAST, *BEYOND, -1])
def test_an_expiry_of_a_token_beyond_the_latest_time_is_refused(alice: Person, time: int) -> None:
    answer = alice.post("/api/tokens", json={"expires_at": time})

    assert (answer.status_code, answer.json()["field"]) == (400, "expires_at")


@pytest.mark.parametrize(
    "change", [{"tags": ["new"]}, {"content": "y"}, {"namespace": "n"}, {"metadata": {"a": 1}}]
)
def test_a_row_with_the_latest_possible_time_can_be_changed_repeatedly(
    alice: Person, change: dict[str, Any]
) -> None:
    row = alice.get("/api/memories", params={"limit": "1"}).json()[0]
    changed = [alice.patch(f"/api/memories/{row['id']}", json=change) for _ in range(3)]

    assert [answer.status_code for answer in changed] == [200, 200, 200]
    assert changed[-1].json()["created_at"] == LAST_STORED


@pytest.mark.parametrize("field", FILTERS)
@pytest.mark.parametrize("time", [LAST_STORED, LAST, *BEYOND, -1])
@pytest.mark.parametrize("path", ["/api/memories", "/api/memories?q=x", "/api/recall/unified?q=x"])
def test_lists_accept_any_time_as_a_bound(alice: Person, path: str, field: str, time: int) -> None:
    separator = "&" if "?" in path else "?"

    assert alice.get(f"{path}{separator}{field}={time}").status_code == 200


@pytest.mark.parametrize("field", FILTERS[:2])
@pytest.mark.parametrize(
    ("path", "body"),
    [("/api/memories/exports", {}), ("/api/memories/search/bulk", {"queries": ["x"]})],
)
def test_bodies_accept_times_up_to_64_bits(
    alice: Person, path: str, body: dict[str, Any], field: str
) -> None:
    taken = alice.post(path, json={**body, field: LAST})
    refused = [alice.post(path, json={**body, field: time}) for time in (*BEYOND, -1)]

    assert taken.is_success
    assert [(each.status_code, each.json()["field"]) for each in refused] == [(400, field)] * 4


@pytest.mark.parametrize(
    "path", ["/api/memories", "/api/memories?q=x", "/api/memories/exports", "/api/tokens"]
)
def test_a_cursor_may_hold_the_latest_time_and_no_later_one(alice: Person, path: str) -> None:
    for _ in range(2):
        alice.export()
        alice.post("/api/tokens", json={})
    separator = "&" if "?" in path else "?"
    link = alice.get(f"{path}{separator}limit=1").headers["link"]
    (cursor,) = parse_qs(urlsplit(link.partition(">")[0]).query)["cursor"]
    version, listing, place = json.loads(base64.urlsafe_b64decode(cursor + "=="))

    def answer_at(time: int) -> int:
        moved = [time if isinstance(part, int) else part for part in place]
        text = base64.urlsafe_b64encode(json.dumps([version, listing, moved]).encode())
        return alice.get(f"{path}{separator}cursor={text.decode().rstrip('=')}").status_code

    assert [answer_at(time) for time in (0, LAST_STORED, LAST)] == [200, 200, 200]
    assert [answer_at(time) for time in (*BEYOND, -1)] == [400] * 4


@pytest.mark.parametrize("offset", [LAST, *BEYOND])
def test_an_offset_beyond_the_last_row_gives_an_empty_page(alice: Person, offset: int) -> None:
    for query in ({}, {"q": "x"}):
        answer = alice.get("/api/memories", params={"offset": str(offset), **query})

        assert (answer.status_code, answer.json()) == (200, [])


def test_a_time_is_no_cursor_of_the_audit(alice: Person) -> None:
    last = alice.get("/api/audit", params={"before": "f" * 8 + "-ffff-7fff-8fff-" + "f" * 12})
    refused = [alice.get("/api/audit", params={"before": str(time)}) for time in (LAST, *BEYOND)]

    assert last.status_code == 200
    assert [(each.status_code, each.json()["field"]) for each in refused] == [(400, "before")] * 4
