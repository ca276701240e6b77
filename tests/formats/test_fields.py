"""`fields` and `csv_metadata`: a file has exactly the fields that were asked for, in one order."""

import csv
import io
import itertools
from pathlib import Path
from typing import Any

import httpx
import pytest

from memferry.formats import FIELDS, FORMATS, find_format
from support.command_line import run_memferry
from support.memories import AWKWARD, save_everywhere
from support.people import Person
from support.readers import read
from support.spreadsheet import HOSTILE, add_guards, remove_guards

METADATA = '{"b":1.50,"a":"x, \\"y\\";\\n=1"}'


def save_all_sorts(person: Person) -> list[dict[str, Any]]:
    """Memories with every awkward text, one with metadata; as the API shows them, oldest first."""
    save_everywhere(person, AWKWARD)
    person.post("/api/memories", content=f'{{"content": "kept", "metadata": {METADATA}}}')
    rows: list[dict[str, Any]] = person.get("/api/memories?limit=500").json()
    return rows[::-1]


def read_csv(text: str) -> tuple[list[str], list[list[str]]]:
    """The header and the other records."""
    header, *records = csv.reader(io.StringIO(text, newline=""), strict=True)
    return header, records


@pytest.mark.parametrize("file_format", ["json", "ndjson"])
@pytest.mark.parametrize(
    "fields", [["id"], ["updated_at", "id"], ["metadata", "content"], ["source_ref"], FIELDS]
)
def test_an_object_has_exactly_the_fields_in_the_order_of_a_memory(
    alice: Person, file_format: str, fields: list[str]
) -> None:
    rows = save_all_sorts(alice)
    export = alice.export(format=file_format, fields=fields)
    found = read(file_format, export["payload"].encode())
    names = [name for name in FIELDS if name in fields]

    assert [list(row) for row in found] == [names] * len(rows)
    assert found == [{name: row[name] for name in names} for row in rows]
    assert export["fields"] == names


def test_a_csv_has_exactly_the_columns_and_metadata_last(alice: Person) -> None:
    rows = save_all_sorts(alice)
    fields = ["updated_at", "metadata", "content", "source_ref"]
    header, records = read_csv(alice.export(format="csv", fields=fields)["payload"])

    assert header == ["content", "source_ref", "updated_at", "metadata"]
    assert [record[0] for record in records] == [row["content"] for row in rows]
    assert [record[3] for record in records] == [""] * len(AWKWARD) + [METADATA]


def test_csv_metadata_adds_a_ninth_column_with_the_text_as_it_was_sent(alice: Person) -> None:
    save_all_sorts(alice)
    plain = alice.export(format="csv")
    more = alice.export(format="csv", csv_metadata=True)
    header, records = read_csv(more["payload"])

    assert header == [*read_csv(plain["payload"])[0], "metadata"]
    assert [record[:8] for record in records] == read_csv(plain["payload"])[1]
    assert [record[8] for record in records] == [""] * len(AWKWARD) + [METADATA]
    assert (plain["csv_metadata"], more["csv_metadata"]) == (False, True)


def test_an_empty_csv_with_metadata_is_its_header(alice: Person) -> None:
    header = "id,content,namespace,tags,source,source_ref,created_at,updated_at,metadata"

    assert alice.export(format="csv", csv_metadata=True)["payload"] == header


@pytest.mark.parametrize("text", HOSTILE[:10])
def test_metadata_are_guarded_as_well(alice: Person, text: str) -> None:
    alice.save("x", metadata={"a": f"b;{text}"})
    sent = read_csv(alice.export(format="csv", fields=["metadata"])["payload"])[1]
    ((cell,),) = read_csv(
        alice.export(format="csv", csv_safe=True, csv_metadata=True, fields=["metadata"])["payload"]
    )[1]

    assert cell == add_guards(sent[0][0])
    assert remove_guards(cell) == sent[0][0]


