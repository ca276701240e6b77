"""Filters through HTTP against a plain model of what they mean: any disagreement is a fault."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import seed as repeat
from hypothesis import strategies as st

from support.filter_model import MEMORIES, Filters, Memory, Number, contains, filters, write
from support.people import Person, make_person
from support.service import Service

_SMALL, _FULL = 40, 1000
_ASKED = 5
_MEMORIES = 12


@pytest.fixture(scope="session")
def examples(*, full: bool) -> int:
    """How many sets of memories are tried."""
    return _FULL if full else _SMALL


def exported(person: Person, asked: Filters) -> set[str]:
    """The contents of what an export with these filters holds."""
    body = "{" + ",".join(f"{json.dumps(k)}:{v}" for k, v in asked.write_json().items()) + "}"
    answer = person.post("/api/memories/exports", content=body)
    assert answer.status_code == 201, (body, answer.text)
    export = answer.json()
    rows = json.loads(export["payload"])
    assert export["row_count"] == len(rows)
    return {row["content"] for row in rows}


def listed(person: Person, asked: Filters) -> set[str]:
    """The contents of what a list with these filters holds."""
    query = dict(asked.write_json())
    if asked.namespace is not None:
        query["namespace"] = asked.namespace
    pairs = "&".join(f"{name}={quote(text, safe='')}" for name, text in query.items())
    answer = person.get(f"/api/memories?limit=500&{pairs}")
    assert answer.status_code == 200, (pairs, answer.text)
    return {row["content"] for row in answer.json()}


def searched(person: Person, asked: Filters) -> set[str]:
    """The contents of what a search with these filters finds; each content is a word of it."""
    fields = asked.write_json()
    words = " ".join(map(str, range(_MEMORIES)))
    given = "".join(f",{json.dumps(name)}:{text}" for name, text in fields.items())
    answer = person.post(
        "/api/memories/search/bulk", content=f'{{"queries":["{words}"],"k":50{given}}}'
    )
    assert answer.status_code == 200, answer.text
    return {row["content"] for row in answer.json()["results"][0]["hits"]}


def expected(memories: list[Memory], asked: Filters) -> set[str]:
    return {str(index) for index, each in enumerate(memories) if asked.match(each)}


def save(person: Person, memories: list[Memory]) -> None:
    items = ",".join(each.write_json(str(index)) for index, each in enumerate(memories))
    answer = person.post("/v1/memories/bulk", content=f'{{"items":[{items}]}}')
    assert (answer.json()["saved"], answer.json()["errors"]) == (len(memories), 0)


@pytest.mark.fuzz
def test_exports_and_lists_hold_exactly_what_the_model_says(
    service: Service, database_url: str, seed: int, examples: int
) -> None:
    met = {True: 0, False: 0}

    @repeat(seed)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        memories = data.draw(st.lists(MEMORIES, min_size=1, max_size=_MEMORIES))
        with make_person("alice", service, database_url) as alice:
            save(alice, memories)
            for _ in range(_ASKED):
                asked = data.draw(filters(memories))
                wanted = expected(memories, asked)
                met[bool(wanted)] += 1

                assert exported(alice, asked) == wanted, asked.write_json()
                assert listed(alice, asked) == wanted, asked.write_json()
                assert searched(alice, asked) == wanted, asked.write_json()

    check()

    assert min(met.values()) > examples / 4, "the filters hit too seldom, or too often"


@pytest.mark.parametrize(
    ("metadata", "wanted", "found"),
    [
        ('{"a": 1}', '{"a": 1.0}', True),
        ('{"a": 1.00}', '{"a": 10e-1}', True),
        ('{"a": 1}', '{"a": "1"}', False),
        ('{"a": 1}', '{"a": true}', False),
        ('{"a": 9007199254740993}', '{"a": 9007199254740992}', False),
        ('{"a": null}', '{"a": null}', True),
        ("{}", '{"a": null}', False),
        ('{"a": [1, 2, 2, 3]}', '{"a": [3, 1]}', True),
        ('{"a": [1, 2]}', '{"a": [2, 2, 2]}', True),
        ('{"a": [[1, 2]]}', '{"a": [[1]]}', True),
        ('{"a": [[1, 2]]}', '{"a": [1]}', False),
        ('{"a": [1]}', '{"a": 1}', False),
        ('{"a": 1}', '{"a": [1]}', False),
        ('{"a": [1]}', '{"a": []}', True),
        ('{"a": {}}', '{"a": []}', False),
        ('{"a": [{"b": 1, "c": 2}]}', '{"a": [{"b": 1}, {"c": 2}]}', True),
        ('{"a": {"b": 1}}', '{"b": 1}', False),
        ('{"a": {"b": {"c": 1}, "d": 2}}', '{"a": {"b": {}}}', True),
    ],
)
def test_containment_is_the_documented_one(
    alice: Person, metadata: str, wanted: str, *, found: bool
) -> None:
    alice.post("/api/memories", content=f'{{"content": "0", "metadata": {metadata}}}')
    asked = Filters(metadata_filter=read(wanted))

    assert contains(read(metadata), read(wanted)) == found
    assert exported(alice, asked) == listed(alice, asked) == ({"0"} if found else set())
    assert read(write(read(metadata))) == read(metadata)


def read(text: str) -> Any:
    """JSON with its numbers as they are written."""
    return json.loads(text, parse_int=Number, parse_float=Number)
