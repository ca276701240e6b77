"""Several nodes on one database and one bucket, set up and restarted as docs/operation.md says."""

import asyncio
import hashlib
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest

from memferry.database.binaries import find_binaries
from memferry.database.connection_shares import ConnectionShares
from memferry.database.migrate import _LOCK as MIGRATION_LOCK
from memferry.settings import DatabaseSettings, S3Settings, Settings, list_settings
from support.nodes import Api, Balancer, Nodes, count_sessions
from support.postgres import create_database, execute
from support.service import NO_TLS, find_free_port
from support.sessions import open_session
from support.stores import make_empty_bucket, run_moto_server
from support.waiting import wait_until

pytestmark = pytest.mark.long

PAGE = (Path(__file__).parents[2] / "docs/operation.md").read_text()
ROWS = 12_000
PORT, ANYWHERE = "3122", "0.0.0.0"


def section(heading: str) -> str:
    """The text of the page below a heading."""
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def indented(text: str) -> list[str]:
    """The lines of the blocks of code."""
    return re.findall(r"^    (\S.*)$", text, re.MULTILINE)


COMMANDS = indented(section("Start"))
SETTINGS = dict(line.split("=", 1) for line in indented(section("Settings")))
# A process and what it may have: as a formula of the pool's size.
CONNECTIONS = dict(
    re.findall(r"^\| `memferry (.+?)` \| (.+) \|$", section("Connections"), re.MULTILINE)
)


def connections(words: str) -> int:
    """How many the page says a process may have: a sum, or twice a sum."""
    formula = CONNECTIONS[words].replace("`MEMFERRY_POOL_SIZE`", SETTINGS["MEMFERRY_POOL_SIZE"])
    pool, one = map(int, re.findall(r"(\d+) \+ (\d+)", formula)[0])
    return (pool + one) * (2 if formula.startswith("2 * ") else 1)


@pytest.fixture
def apis() -> tuple[Api, Api]:
    return api_at_free_port(), api_at_free_port()


def api_at_free_port() -> Api:
    """The command of the page, on an address of this machine only."""
    (words,) = (command for command in COMMANDS if command.startswith("memferry serve"))
    port = find_free_port()
    assert {PORT, ANYWHERE} <= set(words.split())
    words = words.replace(PORT, str(port)).replace(ANYWHERE, "127.0.0.1")
    return Api(words, f"http://127.0.0.1:{port}")


@pytest.fixture
def nodes(database_url: str, tmp_path: Path, apis: tuple[Api, Api]) -> Iterator[Nodes]:
    name = f"memferry_nodes_{uuid4().hex[:8]}"
    asyncio.run(execute(database_url, f"CREATE DATABASE {name}"))
    url = urlsplit(database_url)._replace(path=f"/{name}").geturl()
    with run_moto_server() as s3_url:
        make_empty_bucket(S3Settings(endpoint=s3_url, access_key="key", secret_key="secret"))
        real = {
            "MEMFERRY_DATABASE_URL": url,
            "MEMFERRY_PUBLIC_URL": apis[1].url,
            "AWS_ENDPOINT_URL": s3_url,
        }
        assert real.keys() <= SETTINGS.keys()
        running = Nodes(SETTINGS | real, tmp_path)
        try:
            yield running
        finally:
            for node in list(running.processes):
                running.stop(node)
            asyncio.run(execute(database_url, f"DROP DATABASE {name} WITH (FORCE)"))


def set_up(nodes: Nodes, apis: Sequence[Api]) -> Balancer:
    """All that the page says, in its order, with two nodes of each kind."""
    for command in COMMANDS:
        if command.startswith("memferry serve"):
            for number, api in enumerate(apis):
                nodes.start(f"api {number}", api.words)
        elif command == "memferry worker":
            nodes.start("worker 0", command)
            nodes.start("worker 1", command)
        elif "token create" in command:
            token = nodes.run(command).strip()
        elif command == "memferry doctor":
            wait_until(lambda: all(api.is_ready() for api in apis), seconds=60)
            doctor = Nodes(nodes.settings | {"MEMFERRY_URL": apis[0].url}, nodes.home)
            assert "wrong" not in doctor.run(command)
        else:
            nodes.run(command)
    return Balancer(token, list(apis))


def test_the_page_names_known_settings_and_those_that_several_nodes_need() -> None:
    known = {field.metadata["name"] for field in list_settings(Settings)}

    assert SETTINGS.keys() <= known
    assert {"MEMFERRY_DATABASE_URL", "MEMFERRY_STORAGE_URL", "MEMFERRY_PUBLIC_URL"} <= set(SETTINGS)
    assert int(SETTINGS["MEMFERRY_POOL_SIZE"]) == DatabaseSettings().pool_size


@pytest.mark.timeout(300)
def test_nodes_share_work_restart_one_by_one_and_keep_to_the_documented_connections(
    nodes: Nodes, apis: tuple[Api, Api]
) -> None:
    url = nodes.settings["MEMFERRY_DATABASE_URL"]
    with ThreadPoolExecutor(64) as pool:
        balancer = set_up(nodes, apis)
        items = [{"content": f"memory {number}"} for number in range(ROWS)]
        for start in range(0, ROWS, 6_000):
            body = {"items": items[start : start + 6_000]}
            assert balancer.request("POST", "/v1/memories/bulk", json=body).is_success
        listed = [balancer.request("GET", "/api/memories?limit=1") for _ in apis]
        assert all(page.links["next"]["url"].startswith(apis[1].url) for page in listed)
        with count_sessions(url) as peaks:
            fill_pools(url, pool, balancer)
            before = [ask(balancer) for _ in range(6)]
            over = threading.Event()
            saving = pool.submit(balancer.save_until, over)
            during = restart_all(nodes, apis, balancer)
            over.set()
            kept = saving.result()
        finished = [finish(balancer, export_id) for export_id in before + during]

    assert kept > 0
    assert set(balancer.statuses) <= {200, 201}
    assert {export["status"] for export in finished} == {"completed"}
    for export in finished:
        assert_downloadable(export, apis)
    # Each node's share of one tenant was filled once, and then some more was asked for.
    assert 2 * share() <= peaks.most[""] <= 2 * connections("serve --no-worker")
    assert peaks.most["worker"] <= 2 * connections("worker")


