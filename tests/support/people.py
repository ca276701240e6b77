"""The fixed cast: a tenant with a token, as an HTTP client."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import httpx

from memferry.model.token import USUAL_SCOPES, Grant, Scope
from memferry.tenants.operator import Operator
from support.service import NO_TLS, Service


class Person(httpx.Client):
    """A tenant with a token: an HTTP client that speaks for nobody else."""

    def __init__(self, name: str, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        super().__init__(base_url=url, headers=headers, timeout=60, verify=NO_TLS)
        self.name = name
        self.token = token

    def save(self, content: str, **more: Any) -> dict[str, Any]:
        """Save a memory; its row."""
        answer = self.post("/api/memories", json={"content": content, **more})
        assert answer.status_code == 201, answer.text
        row: dict[str, Any] = answer.json()
        return row

    def save_many(self, items: list[dict[str, Any]]) -> None:
        """Save rows in bulk, however many."""
        for start in range(0, len(items), 10_000):
            answer = self.post("/v1/memories/bulk", json={"items": items[start : start + 10_000]})
            assert answer.json()["errors"] == 0, answer.text

    def export(self, **body: Any) -> dict[str, Any]:
        """Ask for an export; the answer as it comes."""
        answer = self.post("/api/memories/exports", json=body)
        assert answer.status_code == 201, answer.text
        export: dict[str, Any] = answer.json()
        return export

    def import_file(self, file: bytes | str, **options: Any) -> dict[str, Any]:
        """Send a file to import; the import once it has ended."""
        answer = self.post("/api/memories/imports", content=file, params=options)
        assert answer.status_code == 201, answer.text
        return self.wait_for_import(answer.json())

    def wait_for_import(self, job: dict[str, Any], seconds: float = 60) -> dict[str, Any]:
        """The import once it has ended."""
        deadline = time.monotonic() + seconds
        while job["status"] in ("pending", "running"):
            assert time.monotonic() < deadline, job
            time.sleep(0.05)
            job = self.get(f"/api/memories/imports/{job['id']}").json()
        return job

    def download(self, export: dict[str, Any]) -> bytes:
        """The file of an export, once it is completed."""
        answer = httpx.get(self.wait_for(export)["download_url"], verify=NO_TLS)
        assert answer.status_code == 200, answer.text
        return answer.content

    def wait_for(self, export: dict[str, Any], seconds: float = 60) -> dict[str, Any]:
        """The export once it is finished."""
        deadline = time.monotonic() + seconds
        while export["status"] in ("pending", "running"):
            assert time.monotonic() < deadline, export
            time.sleep(0.05)
            export = self.get(f"/api/memories/exports/{export['id']}").json()
        return export


def make_person(
    name: str, service: Service, database_url: str, scopes: tuple[Scope, ...] = USUAL_SCOPES
) -> Person:
    """A new tenant of that name, unknown to every other test."""
    operator = Operator(database_url)
    token = asyncio.run(operator.create_token(f"{name}-{uuid4()}", name, Grant(scopes=scopes)))
    return Person(name, service.url, token.text)
