"""The page over much: 10,000 namespaces, memories of 1 MiB, a million memories."""

import asyncio
import sys
import time
from collections.abc import Iterator

import asyncpg
import httpx
import pytest
from playwright.async_api import Browser, expect

from support.people import Person, make_person
from support.screens import Reader, open_reader, sign_in
from support.service import NO_TLS, Service
from support.tokens import read_tenant_id

pytestmark = pytest.mark.load
SECONDS = 5.0
"""The most that a screen may take until it is there, on two cores that do other things as well."""
SERVER_SECONDS = 0.3
"""The most that the service may take until its answer begins; seen by a client on its machine."""
ROWS = 1_000_000
PATHS = ("/", "/memories", "/memories?q=word7+word77", "/memories?q=row", "/threads", "/exports")
# Twelve words of 4,096, spread over a year; ids grow with time, as those of saved memories do.
_PLANT = """
    INSERT INTO memferry.memories
        (tenant_id, id, content, namespace, tags, source, metadata, created_at, updated_at)
    SELECT $1, (lpad(to_hex($3 + i), 12, '0') || '7' || substr(md5(i::text), 1, 3) || '8'
            || substr(md5(i::text), 4, 15))::uuid,
        'row ' || i || (SELECT string_agg(' word' || (hashint4((i * 31 + j)::integer) & 4095), '')
            FROM generate_series(1, 12) AS j),
        'space ' || i / 1000 % 20, ARRAY['tag ' || i % 40], 'agent',
        jsonb_build_object('parent_ref', 'chat ' || i / 20), $3 + i * 31500, $3 + i * 31500
    FROM generate_series(1, $2::bigint) AS i
"""
_COUNT = """
    INSERT INTO memferry.memory_usage (tenant_id, slot, rows, bytes)
    SELECT $1, 0, count(*), sum(octet_length(content)) FROM memferry.memories
    WHERE tenant_id = $1
"""


@pytest.fixture(scope="module")
def owner(service: Service, database_url: str) -> Iterator[Person]:
    """Alice with a million memories."""
    with make_person("alice", service, database_url) as alice:
        asyncio.run(plant(alice, database_url))
        yield alice


async def plant(person: Person, database_url: str) -> None:
    tenant_id = await read_tenant_id(person, database_url)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(_PLANT, tenant_id, ROWS, 1_700_000_000_000)
        await connection.execute(_COUNT, tenant_id)
        await connection.execute("VACUUM (ANALYZE) memferry.memories")
    finally:
        await connection.close()


def measure_answer(client: httpx.Client, path: str) -> float:
    """The seconds until the first byte of an answer."""
    start = time.perf_counter()
    with client.stream("GET", path) as answer:
        assert answer.status_code == 200
        return time.perf_counter() - start


async def open_quickly(reader: Reader, path: str) -> None:
    start = time.monotonic()
    await reader.open(path)

    assert time.monotonic() - start < SECONDS, path


async def test_ten_thousand_namespaces_freeze_no_screen(reader: Reader, alice: Person) -> None:
    alice.save_many(
        [{"content": f"row {number}", "namespace": f"space {number}"} for number in range(10_000)]
    )
    for path in ("/", "/memories", "/threads"):
        await open_quickly(reader, path)
    page = await reader.open("/memories")
    await page.get_by_label("Namespace").press_sequentially("ace 9876")
    option = page.locator("#namespaces option[value='space 9876']")
    await expect(option).to_have_count(1)
    await page.get_by_label("Namespace").fill("space 9876")
    await expect(page.locator("#results .content")).to_have_text("row 9876")

    assert await page.locator("#namespaces option").count() <= 20


async def test_memories_of_one_mebibyte_are_listed_read_and_edited(
    reader: Reader, alice: Person
) -> None:
    for number in range(40):
        alice.save(f"{number} " + "words & <tags>\n" * 65_000)
    await open_quickly(reader, "/memories")
    page = reader.page
    await page.locator("#results a.content").first.click()
    await expect(page.locator("pre.text").first).to_contain_text("words & <tags>")
    await page.get_by_role("link", name="Edit").click()
    await page.get_by_label("Tags").fill("large")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".done")).to_contain_text("Saved")
    (row,) = alice.get("/api/memories", params={"tags": "large"}).json()

    assert row["content"].endswith("words & <tags>\n")


@pytest.mark.timeout(900)
async def test_home_of_a_million_memories_says_that_it_estimates(
    browser: Browser, owner: Person
) -> None:
    async with open_reader(browser, owner) as reader:
        await open_quickly(reader, "/")
        await expect(reader.page.locator(".counts dd").first).to_have_text("1,000,000")
        await expect(reader.page.locator(".chart")).to_contain_text("\u2248")
        await open_quickly(reader, "/memories?q=row")
        await expect(reader.page.locator("#results .summary")).to_contain_text("About")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", PATHS)
def test_the_first_byte_of_a_screen_over_a_million_memories_comes_within_300_ms(
    owner: Person, path: str
) -> None:
    cookie = sign_in(owner)
    headers = {"Accept": "text/html", "Cookie": f"{cookie['name']}={cookie['value']}"}
    with httpx.Client(base_url=owner.base_url, headers=headers, verify=NO_TLS) as client:
        first, *others = [measure_answer(client, path) for _ in range(6)]
    sys.stdout.write(f"{path}: first {first * 1000:.0f} ms, then {min(others) * 1000:.0f} ms\n")

    assert min(others) < SERVER_SECONDS
