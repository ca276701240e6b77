"""What a program relies on beyond the examples: errors, pages, streams, the asynchronous twin."""

import asyncio
import inspect
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar, get_type_hints

import pyrage
import pytest
from msgspec import UNSET
from msgspec.structs import replace

from memferry.client import AsyncClient, Client, Progress
from memferry.client.client import URL
from memferry.client.options import ExportArguments, FilterArguments, ImportArguments
from memferry.errors import (
    ExportNotCompleted,
    Invalid,
    MemoryNotFound,
    NotFound,
    NotInstalled,
    ScopeMissing,
    UnknownToken,
    WrongDigest,
)
from memferry.filters import FILTERS
from memferry.settings import ClientSettings
from memferry.wire.exports import NewExport
from memferry.wire.imports import ImportOptions
from support.people import Person, make_person
from support.service import Service

ROWS = 1_203


@pytest.fixture(scope="module")
def alice(service: Service, database_url: str) -> Iterator[Person]:
    """Alice with more rows than a page holds; nobody here changes them."""
    with make_person("alice", service, database_url) as person:
        person.save_many([{"content": f"memory {i}", "created_at": i} for i in range(ROWS)])
        yield person


@pytest.fixture(scope="module")
def client(alice: Person) -> Iterator[Client]:
    with Client(str(alice.base_url), alice.token) as client:
        yield client


def test_the_options_are_those_of_the_wire() -> None:
    assert set(FilterArguments.__annotations__) == {filter_.field for filter_ in FILTERS}
    assert set(get_type_hints(ExportArguments)) == set(NewExport.__struct_fields__)
    assert set(ImportArguments.__annotations__) == (
        {*ImportOptions.__struct_fields__, "identities"} - {"name"}
    )
    assert ClientSettings().address == URL


def test_both_clients_have_the_same_methods() -> None:
    parts = {name: part for name, part in vars(Client()).items() if hasattr(part, "connection")}
    others = vars(AsyncClient())

    assert len(parts) == 9
    for name, part in parts.items():
        assert _list_methods(part) == _list_methods(others[name])


def _list_methods(part: object) -> dict[str, inspect.Signature]:
    names = [name for name in dir(part) if not name.startswith("_") and name != "connection"]
    return {name: inspect.signature(getattr(part, name)) for name in names}


def test_an_error_of_the_service_is_raised_as_what_it_is(client: Client, alice: Person) -> None:
    with pytest.raises(NotFound) as absent:
        client.memories.get("00000000-0000-7000-8000-000000000000")
    with pytest.raises(Invalid) as wrong:
        client.exports.create(format="xml")
    with pytest.raises(ScopeMissing) as missing:
        list(client.tokens.list())
    with Client(str(alice.base_url), "mnu_nobody") as stranger, pytest.raises(UnknownToken):
        stranger.get_me()

    assert type(absent.value) is MemoryNotFound
    assert (wrong.value.field, str(wrong.value)[:7]) == ("format", "format:")
    assert not wrong.value.reason.startswith("format")
    assert missing.value.scope == "admin"


def test_a_list_goes_through_all_pages_and_stops_where_it_is_told(client: Client) -> None:
    texts = [row.content for row in client.memories.list(order="oldest")]
    first = list(client.memories.list(order="oldest", limit=501))

    assert texts == [f"memory {i}" for i in range(ROWS)]
    assert [row.content for row in first] == texts[:501]
    assert list(client.memories.list(limit=0)) == []
    assert client.memories.count(created_after=datetime(1970, 1, 1, tzinfo=UTC)) == ROWS


