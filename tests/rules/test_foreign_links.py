"""A download link opens one file: whoever alters it, or brings a token along, gets nothing else."""

import asyncio
import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from memferry.model.export import INLINE_ROWS
from support.people import Person, make_person
from support.service import Service
from support.tokens import fetchval

_TAG_BYTES = 32


@pytest.fixture(scope="module")
def owners(service: Service, database_url: str) -> Iterator[tuple[Person, Person]]:
    """Alice and Bob, who keep one file each."""
    with (
        make_person("alice", service, database_url) as alice,
        make_person("bob", service, database_url) as bob,
    ):
        for person in (alice, bob):
            rows = [{"content": f"of {person.name}"} for _ in range(INLINE_ROWS + 1)]
            person.save_many(rows)
            person.wait_for(person.export(format="ndjson"))
        yield alice, bob


@pytest.fixture(scope="module")
def stranger(service: Service) -> Iterator[httpx.Client]:
    """Somebody who has a link and nothing else."""
    with httpx.Client(base_url=service.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def links(owners: tuple[Person, Person]) -> tuple[bytes, bytes]:
    """A link of Alice's and one of Bob's, taken out of their text."""
    alice, bob = owners
    return unsealed(alice), unsealed(bob)


def export_of(person: Person) -> str:
    (export,) = person.get("/api/memories/exports").json()["exports"]
    return str(export["id"])


def unsealed(person: Person) -> bytes:
    """The bytes of a link minted now: what it stands for, then its seal."""
    export = person.get(f"/api/memories/exports/{export_of(person)}").json()
    text = urlsplit(export["download_url"]).path.rpartition("/")[2]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def opened(stranger: httpx.Client, link: bytes, **headers: str) -> httpx.Response:
    """What the service answers to a link of these bytes."""
    text = base64.urlsafe_b64encode(link).rstrip(b"=").decode()
    return stranger.get(f"/downloads/{text}", headers=headers)


def refusal(stranger: httpx.Client) -> tuple[int, bytes, dict[str, str]]:
    """The answer to a link that was never sealed."""
    return shown(opened(stranger, secrets.token_bytes(82)))


def shown(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    headers = {name: text for name, text in answer.headers.items() if name != "date"}
    return answer.status_code, answer.content, headers


def test_each_link_opens_the_file_of_its_owner(
    stranger: httpx.Client, links: tuple[bytes, bytes]
) -> None:
    for name, link in zip(("alice", "bob"), links, strict=True):
        answer = opened(stranger, link)

        assert answer.status_code == 200
        assert {each["content"] for each in map(_row, answer.iter_lines())} == {f"of {name}"}


def _row(line: str) -> dict[str, str]:
    row: dict[str, str] = httpx.Response(200, text=line).json()
    return row


def test_a_link_with_any_byte_altered_opens_nothing(
    stranger: httpx.Client, links: tuple[bytes, bytes]
) -> None:
    refused = refusal(stranger)
    for place in range(len(links[1])):
        altered = bytearray(links[1])
        altered[place] ^= 1 << secrets.randbelow(8)

        assert shown(opened(stranger, bytes(altered))) == refused, place
    assert refused[0] == 404
    assert b"not found" in refused[1]


def test_a_link_cannot_be_put_together_from_two(
    stranger: httpx.Client, links: tuple[bytes, bytes]
) -> None:
    alices, bobs = links
    refused = refusal(stranger)
    for cut in range(1, len(bobs)):
        if alices[cut:] != bobs[cut:] and alices[:cut] != bobs[:cut]:
            assert shown(opened(stranger, alices[:cut] + bobs[cut:])) == refused, cut
            assert shown(opened(stranger, bobs[:cut] + alices[cut:])) == refused, cut


@pytest.mark.parametrize("key", [b"", b"\0" * 32, b"links"])
def test_a_link_signed_with_a_guessable_key_opens_nothing(
    stranger: httpx.Client, links: tuple[bytes, bytes], key: bytes
) -> None:
    claims = links[1][:-_TAG_BYTES]

    for tag in (hmac.digest(key, claims, hashlib.sha256), b"\0" * _TAG_BYTES, b""):
        assert shown(opened(stranger, claims + tag)) == refusal(stranger)


@pytest.mark.parametrize(("seconds", "status"), [(60, 200), (-1, 404)])
def test_a_link_works_for_fifteen_minutes(
    stranger: httpx.Client,
    owners: tuple[Person, Person],
    database_url: str,
    seconds: int,
    status: int,
) -> None:
    minted = unsealed(owners[1])[:-_TAG_BYTES]
    until = int.from_bytes(minted[-4:], "big")
    key = asyncio.run(
        fetchval(database_url, "SELECT value FROM memferry.keys WHERE name = 'links'")
    )
    claims = minted[:-4] + (int(time.time()) + seconds).to_bytes(4, "big")

    assert 14 * 60 < until - time.time() <= 15 * 60
    sealed = claims + hmac.digest(key, claims, hashlib.sha256)
    assert opened(stranger, sealed).status_code == status


def test_a_link_of_another_length_opens_nothing(
    stranger: httpx.Client, links: tuple[bytes, bytes]
) -> None:
    for altered in (links[1][:-1], links[1] + b"\0", b"\0" + links[1], links[1] * 2, b""):
        answer = opened(stranger, altered)

        assert answer.status_code == 404
        assert "not found" in answer.json()["error"]


def test_a_token_neither_helps_nor_hinders_a_link(
    stranger: httpx.Client, owners: tuple[Person, Person], links: tuple[bytes, bytes]
) -> None:
    alice, _ = owners
    token = f"Bearer {alice.token}"
    altered = bytes([*links[1][:-1], links[1][-1] ^ 1])

    assert shown(opened(stranger, altered, Authorization=token)) == refusal(stranger)
    assert shown(opened(stranger, links[1], Authorization=token)) == shown(
        opened(stranger, links[1])
    )


def test_a_link_holds_no_token(owners: tuple[Person, Person], links: tuple[bytes, bytes]) -> None:
    _, bob = owners
    token = bob.token.encode()

    assert export_of(bob).encode() in links[1]
    assert token not in links[1]
    assert hashlib.sha256(token).digest() not in links[1]


def test_a_file_of_another_tenant_cannot_be_downloaded_by_its_export(
    owners: tuple[Person, Person], stranger: httpx.Client
) -> None:
    alice, bob = owners
    of_bob = export_of(bob)

    assert alice.get(f"/api/memories/exports/{of_bob}").status_code == 404
    assert alice.get(f"/downloads/{of_bob}").status_code == 404
    assert stranger.get(f"/downloads/{of_bob}").status_code == 404
