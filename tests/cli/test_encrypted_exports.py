"""The command and encrypted exports: opened with the right key, kept as they are without it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pyrage
import pytest

from support.age_keys import Key, make_key
from support.command_line import run_memferry
from support.people import Person, make_person
from support.readers import CODECS
from support.service import Service


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return make_key(tmp_path_factory.mktemp("keys"), "alice.key")


@pytest.fixture(scope="module")
def alice(service: Service, database_url: str) -> Iterator[Person]:
    """Alice with a few memories; nobody here changes them."""
    with make_person("alice", service, database_url) as person:
        person.save_many([{"content": f"memory {i} é 🙂"} for i in range(300)])
        yield person


@pytest.fixture(scope="module")
def plain(alice: Person) -> dict[str, Any]:
    return alice.export(format="ndjson")


@pytest.fixture(scope="module")
def sealed(alice: Person, key: Key) -> dict[str, Any]:
    return alice.wait_for(alice.export(format="ndjson", encrypt_to=key.public))


def test_the_command_leaves_an_export_encrypted_without_a_key(
    alice: Person, key: Key, plain: dict[str, Any], tmp_path: Path
) -> None:
    target = tmp_path / "out.ndjson.age"
    arguments = ["--format", "ndjson", "--encrypt-to", key.public, "-o", str(target)]
    done = run_memferry("export", *arguments, person=alice)

    assert done.returncode == 0, done.stderr
    assert pyrage.decrypt(target.read_bytes(), [key.secret]) == plain["payload"].encode()


@pytest.mark.parametrize("compression", [None, *CODECS])
def test_the_command_decrypts_an_export_with_its_key(
    alice: Person, key: Key, plain: dict[str, Any], tmp_path: Path, compression: str | None
) -> None:
    target = tmp_path / "out"
    arguments = ["--format", "ndjson", "--encrypt-to", key.public, "--identity", str(key.file)]
    arguments += [] if compression is None else ["--compression", compression]
    done = run_memferry("export", *arguments, "-o", str(target), person=alice)
    streamed = run_memferry("export", *arguments, "-o", "-", person=alice)

    assert (done.returncode, streamed.returncode) == (0, 0), done.stderr + streamed.stderr
    data = target.read_bytes() if compression is None else CODECS[compression](target.read_bytes())
    assert data == plain["payload"].encode()
    assert streamed.stdout == target.read_bytes()
    assert sorted(tmp_path.iterdir()) == [target]
    assert target.stat().st_mode & 0o777 == 0o600


def test_the_command_fetches_and_decrypts_an_earlier_export(
    alice: Person, key: Key, sealed: dict[str, Any], plain: dict[str, Any], tmp_path: Path
) -> None:
    target = tmp_path / "out"
    arguments = ["--id", sealed["id"], "--identity", str(key.file), "-o", str(target)]
    done = run_memferry("export", *arguments, person=alice)

    assert done.returncode == 0, done.stderr
    assert target.read_bytes() == plain["payload"].encode()


def test_the_wrong_key_leaves_the_encrypted_file_and_nothing_else(
    alice: Person, sealed: dict[str, Any], tmp_path: Path
) -> None:
    wrong, target = make_key(tmp_path, "wrong.key"), tmp_path / "out"
    arguments = ["--id", sealed["id"], "--identity", str(wrong.file), "-o", str(target)]
    done = run_memferry("export", *arguments, person=alice)

    assert done.returncode == 1
    assert b"is not for this key" in done.stderr
    assert str(wrong.secret).encode() not in done.stdout + done.stderr
    kept = tmp_path / "out.age"
    assert sorted(tmp_path.iterdir()) == sorted([kept, wrong.file])
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == sealed["file_sha256"]


async def test_a_file_encrypted_by_somebody_else_is_not_taken_for_the_export(
    service: Service, alice: Person, database_url: str, key: Key, tmp_path: Path
) -> None:
    export = alice.wait_for(alice.export(format="ndjson", encrypt_to=key.public))
    (file,) = service.store.glob(f"*/{export['id']}/1")
    recipient = pyrage.x25519.Recipient.from_str(key.public)
    file.write_bytes(forged := pyrage.encrypt(b"x" * export["bytes_done"], [recipient]))
    owner = await asyncpg.connect(database_url)
    await owner.execute(
        "UPDATE memferry.jobs SET file_bytes = $2, file_sha256 = $3 WHERE id = $1",
        *(export["id"], len(forged), hashlib.sha256(forged).digest()),
    )
    await owner.close()
    target = tmp_path / "out"
    arguments = ["--id", export["id"], "--identity", str(key.file), "-o", str(target)]
    done = run_memferry("export", *arguments, person=alice)

    assert done.returncode == 1
    assert b"not the exported ones" in done.stderr
    assert not target.exists()


@pytest.mark.parametrize("text", ["", "# nothing\n", "AGE-SECRET-KEY-1NONE\n", "\xff"])
def test_a_file_without_keys_is_refused_before_any_request(
    alice: Person, key: Key, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "no.key"
    file.write_bytes(text.encode("latin-1"))
    before = alice.get("/api/memories/exports").json()
    arguments = ["--encrypt-to", key.public, "--identity", str(file)]
    done = run_memferry("export", *arguments, person=alice)

    assert done.returncode == 1
    assert b"--identity: " in done.stderr
    assert b"AGE-SECRET-KEY-1NONE" not in done.stderr
    assert alice.get("/api/memories/exports").json() == before


def test_a_key_for_an_unencrypted_export_is_refused(
    alice: Person, key: Key, plain: dict[str, Any], tmp_path: Path
) -> None:
    given = ["--identity", str(key.file), "-o", str(tmp_path / "out")]
    made = run_memferry("export", *given, person=alice)
    found = run_memferry("export", "--id", plain["id"], *given, person=alice)

    assert (made.returncode, found.returncode) == (1, 1)
    assert b"--identity: goes with --encrypt-to" in made.stderr
    assert b"is not encrypted" in found.stderr
