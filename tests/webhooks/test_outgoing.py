"""Webhooks go only where a stranger may send us: public addresses, checked once, over TLS.

Name service answers as each test says; every connection the process then opens is observed.
"""

import asyncio
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpcore
import pytest

from memferry.errors import Invalid
from memferry.model.address import is_private
from memferry.model.webhook import check_url
from memferry.settings import WebhookSettings
from memferry.webhooks.outgoing import AddressRefused, Sender
from support.certificates import Authority, Signed

Names = Callable[..., list[str]]

PRIVATE = [
    *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0"),
    *("169.254.169.254", "224.0.0.1", "255.255.255.255", "192.0.0.8", "192.88.99.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "5f00::1"),
    *("2001:db8::1", "3fff::1", "64:ff9b:1::1"),
    # IPv4 inside IPv6: mapped, compatible, translated, NAT64, 6to4, Teredo.
    *("::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "::ffff:0:127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::169.254.169.254", "2002:7f00:1::", "2002:a9fe:a9fe::1"),
    *("2001:0:4136:e378:8000:63bf:80ff:fffe", "2001:0:4136:e378:8000:63bf:5601:5601"),
    # Other ways to write an IPv4 address: one number, octal, hex, too few parts.
    *("2130706433", "0x7f000001", "017700000001", "0177.0.0.1", "0x7f.1", "127.1", "0"),
    *("2852039166", "0xa9fea9fe", "0xA9.0xFE.0251.254", "127.0.0.1."),
    *("localhost", "LOCALHOST.", "api.localhost"),
]
PUBLIC = [
    *("1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "0x01010101"),
    *("example.com", "notlocalhost", "localhost.example.com", "7f.example"),
]


@pytest.mark.parametrize("host", PRIVATE)
def test_an_address_of_somebodys_own_network_is_private(host: str) -> None:
    url = f"https://{f'[{host}]' if ':' in host else host}/hook"

    assert is_private(host)
    with pytest.raises(Invalid, match="url"):
        check_url(url, allow_private=False)


@pytest.mark.parametrize("host", PUBLIC)
def test_a_public_address_or_a_host_name_is_not_private(host: str) -> None:
    assert not is_private(host)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a b",
        "https://example.com/\r\nX-Injected: 1",
        "https://example.com/é",
        "https://①②⑦.0.0.1/",
        "https://ex\u200bample.com/",
        "https://example.com\t.evil.example/",
        "https://example.com\\@127.0.0.1/",
    ],
)
def test_a_url_with_characters_outside_a_request_line_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="url"):
        check_url(url, allow_private=True)


_seen: list[tuple[str, int]] | None = None


def _observe(event: str, details: tuple[Any, ...]) -> None:
    """Note each connection to another machine, and let it come to nothing."""
    if event == "socket.connect" and _seen is not None and details[0].family != socket.AF_UNIX:
        _seen.append((details[1][0], details[1][1]))
        if not details[1][0].startswith("127."):
            raise ConnectionRefusedError(111, "the test lets nothing out")


sys.addaudithook(_observe)  # cannot be taken back; does nothing unless a test looks


@pytest.fixture
def connections() -> Iterator[list[tuple[str, int]]]:
    """Every address this process connects to from now on."""
    global _seen  # noqa: PLW0603 - the hook has no other way to know
    _seen = []
    yield _seen
    _seen = None