def share() -> int:
    """How many connections of a node one tenant has at once."""
    return ConnectionShares(DatabaseSettings().pool_size).tenant_most


def fill_pools(url: str, pool: ThreadPoolExecutor, balancer: Balancer) -> None:
    """Let a tenant send more requests than it gets connections for."""
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    full = 2 * share()
    with open_session(url) as owner:
        owner("BEGIN")
        owner("LOCK memferry.memories IN EXCLUSIVE MODE")
        body = {"content": "waits"}
        saves = [
            pool.submit(balancer.request, "POST", "/api/memories", json=body) for _ in range(60)
        ]
        with open_session(url) as watcher:
            wait_until(lambda: watcher(blocked)[0][0] >= full, seconds=8)
        owner("COMMIT")
        assert all(save.result().is_success for save in saves)


def ask(balancer: Balancer) -> str:
    answer = balancer.request("POST", "/api/memories/exports", json={"format": "ndjson"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def restart_all(nodes: Nodes, apis: Sequence[Api], balancer: Balancer) -> list[str]:
    """As the page says: an API node leaves the balancer first, and returns once it is ready."""
    asked = []
    for number, api in enumerate(apis):
        balancer.rotation.remove(api)
        asked.append(ask(balancer))
        nodes.stop(f"api {number}")
        nodes.start(f"api {number}", api.words)
        wait_until(api.is_ready, seconds=60)
        balancer.rotation.append(api)
    for number in range(2):
        asked.append(ask(balancer))
        nodes.stop(f"worker {number}")
        nodes.start(f"worker {number}", "memferry worker")
    return asked


def finish(balancer: Balancer, export_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 90
    while True:
        export = balancer.request("GET", f"/api/memories/exports/{export_id}").json()
        if export["status"] not in ("pending", "running"):
            return dict(export)
        assert time.monotonic() < deadline, export
        time.sleep(0.1)


def assert_downloadable(export: dict[str, Any], apis: Sequence[Api]) -> None:
    """Every node hands the file out, whichever made the link."""
    link = urlsplit(export["download_url"])
    assert link.netloc == urlsplit(apis[1].url).netloc
    for api in apis:
        data = httpx.get(f"{api.url}{link.path}", verify=NO_TLS).content
        assert hashlib.sha256(data).hexdigest() == export["sha256"]
        assert data.count(b"\n") == export["row_count"] >= ROWS


def test_one_process_migrates_while_the_others_wait(nodes: Nodes, apis: tuple[Api, Api]) -> None:
    url = nodes.settings["MEMFERRY_DATABASE_URL"]
    with open_session(url) as another:
        another("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        for number, api in enumerate(apis):
            nodes.start(f"api {number}", api.words)
        nodes.start("worker 0", "memferry worker")
        wait_until(
            lambda: all("waiting for it" in nodes.log(f"api {number}") for number in range(2))
        )
        wait_until(lambda: "the worker waits" in nodes.log("worker 0"))
    wait_until(lambda: all(api.is_ready() for api in apis), seconds=60)

    assert not any("Traceback" in nodes.log(name) for name in nodes.processes)


def test_a_restored_backup_holds_every_row_and_file(database_url: str, tmp_path: Path) -> None:
    if "host=" not in database_url:
        pytest.skip("needs the pg_dump of the server; known is that of the embedded one")
    dump, restore = (
        line for line in indented(section("Backup")) if line.startswith(("pg_dump", "psql"))
    )
    programs = find_binaries(None, None, tmp_path)
    with create_database(database_url) as url:
        tenant = "INSERT INTO memferry.tenants (id, name) VALUES (gen_random_uuid(), 'kept')"
        asyncio.run(execute(url, tenant))
        shell(dump, url, programs, tmp_path)
    empty = url.replace("memferry_test_", "memferry_restored_")
    name = urlsplit(empty).path[1:]
    asyncio.run(execute(database_url, f"CREATE DATABASE {name}"))
    try:
        shell(restore, empty, programs, tmp_path)
        names = asyncio.run(fetch(empty, "SELECT name FROM memferry.tenants"))
        migrated = Nodes({"MEMFERRY_DATABASE_URL": empty}, tmp_path).run("memferry migrate")
    finally:
        asyncio.run(execute(database_url, f"DROP DATABASE {name} WITH (FORCE)"))

    assert names == ["kept"]
    assert "up to date" in migrated


def shell(line: str, url: str, programs: Path, place: Path) -> None:
    line = line.replace("$(memferry database url)", url)
    environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}
    subprocess.run(["/bin/sh", "-c", line], check=True, env=environment, cwd=place)


async def fetch(url: str, query: str) -> list[str]:
    connection = await asyncpg.connect(url)
    names = [row[0] for row in await connection.fetch(query)]
    await connection.close()
    return names
