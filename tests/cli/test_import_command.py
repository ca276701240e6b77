"""`memferry import` as a person uses it: what is printed, and how it ends."""

from pathlib import Path

from support.command_line import run_memferry
from support.imports import make_row, write_ndjson
from support.people import Person


def test_import_says_what_became_of_every_record(alice: Person, tmp_path: Path) -> None:
    path = tmp_path / "rows.ndjson"
    path.write_bytes(write_ndjson(make_row("one"), make_row("two")))
    first = run_memferry("import", str(path), "--tag", "t", person=alice)
    second = run_memferry("import", str(path), "--tag", "t", "--dry-run", person=alice)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert b"2 records in 1 file, read as memferry" in first.stdout
    assert b"2  created" in first.stdout
    assert b"dry run, completed" in second.stdout
    assert b"2  unchanged" in second.stdout


def test_a_rejected_record_is_named_and_the_command_fails(alice: Person, tmp_path: Path) -> None:
    path = tmp_path / "rows\x1b[31m.ndjson"
    path.write_bytes(write_ndjson(make_row("one"), make_row("")))
    aborted = run_memferry("import", str(path), person=alice)
    skipped = run_memferry("import", str(path), "--on-error", "skip", person=alice)

    assert (aborted.returncode, skipped.returncode) == (1, 1)
    assert b"line 2: content: must not be empty" in aborted.stdout
    assert b"1  created" in skipped.stdout
    assert b"\x1b[31m" not in aborted.stdout + skipped.stdout
    assert len(alice.get("/api/memories").json()) == 1


def test_a_mistake_is_one_line_that_names_the_argument(alice: Person, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")
    cases = {
        "FILE": ["/nowhere/at/all"],
        "--identity": [str(path), "--identity", "/nowhere"],
        "conflict": [str(path), "--conflict", "merge"],
    }
    for word, arguments in cases.items():
        done = run_memferry("import", *arguments, person=alice)

        assert done.returncode == 1
        assert word.encode() in done.stderr.splitlines()[-1]
