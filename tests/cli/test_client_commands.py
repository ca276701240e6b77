"""The client commands as a person and as a program use them."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from memferry.cli import app
from memferry.cli.servers import KnownServer, Servers
from memferry.errors import Invalid
from memferry.model.token import SCOPES
from memferry.settings import ClientSettings
from support.command_line import Done, run_memferry
from support.people import Person, make_person
from support.service import Service, asleep
from support.terminal import run_on_terminal

NOWHERE = "http://127.0.0.1:9"
TEXT = "Likes tea \x1b[31m with a slice of lemon, never with milk, and only in the morning; " * 20


@pytest.fixture(scope="module")
def alice(service: Service, database_url: str) -> Iterator[Person]:
    with make_person("alice", service, database_url, SCOPES) as person:
        yield person


@pytest.fixture
def run_inside(
    bob: Person, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Runs a command of Bob's in this process, without the cost of a process; what it prints."""
    monkeypatch.setenv("MEMFERRY_URL", str(bob.base_url))
    monkeypatch.setenv("MEMFERRY_TOKEN", bob.token)

    def run(*arguments: str) -> str:
        capfd.readouterr()
        app(arguments, standalone_mode=False)
        return capfd.readouterr().out

    return run


def read_lines(done: Done) -> list[Any]:
    """What a command printed as JSON."""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_memory_is_saved_read_changed_and_deleted(alice: Person) -> None:
    options = ("--namespace", "talk", "--tag", "a", "--metadata", '{"n": 1.10}')
    (saved,) = read_lines(run_memferry("save", "one", *options, "--json", person=alice))
    name = saved["id"]
    (changed,) = read_lines(run_memferry("edit", name, "--no-tags", "--json", person=alice))
    changes = read_lines(run_memferry("history", name, "--json", person=alice))
    restored = run_memferry("restore", name, "1", person=alice)
    raw = run_memferry("get", name, "--raw", person=alice)
    deleted = run_memferry("delete", name, "nonsense", person=alice)

    assert (saved["namespace"], saved["tags"], saved["source"]) == ("talk", ["a"], "cli")
    assert changed["tags"] == []
    assert [change["kind"] for change in changes] == ["create", "update"]
    assert (restored.returncode, raw.stdout) == (0, b"one")
    assert (deleted.returncode, deleted.stderr) == (1, b"deleted 1\nnot found: nonsense\n")
    assert run_memferry("get", name, person=alice).returncode == 1


@pytest.mark.parametrize(
    ("options", "data", "content"),
    [((), b"a\nb\n", "a\nb"), (("-",), b"a\r\n", "a"), (("--exact",), b"a\n\n", "a\n\n")],
)
def test_standard_input_is_saved_without_the_line_break_that_ends_it(
    bob: Person, options: tuple[str, ...], data: bytes, content: str
) -> None:
    done = run_memferry("save", *options, person=bob, data=data)

    assert done.stdout.decode().strip() == bob.get("/api/memories").json()[0]["id"]
    assert bob.get("/api/memories").json()[0]["content"] == content


def test_tables_fit_and_control_nothing(bob: Person, run_inside: Callable[..., str]) -> None:
    row = bob.save(TEXT, namespace="drinks", tags=["taste"], source_ref="chat-1")
    bob.save(TEXT, namespace="drinks")
    bob.post("/api/webhooks", json={"url": "https://example.com/" + "x" * 100})
    bob.export()
    for command in (
        ["list"], ["search", "lemon"], ["namespaces"], ["threads"], ["threads", "chat-1"],
        ["duplicates"], ["project", "list"], ["webhook", "list"], ["jobs", "list"], ["status"],
        ["history", row["id"]],
    ):  # fmt: skip
        lines = run_inside(*command).splitlines()

        assert max(map(len, lines)) <= 80, command
        assert len(lines) > 1, command
        assert "\x1b" not in "".join(lines)


def test_programs_get_one_object_a_line(bob: Person, run_inside: Callable[..., str]) -> None:
    bob.save_many([{"content": f"memory {i}", "namespace": "n"} for i in range(60)])
    bob.save("numbers", metadata={"n": 1.5})
    rows = run_inside("list", "--json", "--all", "--namespace", "n").splitlines()
    hits = run_inside("search", "memory", "--json", "--limit", "3").splitlines()
    count = json.loads(run_inside("namespaces", "--json", "--limit", "1"))
    status = json.loads(run_inside("status", "--json"))

    assert {json.loads(row)["content"] for row in rows} == {f"memory {i}" for i in range(60)}
    assert len(hits) == 3
    assert (count["name"], count["count"]) == ("default", 1)
    assert (status["ready"], status["memories"]) == (True, 61)


