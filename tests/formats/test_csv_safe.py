"""`csv_safe`: a spreadsheet finds no formula in the file, and the texts can be had back."""

import csv
import gzip
import io
import json
import random
import sys
import unicodedata
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.command_line import run_memferry
from support.memories import AWKWARD, save_everywhere
from support.people import Person
from support.readers import CSV_HEADER, write_csv
from support.spreadsheet import (
    ALPHABET,
    HOSTILE,
    add_guards,
    find_places,
    may_pass_over,
    may_start_formula,
    remove_guards,
)

TEXT_COLUMNS = ("content", "namespace", "tags", "source", "source_ref")


def safe_rows(person: Person, **more: Any) -> list[dict[str, str]]:
    """The cells of a guarded file, read by Python's own reader."""
    payload = person.export(format="csv", csv_safe=True, **more)["payload"]
    assert payload.split("\r\n", maxsplit=1)[0] == CSV_HEADER
    return list(csv.DictReader(io.StringIO(payload, newline=""), strict=True))


def test_every_text_column_is_guarded_where_a_spreadsheet_might_run_it(alice: Person) -> None:
    save_everywhere(alice, HOSTILE)
    rows = safe_rows(alice)

    assert len(rows) == len(HOSTILE)
    for text, row in zip(HOSTILE, rows, strict=True):
        tags = json.dumps([text], ensure_ascii=False, separators=(",", ":"))
        plain = dict.fromkeys(TEXT_COLUMNS, text) | {"tags": tags}
        assert {name: row[name] for name in TEXT_COLUMNS} == {
            name: add_guards(cell) for name, cell in plain.items()
        }
        assert row["content"].startswith("'") or find_places(text) != [0]


def test_every_sign_and_every_blank_of_unicode_is_known(alice: Person) -> None:
    every = [chr(i) for i in range(1, sys.maxunicode + 1) if unicodedata.category(chr(i)) != "Cs"]
    signs = [each + "1" for each in every if may_start_formula(each)]
    blanks = [each + "=1" for each in every if may_pass_over(each)]
    alice.save_many([{"content": each} for each in signs + blanks])

    assert len(signs) > 20
    assert len(blanks) > 150
    for text, row in zip(signs + blanks, safe_rows(alice), strict=True):
        assert row["content"].startswith("'" + text[0])


def test_text_without_a_formula_stays_as_it_is(alice: Person) -> None:
    texts = ["plain", "a=b", "2 - 1", "e-mail: x@y", "a, b; c", "zwölf\nLinien", "'quoted'", "🙂"]
    save_everywhere(alice, texts)

    assert [row["content"] for row in safe_rows(alice)] == texts
    assert [json.loads(row["tags"]) for row in safe_rows(alice)] == [[each] for each in texts]


def test_a_guarded_file_gives_back_every_text(alice: Person) -> None:
    texts = [*HOSTILE, *AWKWARD, *("'" + each for each in HOSTILE)]
    save_everywhere(alice, texts)
    rows = safe_rows(alice)

    assert [remove_guards(row["content"]) for row in rows] == texts
    assert [json.loads(remove_guards(row["tags"])) for row in rows] == [[each] for each in texts]


def test_random_texts_are_guarded_and_given_back(alice: Person, seed: int) -> None:
    choice = random.Random(seed)
    texts = ["".join(choice.choices(ALPHABET, k=choice.randint(1, 12))) for _ in range(5_000)]
    alice.save_many([{"content": each} for each in texts])
    cells = [row["content"] for row in safe_rows(alice)]

    assert cells == [add_guards(each) for each in texts]
    assert [remove_guards(each) for each in cells] == texts


def test_every_cell_of_text_is_quoted(alice: Person) -> None:
    row = alice.save("plain", tags=["x"])
    payload = alice.export(format="csv", csv_safe=True)["payload"]
    times = f"{row['created_at']},{row['updated_at']}"

    assert payload.split("\r\n")[1] == (
        f'{row["id"]},"plain","default","[""x""]","agent","",{times}'
    )


def test_csv_without_guards_stays_as_it_is(alice: Person) -> None:
    save_everywhere(alice, ["=1+1", " +1"])
    rows = alice.get("/api/memories?limit=500").json()[::-1]

    for body in ({}, {"csv_safe": False}, {"csv_safe": None}):
        export = alice.export(format="csv", **body)
        assert export["csv_safe"] is False
        assert export["payload"].encode() == write_csv(rows)


def test_every_answer_says_whether_cells_are_guarded(alice: Person) -> None:
    made = alice.export(format="csv", csv_safe=True)
    alice.export()

    assert (made["format"], made["csv_safe"]) == ("csv", True)
    assert alice.get(f"/api/memories/exports/{made['id']}").json()["csv_safe"] is True
    listed = alice.get("/api/memories/exports").json()["exports"]
    assert [each["csv_safe"] for each in listed] == [False, True]


@pytest.mark.parametrize("body", [{}, {"format": "json"}, {"format": "ndjson"}])
def test_csv_safe_is_refused_with_another_format(alice: Person, body: dict[str, Any]) -> None:
    answer = alice.post("/api/memories/exports", json={**body, "csv_safe": True})

    assert (answer.status_code, answer.json()["field"]) == (400, "csv_safe")
    assert alice.export(**body, csv_safe=False)["csv_safe"] is False


@pytest.mark.parametrize("value", ["true", 1, "", [], {}])
def test_csv_safe_must_be_a_boolean(alice: Person, value: object) -> None:
    answer = alice.post("/api/memories/exports", json={"format": "csv", "csv_safe": value})

    assert (answer.status_code, answer.json()["field"]) == (400, "csv_safe")


def test_an_idempotency_key_stands_for_one_value_of_csv_safe(alice: Person) -> None:
    headers = {"Idempotency-Key": "one-of-both"}
    answers = [
        alice.post("/api/memories/exports", json={"format": "csv"} | more, headers=headers)
        for more in ({}, {"csv_safe": False}, {"csv_safe": True})
    ]

    assert [each.status_code for each in answers] == [201, 201, 422]


def test_a_queued_file_is_guarded_as_well_and_the_command_brings_it(
    alice: Person, tmp_path: Path
) -> None:
    texts = [*HOSTILE, *(f"={i}" for i in range(10_001 - len(HOSTILE)))]
    alice.save_many([{"content": each} for each in texts])
    done = alice.wait_for(alice.export(format="csv", csv_safe=True, compression="gzip"))
    data = gzip.decompress(httpx.get(done["download_url"]).content)
    target = tmp_path / "out.csv"
    brought = run_memferry(
        "export", "--format", "csv", "--csv-safe", "-o", str(target), person=alice
    )

    assert (done["format"], done["csv_safe"], done["row_count"]) == ("csv", True, 10_001)
    cells = csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True)
    assert [row["content"] for row in cells] == [add_guards(each) for each in texts]
    assert brought.returncode == 0, brought.stderr
    assert target.read_bytes() == data


def test_the_command_refuses_csv_safe_with_another_format(alice: Person) -> None:
    done = run_memferry("export", "--csv-safe", person=alice)

    assert done.returncode == 1
    assert b"csv_safe: goes only with format csv" in done.stderr
