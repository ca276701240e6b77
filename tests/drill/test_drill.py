"""A drill restores an export for real, and says so only if every byte came back."""

import asyncio
import random
from typing import Any

import asyncpg
import pytest

from memferry.drill.comparison import Comparison
from support.command_line import Done, run_memferry
from support.memories import AWKWARD
from support.people import Person
from support.service import Service


def save_awkward(person: Person) -> None:
    person.save_many(
        [
            {"content": text, "namespace": text, "tags": [text], "metadata": {text: 1.50}}
            for text in AWKWARD
        ]
    )


def drill(service: Service, database_url: str, *arguments: str) -> Done:
    settings = {"MEMFERRY_DATABASE_URL": database_url, "MEMFERRY_DATA_DIR": str(service.home)}
    return run_memferry("drill", *arguments, settings=settings)


def list_throw_away_tenants(database_url: str) -> list[str]:
    async def fetch() -> list[str]:
        connection = await asyncpg.connect(database_url)
        rows = await connection.fetch(
            "SELECT name FROM memferry.tenants WHERE name LIKE 'memferry-drill-%'"
        )
        await connection.close()
        return [row["name"] for row in rows]

    return asyncio.run(fetch())


@pytest.mark.parametrize(
    "body",
    [
        {"format": "json"},
        {"format": "ndjson", "namespace": "empty"},
        {"format": "csv"},
        {"format": "csv", "csv_safe": True, "csv_metadata": True},
        {"format": "parquet"},
        {"format": "okf", "compression": "gzip"},
    ],
)
def test_a_drill_restores_every_byte_and_leaves_no_tenant(
    alice: Person, service: Service, database_url: str, body: dict[str, Any]
) -> None:
    save_awkward(alice)
    export = alice.wait_for(alice.export(**body))
    done = drill(service, database_url, "--export", export["id"])

    assert done.returncode == 0, done.stdout + done.stderr
    assert b"the backup is real: every byte came back" in done.stdout
    assert f"{export['row_count']} memories were restored".encode() in done.stdout
    assert list_throw_away_tenants(database_url) == []


@pytest.mark.parametrize(
    "body",
    [
        {"format": "ndjson", "compression": "zstd"},
        {"format": "json", "max_part_bytes": 1024 * 1024, "compression": "gzip"},
        {"format": "csv", "max_part_bytes": 1024 * 1024},
    ],
)
def test_a_queued_export_is_restored_from_its_file_or_its_parts(
    alice: Person, service: Service, database_url: str, body: dict[str, Any]
) -> None:
    alice.save_many(
        [{"content": f"memory {number} {random.randbytes(60).hex()}"} for number in range(10_001)]
    )
    export = alice.wait_for(alice.export(**body))
    done = drill(service, database_url, "--export", export["id"])

    assert done.returncode == 0, done.stdout + done.stderr
    assert b"10,001 memories were restored" in done.stdout


def test_a_file_that_lost_one_byte_is_no_backup(
    alice: Person, service: Service, database_url: str
) -> None:
    save_awkward(alice)
    export = alice.wait_for(alice.export(format="parquet"))
    (file,) = [
        path
        for path in service.store.rglob(f"{export['id']}/*")
        if path.is_file() and path.suffix == ""
    ]
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.chmod(0o600)
    file.write_bytes(data)
    done = drill(service, database_url, "--export", export["id"])

    assert done.returncode == 1
    assert b"the backup is real" not in done.stdout
    assert list_throw_away_tenants(database_url) == []


@pytest.mark.parametrize(
    ("body", "arguments"),
    [({"format": "html"}, ["--tenant", "nobody"]), ({"format": "json"}, ["--export", "0" * 26])],
)
def test_without_an_export_that_can_be_restored_it_says_so(
    alice: Person,
    service: Service,
    database_url: str,
    body: dict[str, Any],
    arguments: list[str],
) -> None:
    alice.export(**body)
    done = drill(service, database_url, *arguments)

    assert done.returncode == 1
    assert b"there is no completed export" in done.stderr


@pytest.mark.parametrize(
    ("expected", "actual", "difference"),
    [
        ([b"ab", b"\ncd"], [b"a", b"b\nc", b"d"], None),
        ([], [], None),
        ([b"ab\ncd"], [b"ab\nce"], "the bytes differ at byte 4 (line 2)"),
        ([b"ab"], [b"abc"], "the file has no more bytes at byte 2 (line 1)"),
        ([b"ab", b"c"], [b"ab"], "the file has more bytes at byte 2 (line 1)"),
    ],
)
def test_a_comparison_says_where_the_first_difference_is(
    expected: list[bytes], actual: list[bytes], difference: str | None
) -> None:
    comparison = Comparison(iter(expected))
    for chunk in actual:
        comparison.feed(chunk)

    assert comparison.finish() == difference
