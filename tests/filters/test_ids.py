"""A choice of memories by their ids, in lists, searches and exports."""

import json

import pytest

from support.people import Person

_NONE = "00000000-0000-7000-8000-000000000000"


def test_only_the_chosen_memories_are_listed_found_and_exported(alice: Person, bob: Person) -> None:
    one, _, three = (alice.save(f"{word} ferry")["id"] for word in ("one", "two", "three"))
    chosen = [one, three.upper(), _NONE, bob.save("a ferry of bob")["id"]]
    listed = alice.post("/api/memories/list", json={"ids": chosen}).json()
    found = alice.get("/api/memories", params={"q": "ferry", "ids": chosen}).json()
    exported = json.loads(alice.export(ids=chosen)["payload"])

    assert {row["id"] for row in listed["memories"]} == {one, three}
    assert {row["id"] for row in found} == {one, three}
    assert {row["id"] for row in exported} == {one, three}


@pytest.mark.parametrize("ids", [[], ["x"], [_NONE] * 501, [1], "x"])
def test_a_choice_that_is_none_is_refused_by_name(alice: Person, ids: object) -> None:
    answer = alice.post("/api/memories/exports", json={"ids": ids})

    assert answer.status_code == 400
    assert "ids" in answer.json()["error"]
