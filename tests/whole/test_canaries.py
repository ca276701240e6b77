"""Texts planted in everything a client can write turn up in no log, no audit and no error."""

import asyncio
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from memferry.errors import LeaseLost
from memferry.exports.read.snapshot import Reader
from memferry.exports.request import ExportRequest
from support.people import Person
from support.postgres import open_database
from support.service import Service
from support.tokens import create_admin, create_holder, fetchval, read_tenant_id
from support.waiting import wait_until

CANARY = "c4n4ry"
_ENDED = re.compile(
    "canceling statement|connection to client lost|could not send data|unexpected EOF|terminating"
)


def planted(number: int, **more: Any) -> dict[str, Any]:
    """A memory with a canary in every field."""
    return {
        "content": f"{CANARY}-content-{number}",
        "namespace": f"{CANARY}-namespace",
        "tags": [f"{CANARY}-tag"],
        "source": f"{CANARY}-source",
        "source_ref": f"{CANARY}-ref",
        "metadata": {f"{CANARY}-key": f"{CANARY}-value"},
    } | more


FILTERS = {
    "namespace": f"{CANARY}-namespace",
    "tags": [f"{CANARY}-tag"],
    "metadata_filter": {f"{CANARY}-key": f"{CANARY}-value"},
}

MISTAKES: list[tuple[str, str, Any]] = [
    ("POST", "/api/memories", planted(1, content="")),
    ("POST", "/api/memories", planted(1, tags=[f"{CANARY}\x00"])),
    ("POST", "/api/memories", planted(1, source=f"{CANARY}" * 100)),
    ("POST", "/api/memories", planted(1, content=f"{CANARY}" * 200_000)),
    ("POST", "/api/memories", planted(1, metadata=f"{CANARY}")),
    ("POST", "/v1/memories/bulk", {"items": [planted(1, namespace=f"{CANARY}" * 100)]}),
    ("POST", "/api/memories/search/bulk", {"queries": [f"{CANARY}\x00"]}),
    ("GET", f"/api/memories/{CANARY}", None),
    ("PATCH", f"/api/memories/{CANARY}", {"content": CANARY}),
    ("GET", f"/api/memories?q={CANARY}&metadata_filter={CANARY}", None),
    ("GET", f"/api/{CANARY}", None),
    ("GET", f"/downloads/{CANARY}", None),
    ("POST", "/api/memories/exports", FILTERS | {"format": CANARY}),
    ("POST", "/api/memories/exports", FILTERS | {"tags": CANARY}),
    ("POST", "/api/memories/exports", FILTERS | {"created_after": CANARY}),
    ("POST", "/api/tokens", {"name": f"{CANARY}" * 100}),
    ("POST", "/api/tokens", {"scopes": [CANARY]}),
    ("POST", "/api/webhooks", {"url": f"ftp://{CANARY}"}),
]


@pytest.fixture(scope="module")
def errors() -> list[str]:
    """The texts of all answers from 400 on."""
    return []


def test_no_error_repeats_what_was_sent(
    alice: Person, database_url: str, errors: list[str]
) -> None:
    with (
        create_admin(alice, database_url) as admin,
        create_holder(alice, database_url, namespaces=("a",)) as limited,
        create_holder(alice, database_url, scopes=("admin",)) as poor,
    ):
        for method, path, body in MISTAKES:
            for person in (admin, limited, poor):
                answer = person.request(method, path, json=body)
                if answer.status_code >= 400:
                    errors.append(answer.text)
        refused = limited.post("/api/memories", json=planted(1))
        moved = limited.post("/v1/memories/bulk", json={"items": [planted(1)]})
    errors += [refused.text, moved.text]

    assert (refused.status_code, moved.status_code) == (403, 403)
    assert len(errors) > 2 * len(MISTAKES)
    assert [each for each in errors if CANARY in each] == []


async def test_an_abandoned_export_leaves_no_filter_in_any_log(
    alice: Person, service: Service, database_url: str, home: Path
) -> None:
    alice.save_many([planted(number, content="x" * 20_000) for number in range(1_000)])
    said = {log: len(log.read_text()) for log in home.rglob("postgres.log")}
    tenant_id = await read_tenant_id(alice, database_url)
    request = ExportRequest.parse(json.dumps(FILTERS).encode())
    async with open_database(database_url) as database:
        with suppress(LeaseLost):
            async with Reader(database).start(tenant_id, request) as (run, _):
                blocks = aiter(run)
                block = await anext(blocks) + await anext(blocks)
                raise LeaseLost
    wait_until(lambda: all(_ENDED.search(log.read_text()[end:]) for log, end in said.items()))
    logs = [service.log, *home.rglob("*.log")]

    assert CANARY.encode() in block
    assert [log for log in logs if CANARY in log.read_text(errors="replace")] == []


def test_no_log_and_no_audit_entry_holds_a_stored_or_requested_text(
    alice: Person, service: Service, database_url: str, home: Path
) -> None:
    hook = {"url": f"http://127.0.0.1:9/{CANARY}", "description": CANARY}
    alice.post("/api/webhooks", json=hook)
    alice.save_many([planted(number) for number in range(10_001)])
    row = alice.save(**{k: v for k, v in planted(0).items() if k != "content"}, content=CANARY)
    alice.get(f"/api/memories?q={CANARY}")
    alice.patch(f"/api/memories/{row['id']}", json={"tags": [f"{CANARY}-new"]})
    alice.delete(f"/api/memories/{row['id']}")
    small = alice.export(**FILTERS | {"tags": [f"{CANARY}-none"]})
    export = alice.wait_for(alice.export(**FILTERS))
    file = httpx.get(export["download_url"])
    alice.delete(f"/api/memories/exports/{small['id']}")
    query = (
        "SELECT json_agg(audit)::text FROM memferry.audit WHERE tenant_id = ("
        "SELECT tenant_id FROM memferry.jobs WHERE id = $1) HAVING count(*) >= 8"
    )
    # A download is noted soon after its last byte.
    written = wait_until(lambda: asyncio.run(fetchval(database_url, query, export["id"])))
    logs = [service.log, *home.rglob("*.log")]
    text = "".join(each.read_text(errors="replace") for each in logs)
    link = export["download_url"].rpartition("/")[2]

    assert CANARY in file.text
    assert CANARY not in written
    assert f"export {export['id']}" in text
    assert CANARY not in text
    assert link not in text
    assert link not in written
    assert alice.token not in text