class TwoPages(BaseHTTPRequestHandler):
    """A list of two pages, whose link names another host."""

    paths: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.paths.append(self.path)
        body = b'[{"name": "n", "count": 1, "last_updated": 0}]'
        self.send_response(200)
        if len(self.paths) == 1:
            self.send_header("Link", '<http://127.0.0.1:9/else?cursor=a%26b>; rel="next"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


def test_a_link_to_the_next_page_leads_to_no_other_host() -> None:
    with HTTPServer(("127.0.0.1", 0), TwoPages) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        with Client(f"http://127.0.0.1:{server.server_port}", "mnu_x") as client:
            rows = list(client.namespaces.list())
        server.shutdown()
        thread.join()

    assert len(rows) == 2
    assert TwoPages.paths[1] == "/api/namespaces?cursor=a%26b"


def test_a_time_without_a_zone_is_refused(client: Client) -> None:
    with pytest.raises(Invalid, match="created_after: the datetime has no time zone"):
        client.memories.count(created_after=datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake


def test_numbers_of_metadata_keep_their_values(bob: Person) -> None:
    texts = ["1.5", "1e400", "0.1000000000000000055511151231257827", "12345678901234567890123"]
    metadata = {text: Decimal(text) for text in texts}
    with Client(str(bob.base_url), bob.token) as client:
        row = client.memories.save("numbers", metadata=metadata)
        (record,) = client.exports.create(format="ndjson").records()

    assert row.metadata == record["metadata"] == metadata
    assert type(row.metadata["1.5"]) is float


@pytest.mark.parametrize("options", [{}, {"compression": "zstd", "max_part_bytes": 1024**2}])
def test_rows_are_all_memories_in_their_order(client: Client, options: Any) -> None:
    rows = [row.content for row in client.exports.create(format="ndjson", **options).rows()]

    assert rows == [f"memory {i}" for i in range(ROWS)]


class WrongFile(BaseHTTPRequestHandler):
    """Hands out a file."""

    body = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


def test_rows_of_wrong_bytes_end_with_an_error(client: Client) -> None:
    export = client.exports.create(format="ndjson")
    payload, digest = export.answer.payload or "", export.answer.sha256
    WrongFile.body = payload.replace("memory 7", "memory 8").encode()
    with HTTPServer(("127.0.0.1", 0), WrongFile) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        export.answer = replace(
            export.answer,
            payload=None,
            download_url=f"http://127.0.0.1:{server.server_port}/file",
            file_bytes=len(WrongFile.body),
            file_sha256=digest,
        )
        with pytest.raises(WrongDigest):
            list(export.rows())
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("options", [{"fields": ["id"]}, {"include": ["history"]}])
def test_records_have_what_was_exported_and_rows_refuse_it(client: Client, options: Any) -> None:
    export = client.exports.create(format="ndjson", created_before=0, **options)
    (record,) = export.records()

    assert ("history" in record) is ("include" in options)
    with pytest.raises(Invalid, match=f"{next(iter(options))}: rows"):
        export.rows()


def test_an_export_comes_with_its_manifest_which_says_the_same(
    client: Client, tmp_path: Path
) -> None:
    path = client.exports.create(format="ndjson").download(tmp_path, manifest=True)

    assert path.read_bytes().count(b"\n") == ROWS
    assert path.with_name(f"{path.name}.manifest.json").exists()
    assert len(list(tmp_path.iterdir())) == 2


def test_an_encrypted_export_is_decrypted_by_the_keys_alone(client: Client, tmp_path: Path) -> None:
    key = pyrage.x25519.Identity.generate()
    export = client.exports.create(format="ndjson", encrypt_to=str(key.to_public()))
    path = export.download(tmp_path / "plain", identities=[key])

    assert path.read_bytes().count(b"\n") == ROWS
    with pytest.raises(Invalid, match="encrypt_to"):
        list(export.rows())
    with pytest.raises(Invalid, match="identity"):
        client.exports.create().download(tmp_path, identities=[key])


def test_a_table_says_what_is_not_installed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = client.exports.create(format="ndjson")
    monkeypatch.setitem(sys.modules, "pandas", None)

    with pytest.raises(NotInstalled, match="pip install pandas"):
        export.to_pandas()


def test_tables_of_both_formats_are_equal(client: Client) -> None:
    tables = [client.exports.create(format=name).to_arrow() for name in ("ndjson", "parquet")]

    assert tables[0].equals(tables[1])


def test_an_expiry_is_saved_cleared_and_a_column_of_its_own(bob: Person) -> None:
    moment = datetime(2100, 1, 1, tzinfo=UTC)
    with Client(str(bob.base_url), bob.token) as client:
        row = client.memories.save("until then", expires_at=moment)
        client.memories.save("for ever")
        table = client.exports.create(format="ndjson").to_arrow()
        cleared = client.memories.update(row.id, expires_at=None)
        names = client.exports.create(format="ndjson").to_arrow().column_names

    assert row.expires_at == 4102444800000
    assert table["expires_at"].to_pylist() == [moment, None]
    assert cleared.expires_at is UNSET
    assert "expires_at" not in names


async def test_the_asynchronous_client_streams_downloads_and_waits(
    alice: Person, tmp_path: Path
) -> None:
    steps: list[Progress] = []
    async with AsyncClient(str(alice.base_url), alice.token) as awaiting:
        key = pyrage.x25519.Identity.generate()
        export = await awaiting.exports.create(format="ndjson", encrypt_to=str(key.to_public()))
        await export.wait(steps.append)
        await export.download(tmp_path / "a", identities=[key], progress=steps.append)
        plain = await awaiting.exports.create(format="ndjson")
        rows = [row.id async for row in plain.rows()]
        job = await awaiting.imports.from_file(tmp_path / "a", dry_run=True)
        report = (await job.wait()).report

    assert report.unchanged == len(rows) == ROWS
    assert {progress.step for progress in steps} == {"exporting", "downloading"}


async def test_a_cancelled_wait_ends_at_once(alice: Person) -> None:
    async with AsyncClient(str(alice.base_url), alice.token) as client:
        export = await client.exports.create(format="ndjson", max_part_bytes=1024**2)
        export.answer = replace(export.answer, status="pending")
        with pytest.raises(ExportNotCompleted, match="still pending"):
            await export.wait(timeout=0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await export.wait()
