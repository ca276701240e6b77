"""Encrypted exports: unreadable where they are stored, exact for whoever holds the key."""

import hashlib
import json
import random
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pyrage
import pytest

from memferry.errors import Invalid
from memferry.files.encrypt import Encryptor, check_recipient
from support.age_keys import Key, make_key
from support.people import Person, make_person
from support.readers import CODECS
from support.service import Service

CANARY = "planted-canary-text"
_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_STEPS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return make_key(tmp_path_factory.mktemp("keys"), "alice.key")


@pytest.fixture(scope="module")
def alice(service: Service, database_url: str) -> Iterator[Person]:
    """Alice with a few memories; nobody here changes them."""
    with make_person("alice", service, database_url) as person:
        person.save_many([{"content": f"{CANARY} {i} é 🙂"} for i in range(300)])
        yield person


@pytest.fixture(scope="module")
def plain(alice: Person) -> dict[str, Any]:
    return alice.export(format="ndjson")


@pytest.fixture(scope="module")
def sealed(alice: Person, key: Key) -> dict[str, Any]:
    return alice.wait_for(alice.export(format="ndjson", encrypt_to=key.public))


def bech32(key: bytes) -> str:
    """A public key as age writes it (BIP 173)."""
    number = int.from_bytes(key, "big") << 4
    data = [number >> 5 * i & 31 for i in reversed(range(52))]
    checksum = 1
    for value in [*(ord(c) >> 5 for c in "age"), 0, *(ord(c) & 31 for c in "age"), *data, *[0] * 6]:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for i, step in enumerate(_STEPS):
            checksum ^= step if top >> i & 1 else 0
    checksum ^= 1
    return "age1" + "".join(
        _LETTERS[each] for each in data + [checksum >> 5 * (5 - i) & 31 for i in range(6)]
    )


def test_a_small_export_is_encrypted_too_and_never_a_payload(
    alice: Person, key: Key, plain: dict[str, Any]
) -> None:
    made = alice.export(format="ndjson", encrypt_to=key.public)
    done = alice.wait_for(made)
    answer = httpx.get(done["download_url"])

    assert (made["status"], made["payload"], made["row_count"]) == ("pending", None, 300)
    assert (done["status"], done["payload"], done["row_count"]) == ("completed", None, 300)
    assert pyrage.decrypt(answer.content, [key.secret]) == plain["payload"].encode()
    assert answer.headers["content-type"] == "application/vnd.age"
    assert answer.headers["content-disposition"].endswith('.ndjson.age"')


def test_an_encrypted_export_shows_size_and_digest_of_both_forms(
    sealed: dict[str, Any], plain: dict[str, Any]
) -> None:
    data = httpx.get(sealed["download_url"]).content

    assert (sealed["sha256"], sealed["bytes_done"]) == (plain["sha256"], plain["bytes_done"])
    assert sealed["file_sha256"] == hashlib.sha256(data).hexdigest() != sealed["sha256"]
    assert sealed["file_bytes"] == len(data) > sealed["bytes_done"]


def test_an_encrypted_file_in_the_store_cannot_be_read(
    service: Service, sealed: dict[str, Any], plain: dict[str, Any]
) -> None:
    files = [each for each in service.store.rglob("*") if each.is_file()]
    mine = [each for each in files if sealed["id"] in str(each)]

    assert CANARY in plain["payload"]
    # Filters and digests are told to the store as little as the content.
    assert sorted(file.name for file in mine) == ["1", "1.sha256"]
    data = min(mine).read_bytes()
    assert data.startswith(b"age-encryption.org/v1\n-> X25519 ")
    assert CANARY.encode() not in data
    assert len(data) == sealed["file_bytes"]


async def test_the_database_takes_no_payload_of_an_encrypted_export(
    sealed: dict[str, Any], database_url: str
) -> None:
    owner = await asyncpg.connect(database_url)
    with pytest.raises(asyncpg.CheckViolationError, match="encrypted_is_a_file"):
        await owner.execute(
            "UPDATE memferry.jobs SET object_key = NULL WHERE id = $1", sealed["id"]
        )
    await owner.close()


def test_another_key_does_not_open_an_encrypted_export(
    sealed: dict[str, Any], tmp_path: Path
) -> None:
    data = httpx.get(sealed["download_url"]).content

    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(data, [make_key(tmp_path, "bob.key").secret])


@pytest.mark.skipif(shutil.which("age") is None, reason="no age here (Debian: age)")
def test_the_program_age_opens_an_encrypted_export(
    sealed: dict[str, Any], plain: dict[str, Any], key: Key
) -> None:
    data = httpx.get(sealed["download_url"]).content
    command = ["age", "--decrypt", "-i", str(key.file)]
    opened = subprocess.run(command, input=data, capture_output=True, check=False)

    assert opened.returncode == 0, opened.stderr
    assert opened.stdout == plain["payload"].encode()


@pytest.mark.parametrize("compression", CODECS)
def test_an_export_is_compressed_before_it_is_encrypted(
    alice: Person, key: Key, plain: dict[str, Any], compression: str
) -> None:
    asked = alice.export(format="ndjson", compression=compression, encrypt_to=key.public)
    done = alice.wait_for(asked)
    answer = httpx.get(done["download_url"])

    inside = pyrage.decrypt(answer.content, [key.secret])
    assert CODECS[compression](inside) == plain["payload"].encode()
    assert (done["sha256"], done["compression"]) == (plain["sha256"], compression)
    assert len(answer.content) == done["file_bytes"] < done["bytes_done"]
    assert answer.headers["content-type"] == "application/vnd.age"


