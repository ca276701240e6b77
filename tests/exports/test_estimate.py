"""An estimate says what an export would be like, makes none, and spends nothing."""

from collections.abc import Iterator
from typing import Any

import pyrage
import pytest

from support.command_line import run_memferry
from support.people import Person, make_person
from support.service import Service
from support.tokens import create_holder
from support.variants import TEXT_VARIANTS, name_variant

ROWS = 12_000
KEY = str(pyrage.x25519.Identity.generate().to_public())


@pytest.fixture(scope="module")
def owner(service: Service, database_url: str) -> Iterator[Person]:
    """Somebody with more rows than an answer holds, of many sizes."""
    with make_person("alice", service, database_url) as person:
        person.save_many(
            [
                {
                    "content": "é\n" * (i % 97 + 1),
                    "namespace": f"n{i % 4}",
                    "tags": ["rare"] * (i % 20 == 0),
                    "metadata": {"i": i, "of": "x" * (i % 13)},
                }
                for i in range(ROWS)
            ]
        )
        yield person


def estimate(person: Person, body: dict[str, Any]) -> dict[str, Any]:
    answer = person.post("/api/memories/exports/estimate", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("variant", TEXT_VARIANTS, ids=name_variant)
def test_the_estimate_of_what_an_answer_holds_is_exact(
    owner: Person, variant: dict[str, Any]
) -> None:
    body = {**variant, "namespace": "n1"}
    made = owner.export(**body)

    assert estimate(owner, body) == {
        "rows": made["row_count"],
        "bytes": made["bytes_done"],
        "bytes_exact": True,
        "sample_rows": None,
        "inline": True,
    }


@pytest.mark.parametrize("variant", TEXT_VARIANTS, ids=name_variant)
def test_the_estimate_of_a_large_export_is_near(owner: Person, variant: dict[str, Any]) -> None:
    found = estimate(owner, variant)
    done = owner.wait_for(owner.export(**variant))

    assert (found["rows"], found["bytes_exact"], found["inline"]) == (ROWS, False, False)
    assert 700 < found["sample_rows"] < 1_500
    assert found["bytes"] == pytest.approx(done["bytes_done"], rel=0.2)


@pytest.mark.parametrize(
    "filters", [{"tags": ["rare"]}, {"metadata_filter": {"of": ""}}, {"updated_after": 1}], ids=str
)
def test_filters_that_no_index_orders_are_counted_exactly(
    owner: Person, filters: dict[str, Any]
) -> None:
    assert estimate(owner, filters)["rows"] == owner.export(**filters)["row_count"]


def test_an_encrypted_export_is_queued_however_small(owner: Person) -> None:
    found = estimate(owner, {"encrypt_to": KEY, "tags": ["rare"]})

    assert (found["rows"], found["inline"]) == (ROWS // 20, False)


def test_few_rows_with_too_many_bytes_are_queued(alice: Person) -> None:
    alice.save_many([{"content": "x" * 1_000_000}] * 34)
    found = estimate(alice, {"format": "ndjson"})

    assert (found["rows"], found["bytes_exact"], found["inline"]) == (34, False, False)
    assert found["bytes"] == pytest.approx(34_000_000, rel=0.01)
    assert alice.export(format="ndjson")["status"] == "pending"


def test_nothing_at_all_is_estimated_as_well(alice: Person) -> None:
    found = estimate(alice, {"format": "ndjson"})

    assert (found["rows"], found["bytes"], found["inline"]) == (0, 0, True)


def test_an_estimate_leaves_no_trace(alice: Person) -> None:
    alice.save("x")
    before = alice.get("/api/memories/exports").json()
    for _ in range(3):
        estimate(alice, {"format": "csv"})

    assert alice.get("/api/memories/exports").json() == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"format": "xml"}, "format"),
        ({"namespce": "x"}, "namespce"),
        ({"fields": []}, "fields"),
        ({"created_after": 2, "created_before": 1}, "created_after"),
    ],
    ids=str,
)
def test_what_an_export_refuses_an_estimate_refuses(
    alice: Person, body: dict[str, Any], field: str
) -> None:
    answers = [
        alice.post(path, json=body)
        for path in ("/api/memories/exports", "/api/memories/exports/estimate")
    ]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[0].json() == answers[1].json()
    assert answers[1].json()["field"] == field


def test_a_token_that_is_limited_to_namespaces_is_told_of_those(
    owner: Person, database_url: str
) -> None:
    with create_holder(
        owner, database_url, scopes=("exports:create",), namespaces=("n2",)
    ) as other:
        found = estimate(other, {})

    assert found["rows"] == ROWS // 4


def test_an_estimate_needs_the_scope_of_creating(owner: Person, database_url: str) -> None:
    with create_holder(owner, database_url, scopes=("exports:read",)) as reader:
        answer = reader.post("/api/memories/exports/estimate", json={})

    assert answer.status_code == 403


def test_the_command_says_it(owner: Person) -> None:
    small = run_memferry("export", "--estimate", "--namespace", "n1", person=owner)
    large = run_memferry("export", "--estimate", "--format", "csv", person=owner)

    assert small.stdout.startswith(b"3,000 memories, ")
    assert small.stdout.endswith(b" bytes, inline\n")
    assert large.stdout.startswith(b"12,000 memories, about ")
    assert large.stdout.endswith(b" bytes, queued\n")


@pytest.mark.parametrize("more", [("-o", "x"), ("--id", "0" * 26)])
def test_the_command_refuses_an_estimate_with_a_file(owner: Person, more: tuple[str, str]) -> None:
    done = run_memferry("export", "--estimate", *more, person=owner)

    assert done.returncode == 1
    assert b"--estimate" in done.stderr
