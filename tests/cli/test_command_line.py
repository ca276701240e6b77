"""The command line as a person uses it: real processes, exit codes, what is printed where."""

import csv
import io
import json
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from support.command_line import run_memferry
from support.people import Person
from support.service import Service

Done = subprocess.CompletedProcess[bytes]


@pytest.mark.parametrize("file_format", ["json", "ndjson", "csv"])
@pytest.mark.parametrize("rows", [3, 10_001])
def test_export_writes_the_same_bytes_to_a_file_and_to_standard_output(
    alice: Person, tmp_path: Path, file_format: str, rows: int
) -> None:
    alice.save_many([{"content": f"memory {i}"} for i in range(rows)])
    target = tmp_path / "out"

    to_file = run_memferry("export", "--format", file_format, "-o", str(target), person=alice)
    to_output = run_memferry("export", "--format", file_format, "-o", "-", person=alice)

    assert (to_file.returncode, to_output.returncode) == (0, 0), to_file.stderr + to_output.stderr
    assert to_file.stdout == b""
    assert f"{rows:,} memories".encode() in to_file.stderr
    assert target.read_bytes() == to_output.stdout
    assert sorted(tmp_path.iterdir()) == [target]
    if file_format == "csv":
        assert len(list(csv.reader(io.StringIO(to_output.stdout.decode(), newline="")))) == rows + 1


def test_export_takes_every_filter(alice: Person) -> None:
    keep = {"content": "keep", "namespace": "n", "tags": ["a", "b"], "metadata": {"x": 1}}
    alice.save_many([keep | {"created_at": 1735689600000}, keep | {"created_at": 1735689600001}])
    alice.save_many([keep | {"tags": ["a"], "created_at": 1735689600000}])

    done = run_memferry(
        *("export", "-o", "-", "--namespace", "n", "--tag", "a", "--tag", "b"),
        *("--metadata", '{"x": 1}', "--created-after", "2025-01-01"),
        *("--created-before", "1735689600000"),
        person=alice,
    )

    (row,) = json.loads(done.stdout)
    assert (row["content"], row["tags"], row["created_at"]) == ("keep", ["a", "b"], 1735689600000)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--format", "xml"], "format"),
        (["--metadata", "[1]"], "--metadata"),
        (["--created-after", "yesterday"], "--created-after"),
        (["--created-after", "9" * 5_000], "--created-after"),
        (["-o", "/nowhere/at/all"], "--output"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(
    alice: Person, arguments: list[str], word: str
) -> None:
    done = run_memferry("export", *arguments, person=alice)

    assert done.returncode == 1
    last = done.stderr.decode().strip().splitlines()[-1]
    assert last.startswith("memferry: ")
    assert word in last
    assert b"Traceback" not in done.stderr


def test_an_unreachable_service_is_one_line_of_error(alice: Person) -> None:
    done = run_memferry("export", person=alice, settings={"MEMFERRY_URL": "http://127.0.0.1:9"})

    assert done.returncode == 1
    assert b"http://127.0.0.1:9 does not answer" in done.stderr


def test_a_token_is_printed_alone_and_works_until_it_is_revoked(
    alice: Person, database_url: str, tmp_path: Path
) -> None:
    external = {"MEMFERRY_DATABASE_URL": database_url, "MEMFERRY_DATA_DIR": str(tmp_path)}
    made = run_memferry(
        "token", "create", "--tenant", "dora", "--name", "laptop", settings=external
    )
    token = made.stdout.decode().strip()
    headers = {"Authorization": f"Bearer {token}"}
    before = alice.get("/api/memories", headers=headers).status_code

    listed = run_memferry("token", "list", settings=external).stdout.decode()
    revoked = run_memferry("token", "revoke", token, settings=external)

    assert made.stdout.decode() == f"{token}\n"
    assert token.startswith("mnu_")
    assert len(token) == len("mnu_") + 43
    assert "dora" in listed
    assert "laptop" in listed
    assert token not in listed
    assert (before, revoked.returncode) == (200, 0)
    assert alice.get("/api/memories", headers=headers).status_code == 401
    assert run_memferry("token", "revoke", token, settings=external).returncode == 1


def test_a_token_that_is_good_beyond_the_year_9999_is_listed(
    database_url: str, tmp_path: Path
) -> None:
    external = {"MEMFERRY_DATABASE_URL": database_url, "MEMFERRY_DATA_DIR": str(tmp_path)}
    create = ("token", "create", "--tenant", "late", "--name", "late")
    run_memferry(*create, "--expires", "8640000000000000", settings=external)
    listed = run_memferry("token", "list", settings=external | {"COLUMNS": "300"})

    assert listed.returncode == 0, listed.stderr
    assert b"8640000000000000" in listed.stdout


def test_names_are_listed_as_they_are_and_none_controls_the_terminal(
    database_url: str, tmp_path: Path
) -> None:
    external = {"MEMFERRY_DATABASE_URL": database_url, "MEMFERRY_DATA_DIR": str(tmp_path)}
    wide = external | {"COLUMNS": "300"}
    tenant, name = "[/erin]", "[bold]:tada:\x1b[31m\u202e"
    made = run_memferry("token", "create", "--tenant", tenant, "--name", name, settings=external)
    tokens = run_memferry("token", "list", settings=wide).stdout.decode()
    tenants = run_memferry("tenant", "list", settings=wide).stdout.decode()

    assert made.returncode == 0
    assert "[/erin]" in tokens
    assert "[bold]:tada:\ufffd[31m\ufffd" in tokens
    assert "[/erin]" in tenants


def test_the_command_prints_its_version() -> None:
    assert run_memferry("--version").stdout == f"memferry {version('memferry')}\n".encode()


def test_database_url_is_one_that_clients_take(database_url: str) -> None:
    done = run_memferry("database", "url", settings={"MEMFERRY_DATABASE_URL": database_url})

    assert done.stdout.decode().strip() == database_url


def test_migrate_says_when_there_is_nothing_to_do(database_url: str) -> None:
    done = run_memferry("migrate", settings={"MEMFERRY_DATABASE_URL": database_url})

    assert (done.returncode, done.stdout) == (0, b"nothing to do: the schema is up to date\n")


def test_doctor_lists_passed_and_failed_checks(
    alice: Person, service: Service, database_url: str
) -> None:
    settings = {"MEMFERRY_DATABASE_URL": database_url, "MEMFERRY_DATA_DIR": str(service.home)}
    well = run_memferry("doctor", person=alice, settings=settings)
    settings["MEMFERRY_URL"] = "http://127.0.0.1:9"
    wrong = run_memferry("doctor", person=alice, settings=settings)

    assert well.returncode == 0, well.stdout
    for part in (b"database", b"schema", b"snapshots", b"object store", b"worker", b"service"):
        assert b"ok     %b: " % part in well.stdout
    assert wrong.returncode == 1
    assert b"memferry serve" in wrong.stdout


def test_faults_in_the_settings_are_reported_together() -> None:
    wrong = {"MEMFERRY_POOL_SIZE": "none", "MEMFERRY_DATABASE_URL": "my:", "MEMFERRY_URL": "ftp:"}
    done = run_memferry("migrate", settings=wrong)

    assert done.returncode == 1
    for name in wrong:
        assert name.encode() in done.stderr