@pytest.mark.parametrize("safe", [False, True])
@pytest.mark.parametrize("field", ["source_ref", "metadata"])
def test_an_empty_cell_that_is_alone_in_its_line_is_a_record(
    alice: Person, field: str, *, safe: bool
) -> None:
    alice.save_many([{"content": "a"}] * 3)
    payload = alice.export(format="csv", fields=[field], csv_safe=safe)["payload"]

    assert payload == f'{field}\r\n""\r\n""\r\n""'


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ([], "names no field"),
        (["id", "score"], "unknown field"),
        (["id", "Content"], "unknown field"),
        (["id", "content", "id"], "twice"),
        (["id", 1], ""),
        ("id", ""),
        ({"id": 1}, ""),
    ],
    ids=str,
)
def test_fields_that_are_not_understood_are_refused(
    alice: Person, fields: object, reason: str
) -> None:
    answer = alice.post("/api/memories/exports", json={"fields": fields})

    assert (answer.status_code, answer.json()["field"].split("[")[0]) == (400, "fields")
    assert reason in answer.json()["error"]


_OPTIONS: dict[str, object] = {"fields": ["id"], "csv_metadata": True, "csv_safe": True}


@pytest.mark.parametrize(
    ("file_format", "option"),
    [
        pair
        for pair in itertools.product(FORMATS, _OPTIONS)
        if pair[1] not in FORMATS[pair[0]].variants
    ],
)
def test_an_option_that_a_format_does_not_have_is_refused(
    alice: Person, file_format: str, option: str
) -> None:
    body = {"format": file_format, option: _OPTIONS[option]}
    answer = alice.post("/api/memories/exports", json=body)

    assert (answer.status_code, answer.json()["field"]) == (400, option)
    assert "goes only with format" in answer.json()["error"]


def test_fields_without_metadata_contradict_csv_metadata(alice: Person) -> None:
    body = {"format": "csv", "csv_metadata": True, "fields": ["id"]}
    answer = alice.post("/api/memories/exports", json=body)

    assert (answer.status_code, answer.json()["field"]) == (400, "csv_metadata")


def test_every_answer_says_what_fields_it_has(alice: Person) -> None:
    made = alice.export(fields=["content", "id"])
    alice.export(fields=None)

    assert alice.get(f"/api/memories/exports/{made['id']}").json()["fields"] == ["id", "content"]
    listed = alice.get("/api/memories/exports").json()["exports"]
    assert [export["fields"] for export in listed] == [None, ["id", "content"]]


def test_an_idempotency_key_stands_for_one_set_of_fields(alice: Person) -> None:
    answers = [
        alice.post(
            "/api/memories/exports", json={"fields": fields}, headers={"Idempotency-Key": "k"}
        )
        for fields in (["id", "content"], ["content", "id"], ["id"], None)
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 422, 422]


def test_a_queued_file_has_only_the_fields_and_the_command_brings_it(
    alice: Person, tmp_path: Path
) -> None:
    alice.save_many([{"content": f"memory {i}", "metadata": {"i": i}} for i in range(10_001)])
    body = {"format": "csv", "fields": ["content", "metadata"], "csv_metadata": True}
    done = alice.wait_for(alice.export(**body))
    target = tmp_path / "out.csv"
    brought = run_memferry(
        *("export", "--format", "csv", "--fields", "content,metadata", "--csv-metadata"),
        *("-o", str(target)),
        person=alice,
    )
    header, records = read_csv(httpx.get(done["download_url"]).text)

    assert (header, len(records)) == (["content", "metadata"], 10_001)
    assert all(record[1] == f'{{"i":{record[0].split()[1]}}}' for record in records)
    assert brought.returncode == 0, brought.stderr
    assert len(read_csv(target.read_bytes().decode())[1]) == 10_001


def test_every_format_says_what_it_leaves_out() -> None:
    said = {
        "json": find_format("json", {}).leaves_out,
        "ids": find_format("ndjson", {"fields": ["id"]}).leaves_out,
        "csv": find_format("csv", {}).leaves_out,
        "csv with metadata": find_format("csv", {"csv_metadata": True}).leaves_out,
    }

    assert said == {
        "json": "",
        "ids": "It holds no content, namespace, tags, source, source_ref, metadata, created_at, "
        "updated_at, expires_at.",
        "csv": "It holds no metadata, expires_at.",
        "csv with metadata": "It holds no expires_at.",
    }