def test_an_encrypted_export_of_csv_keeps_its_guards(alice: Person, key: Key) -> None:
    body = {"format": "csv", "csv_safe": True}
    done = alice.wait_for(alice.export(**body, encrypt_to=key.public))
    data = httpx.get(done["download_url"]).content

    assert (done["csv_safe"], done["encrypted"]) == (True, True)
    assert pyrage.decrypt(data, [key.secret]).decode() == alice.export(**body)["payload"]


def test_a_large_export_is_encrypted_as_a_stream(
    service: Service, database_url: str, key: Key
) -> None:
    with make_person("bob", service, database_url) as bob:
        bob.save_many([{"content": f"memory {i} " + "é" * 500} for i in range(20_000)])
        done = bob.wait_for(bob.export(format="ndjson", encrypt_to=key.public))
        data = pyrage.decrypt(httpx.get(done["download_url"]).content, [key.secret])

    assert hashlib.sha256(data).hexdigest() == done["sha256"]
    assert (len(data), data.count(b"\n")) == (done["bytes_done"], 20_000)


def test_two_exports_for_one_key_share_no_ciphertext(
    alice: Person, key: Key, sealed: dict[str, Any]
) -> None:
    again = alice.wait_for(alice.export(format="ndjson", encrypt_to=key.public))

    assert again["sha256"] == sealed["sha256"]
    assert again["file_sha256"] != sealed["file_sha256"]


def test_every_answer_names_the_key_of_an_encrypted_export(
    alice: Person, key: Key, sealed: dict[str, Any], plain: dict[str, Any]
) -> None:
    listed = alice.get("/api/memories/exports").json()["exports"]
    shown = {each["id"]: (each["encrypted"], each["encrypt_to"]) for each in listed}

    assert (sealed["encrypted"], sealed["encrypt_to"]) == (True, key.public)
    assert (plain["encrypted"], plain["encrypt_to"]) == (False, None)
    assert shown[sealed["id"]] == (True, key.public)
    assert shown[plain["id"]] == (False, None)


WRONG: dict[str, Callable[[Key], object]] = {
    "empty": lambda _key: "",
    "a number": lambda _key: 1,
    "a list": lambda key: [key.public],
    "upper case": lambda key: key.public.upper(),
    "a blank before": lambda key: f" {key.public}",
    "a line end": lambda key: f"{key.public}\n",
    "two keys": lambda key: f"{key.public},{key.public}",
    "a letter changed": lambda key: key.public[:-1] + ("q" if key.public[-1] != "q" else "p"),
    "a letter missing": lambda key: key.public[:-1],
    "the secret key": lambda key: str(key.secret),
    "a key of ssh": lambda _key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA",
    "a plugin": lambda _key: "age1yubikey1qwerty",
    "no point": lambda _key: bech32(bytes(32)),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_malformed_public_key_is_refused_and_not_repeated(
    alice: Person, key: Key, kind: str
) -> None:
    value = WRONG[kind](key)
    answer = alice.post("/api/memories/exports", json={"encrypt_to": value})

    assert (answer.status_code, answer.json()["field"]) == (400, "encrypt_to")
    assert str(key.secret) not in answer.text
    assert str(value) in ("", "1") or str(value) not in answer.text


# All points of a small order, and what else is read as one of them.
_PRIME = 2**255 - 19
SMALL = [
    *(0, 1, _PRIME - 1, _PRIME, _PRIME + 1),
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
]


@pytest.mark.parametrize("high_bit", [0, 2**255])
@pytest.mark.parametrize("point", SMALL)
def test_a_public_key_of_low_order_is_refused(point: int, high_bit: int) -> None:
    text = bech32((point + high_bit).to_bytes(32, "little"))

    pyrage.x25519.Recipient.from_str(text)  # well formed
    with pytest.raises(Invalid):
        check_recipient("encrypt_to", text)


def test_a_generated_public_key_is_accepted(key: Key) -> None:
    assert check_recipient("encrypt_to", key.public) == key.public


def test_an_idempotency_key_stands_for_one_key(alice: Person, key: Key, tmp_path: Path) -> None:
    other = make_key(tmp_path, "other.key")
    headers = {"Idempotency-Key": "one-key"}
    answers = [
        alice.post("/api/memories/exports", json={"encrypt_to": each}, headers=headers)
        for each in (key.public, key.public, other.public, None)
    ]

    assert [each.status_code for each in answers] == [201, 201, 422, 422]


def test_chunks_of_any_size_encrypt_to_one_file(key: Key, seed: int) -> None:
    choice = random.Random(seed)
    pieces = [choice.randbytes(choice.choice((0, 1, 100, 65_536, 300_000))) for _ in range(60)]
    encryptor = Encryptor(key.public)
    made = [encryptor.compress(each) for each in pieces]
    data = b"".join([*made, encryptor.flush()])
    encryptor.close()

    assert pyrage.decrypt(data, [key.secret]) == b"".join(pieces)
    # It holds back a chunk of age at most.
    given = handed_on = 0
    for piece, out in zip(pieces, made, strict=True):
        given, handed_on = given + len(piece), handed_on + len(out)
        assert handed_on >= given - 65_536


def test_an_abandoned_encryptor_leaves_no_thread(key: Key) -> None:
    before = threading.active_count()
    begun = [Encryptor(key.public) for _ in range(20)]
    for each in begun[:10]:
        each.compress(b"x" * 100_000)
    assert threading.active_count() == before + 20
    for each in begun:
        each.close()
    for thread in threading.enumerate():
        if thread.name == "age":
            thread.join(10)

    assert threading.active_count() == before


def test_a_later_answer_shows_the_public_key_once(
    alice: Person, key: Key, sealed: dict[str, Any]
) -> None:
    again = alice.get(f"/api/memories/exports/{sealed['id']}").json()

    assert again | {"download_url": None} == sealed | {"download_url": None}
    assert json.dumps(again).count(key.public) == 1