def test_an_editor_changes_a_memory_and_nothing_is_lost_if_another_was_faster(
    bob: Person, tmp_path: Path
) -> None:
    row = bob.save("Likes tea.")
    address = f"/api/memories/{row['id']}"
    done = run_on_terminal(
        "edit", row["id"], person=bob, settings={"VISUAL": "sed -i s/tea/coffee/"}
    )
    edited = bob.get(address).json()["content"]
    editor = tmp_path / "editor"
    editor.write_text(
        f"#!{sys.executable}\n"
        "import sys, urllib.request as u\n"
        f"head = {{'Authorization': 'Bearer {bob.token}', 'Content-Type': 'application/json'}}\n"
        f"url, change = '{str(bob.base_url).rstrip('/')}{address}', b'{{\"content\": \"x\"}}'\n"
        "u.urlopen(u.Request(url, change, head, method='PATCH'))\n"
        "open(sys.argv[1], 'w').write('my text')\n"
    )
    editor.chmod(0o700)
    status, text = run_on_terminal(
        "edit", row["id"], person=bob, settings={"VISUAL": str(editor), "TMPDIR": str(tmp_path)}
    )

    assert (done[0], edited) == (0, "Likes coffee.")
    assert (status, bob.get(address).json()["content"]) == (1, "x")
    assert "somebody has changed" in text
    assert [file.read_text() for file in tmp_path.glob("*.txt")] == ["my text"]


def test_login_keeps_a_good_token_for_its_owner_alone(alice: Person, tmp_path: Path) -> None:
    settings = {"XDG_CONFIG_HOME": str(tmp_path)}
    login = ("login", str(alice.base_url), "--name", "home")
    wrong = run_memferry(*login, settings=settings, data=b"mnu_wrong\n")
    before = list(tmp_path.iterdir())
    done = run_memferry(*login, settings=settings, data=alice.token.encode() + b"\n")
    file = tmp_path / "memferry/servers.json"
    listed = run_memferry("servers", "--json", settings=settings)
    status = run_memferry("status", settings=settings)
    elsewhere = settings | {"MEMFERRY_URL": NOWHERE}
    named = run_memferry("namespaces", "--server", "home", settings=elsewhere)

    assert (wrong.returncode, before) == (1, [])
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert alice.token.encode() not in done.stderr + listed.stdout
    assert json.loads(listed.stdout)["current"] is True
    assert b"alice-" in status.stdout
    assert named.returncode == 0
    assert run_memferry("namespaces", settings=elsewhere).returncode == 1

    file.chmod(0o640)
    refused = run_memferry("status", settings=settings)
    file.chmod(0o600)
    run_memferry("logout", settings=settings)

    assert (refused.returncode, b"chmod 600" in refused.stderr) == (1, True)
    assert alice.token not in file.read_text()