@pytest.fixture
async def name_service(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Let names lead where the test says: one list of addresses per look-up."""
    loop = asyncio.get_running_loop()

    def answering(*answers: Sequence[str]) -> list[str]:
        asked: list[str] = []

        async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
            asked.append(host)
            found = answers[min(len(asked), len(answers)) - 1]
            families = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in found]
            return [
                (family, socket.SOCK_STREAM, 6, "", (address, port))
                for family, address in zip(families, found, strict=True)
            ]

        monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
        return asked

    return answering


@asynccontextmanager
async def sending(*, allow_private: bool = False) -> AsyncIterator[Sender]:
    sender = Sender(WebhookSettings(allow_private=allow_private))
    yield sender
    await sender.close()


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::a9fe:a9fe"],
        ["2002:7f00:1::"],
        ["fe80::1%2"],
        ["1.1.1.1", "127.0.0.1"],
        ["127.0.0.1", "1.1.1.1"],
        ["2606:4700::1111", "1.1.1.1", "192.168.0.1"],
    ],
    ids=",".join,
)
async def test_a_name_with_any_private_address_is_connected_to_nowhere(
    name_service: Names, connections: list[tuple[str, int]], addresses: list[str]
) -> None:
    name_service(addresses)

    async with sending() as sender:
        with pytest.raises(AddressRefused):
            await sender.post("https://hook.example/", b"{}", {})

    assert connections == []


async def test_the_sender_connects_to_the_checked_address_without_a_second_look_up(
    name_service: Names, connections: list[tuple[str, int]]
) -> None:
    asked = name_service(["1.1.1.1"], ["127.0.0.1"])

    async with sending() as sender:
        with pytest.raises(httpcore.ConnectError):
            await sender.post("https://rebinding.example:8443/", b"{}", {})

    assert asked == ["rebinding.example"]
    assert connections == [("1.1.1.1", 8443)]


async def test_a_name_that_turns_private_is_refused_at_its_next_delivery(
    name_service: Names, connections: list[tuple[str, int]]
) -> None:
    name_service(["1.1.1.1"], ["127.0.0.1"])

    async with sending() as sender:
        with pytest.raises(httpcore.ConnectError):
            await sender.post("https://rebinding.example/", b"{}", {})
        with pytest.raises(AddressRefused):
            await sender.post("https://rebinding.example/", b"{}", {})

    assert connections == [("1.1.1.1", 443)]


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:7f00:1]"])
async def test_an_address_in_any_notation_is_checked_as_the_resolver_reads_it(
    connections: list[tuple[str, int]], host: str
) -> None:
    async with sending() as sender:
        with pytest.raises(AddressRefused):
            await sender.post(f"https://{host}/", b"{}", {})

    assert connections == []


@pytest.mark.parametrize("url", ["http://example.com/", "ftp://example.com/", "//example.com/"])
async def test_deliveries_go_over_https_only(connections: list[tuple[str, int]], url: str) -> None:
    async with sending() as sender:
        with pytest.raises(AddressRefused):
            await sender.post(url, b"{}", {})

    assert connections == []


class Receiver:
    """A TLS server that keeps what it gets and answers every request with the same bytes."""

    def __init__(self, signed: Signed, answer: bytes) -> None:
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(signed.certificate, signed.key)
        self._context.sni_callback = lambda _, name, __: self.asked_for.append(name)
        self._answer = answer
        self.asked_for: list[str | None] = []
        self.got: list[bytes] = []

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Listen on a port, which it answers."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.got.append(await reader.readuntil(b"{}"))
        writer.write(self._answer)
        await writer.drain()
        writer.close()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The one authority that this machine trusts."""
    authority = Authority(tmp_path, "trusted")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    return authority


async def test_tls_verifies_the_name_though_the_address_is_pinned(
    authority: Authority, name_service: Names
) -> None:
    answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
    receiver = Receiver(authority.sign("hook.example"), answer)
    async with receiver.listening() as port, sending(allow_private=True) as sender:
        name_service(["127.0.0.1"])
        length = {"Content-Length": "2"}
        good = await sender.post(f"https://hook.example:{port}/in", b"{}", length)
        with pytest.raises(httpcore.ConnectError, match="verify"):
            await sender.post(f"https://other.example:{port}/in", b"{}", length)

    assert good == 204
    assert receiver.asked_for == ["hook.example", "other.example"]
    assert len(receiver.got) == 1
    assert receiver.got[0].startswith(b"POST /in HTTP/1.1\r\n")
    assert f"Host: hook.example:{port}".encode() in receiver.got[0]


async def test_a_certificate_nobody_vouches_for_is_refused(
    authority: Authority, tmp_path: Path, name_service: Names
) -> None:
    assert authority.certificate.exists()
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    receiver = Receiver(Authority(stranger, "unknown").sign("hook.example"), b"")
    async with receiver.listening() as port, sending(allow_private=True) as sender:
        name_service(["127.0.0.1"])
        with pytest.raises(httpcore.ConnectError, match="verify"):
            await sender.post(f"https://hook.example:{port}/", b"{}", {"Content-Length": "2"})

    assert receiver.got == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_a_link_local_address_is_not_followed(
    authority: Authority,
    name_service: Names,
    connections: list[tuple[str, int]],
    status: int,
) -> None:
    where = b"Location: http://169.254.169.254/latest/meta-data/\r\n"
    answer = b"HTTP/1.1 %d Moved\r\n%bContent-Length: 0\r\n\r\n" % (status, where)
    receiver = Receiver(authority.sign("hook.example"), answer)
    async with receiver.listening() as port, sending(allow_private=True) as sender:
        name_service(["127.0.0.1"])
        got = await sender.post(f"https://hook.example:{port}/", b"{}", {"Content-Length": "2"})

    assert got == status
    assert connections == [("127.0.0.1", port)]