def test_the_file_of_servers_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        servers = Servers.load(ClientSettings(config_home=tmp_path))
        servers.add("home", KnownServer(url=NOWHERE, token="mnu_x"))
    finally:
        os.umask(before)

    assert stat.S_IMODE(servers.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(servers.path.parent.stat().st_mode) == 0o700


def test_tokens_and_audit_are_of_the_tenant_unless_the_database_is_meant(
    alice: Person, database_url: str, tmp_path: Path
) -> None:
    database = {"MEMFERRY_DATABASE_URL": database_url, "MEMFERRY_DATA_DIR": str(tmp_path)}
    created = run_memferry("token", "create", "--name", "phone", person=alice)
    token = created.stdout.decode().strip()
    own = read_lines(run_memferry("token", "list", "--json", person=alice))
    every = run_memferry("token", "list", settings=database | {"COLUMNS": "300"})
    revoked = run_memferry("token", "revoke", token, person=alice)
    entries = read_lines(run_memferry("audit", "--json", "--limit", "2", person=alice))
    both = run_memferry("audit", "--tenant", "x", "--server", "home", person=alice)

    assert [row["name"] for row in own] == ["phone", "alice"]
    assert len(every.stdout.splitlines()) > len(own) + 1
    assert revoked.returncode == 0, revoked.stderr
    assert [entry["event"] for entry in entries] == ["token.revoked", "token.created"]
    assert (both.returncode, b"--tenant" in both.stderr) == (1, True)


def test_groups_of_commands_cover_what_the_client_can(
    bob: Person, run_inside: Callable[..., str]
) -> None:
    project = run_inside("project", "create", "garden").strip()
    run_inside("project", "edit", project, "--name", "park", "--archive")
    row = json.loads(run_inside("project", "list", "--json"))
    with pytest.raises(Invalid, match="--yes"):
        run_inside("project", "delete", project)
    hook = json.loads(run_inside("webhook", "create", "https://example.com/a", "--json"))
    run_inside("webhook", "edit", hook["id"], "--disable")
    listed = json.loads(run_inside("webhook", "list", "--json"))
    deliveries = run_inside("webhook", "deliveries", hook["id"], "--json")
    run_inside("webhook", "delete", hook["id"])
    bob.export()
    job = json.loads(run_inside("jobs", "list", "--json"))
    shown = json.loads(run_inside("jobs", "show", job["id"]))
    run_inside("jobs", "delete", job["id"])
    run_inside("project", "delete", project, "--yes")

    assert (row["name"], row["archived_at"] is None) == ("park", False)
    assert (hook["secret"][:6], listed["enabled"], deliveries) == ("whsec_", False, "")
    assert (shown["status"], "payload" in shown) == ("completed", False)
    assert bob.get("/api/webhooks").json()["endpoints"] == []
    assert bob.get("/api/projects").json()["projects"] == []
    assert bob.get("/api/memories/exports").json()["exports"] == []


def test_ctrl_c_cancels_the_export_and_says_so(bob: Person, service: Service) -> None:
    bob.save_many([{"content": "x"}] * 10_001)
    with asleep(service):
        process = subprocess.Popen(
            [sys.executable, "-m", "memferry", "export", "-o", "-"],
            env=os.environ | {"MEMFERRY_URL": service.url, "MEMFERRY_TOKEN": bob.token},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        deadline = time.monotonic() + 20
        while not (exports := bob.get("/api/memories/exports").json()["exports"]):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.3)  # the command has its answer by then, or gets it before the signal
        process.send_signal(signal.SIGINT)
        output, said = process.communicate(timeout=20)

    assert (process.returncode, output) == (130, b"")
    assert f"cancelled export {exports[0]['id']}".encode() in said
    assert b"Traceback" not in said
    assert bob.get("/api/memories/exports").json()["exports"][0]["status"] == "cancelled"


def test_progress_with_rate_and_time_left_is_for_terminals_alone(
    bob: Person, tmp_path: Path
) -> None:
    bob.save_many([{"content": "x"}] * 10_001)
    target = str(tmp_path / "out")
    piped = run_memferry("export", "-o", target, person=bob)
    status, seen = run_on_terminal("export", "-o", target, person=bob)

    assert len(piped.stderr.splitlines()) == 1
    assert b"\x1b" not in piped.stderr
    assert status == 0
    assert "10,001 of 10,001" in seen
    assert "downloading" in seen


def test_a_closed_pipe_ends_an_export_quietly(bob: Person) -> None:
    bob.save_many([{"content": "x" * 1000}] * 300)
    process = subprocess.Popen(
        [sys.executable, "-m", "memferry", "export", "--format", "ndjson", "-o", "-"],
        env=os.environ
        | {"MEMFERRY_URL": str(bob.base_url), "MEMFERRY_TOKEN": bob.token}
        | {"PYTHONUNBUFFERED": "1"},  # then sys.stdout.buffer may write a part, and say nothing
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()

    assert process.wait(20) == 1
    assert b"Traceback" not in said
    assert b"Exception" not in said


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_table_whose_reader_is_gone_ends_quietly(bob: Person, unbuffered: str) -> None:
    bob.save("x")
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "memferry", "list"],
            env=os.environ
            | {"MEMFERRY_URL": str(bob.base_url), "MEMFERRY_TOKEN": bob.token}
            | {"PYTHONUNBUFFERED": unbuffered},
            stdout=gone,
            stderr=subprocess.PIPE,
            check=False,
        )

    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize(
    ("arguments", "settings", "advice"),
    [
        (["get", "x"], {}, b"memferry search"),
        (["list"], {"MEMFERRY_TOKEN": "mnu_x"}, b"memferry login"),
        (["list"], {"MEMFERRY_URL": NOWHERE}, b"memferry serve"),
        (["list", "--server", "nowhere"], {}, b"--server"),
        (["jobs", "show", "x"], {}, b"memferry jobs list"),
        (["save"], {}, b"must not be empty"),
    ],
)
def test_an_error_says_what_to_do_next(
    alice: Person, arguments: list[str], settings: dict[str, str], advice: bytes
) -> None:
    done = run_memferry(*arguments, person=alice, settings=settings)

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert advice in done.stderr


@pytest.mark.parametrize(
    ("shell", "settings"),
    [
        ("bash", {"COMP_WORDS": "memferry dup", "COMP_CWORD": "1"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "memferry dup"}),
        (
            "fish",
            {"_TYPER_COMPLETE_FISH_ACTION": "get-args", "_TYPER_COMPLETE_ARGS": "memferry dup"},
        ),
    ],
)
def test_shells_complete_commands(shell: str, settings: dict[str, str]) -> None:
    script = run_memferry("completion", shell).stdout
    done = run_memferry(settings=settings | {"_MEMFERRY_COMPLETE": f"complete_{shell}"})

    assert b"_MEMFERRY_COMPLETE" in script
    assert b"duplicates" in done.stdout
