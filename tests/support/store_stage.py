"""A service whose object store lies behind a proxy, and what exports may look like then."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from memferry.database.embedded import EmbeddedPostgres
from memferry.operation.store_identity import KEY
from memferry.settings import S3Settings
from support.fault_proxy import FaultProxy, run_fault_proxy
from support.people import Person, make_person
from support.service import Service, start_service, stop_service
from support.stores import make_empty_bucket, run_moto_server

ROWS = 10_001
LEASE_SECONDS = 2


@dataclass(frozen=True)
class Stage:
    """A service, the bucket it writes to, and the proxy between them."""

    service: Service
    proxy: FaultProxy
    alice: Person
    client: Any
    tenant: str
    sha256: str
    """What every whole file has."""

    def objects(self, prefix: str = "") -> dict[str, int]:
        """The size of every object in the bucket, past the proxy."""
        pages = self.client.get_paginator("list_objects_v2")
        return {
            each["Key"]: each["Size"]
            for page in pages.paginate(Bucket="bucket", Prefix=f"exports/{prefix}")
            for each in page.get("Contents", [])
            if each["Key"] != f"exports/{KEY}"
        }

    def uploads(self, prefix: str = "") -> dict[str, str]:
        """Key by id of every upload that was neither completed nor aborted, past the proxy."""
        answer = self.client.list_multipart_uploads(Bucket="bucket", Prefix=f"exports/{prefix}")
        return {each["UploadId"]: each["Key"] for each in answer.get("Uploads", [])}

    def attempts(self, export: dict[str, Any]) -> list[str]:
        """What the worker has said of the end of each attempt, but for the cancelled."""
        words = f"export {export['id']}: attempt "
        return [line for line in self.service.log.read_text().splitlines() if words in line]

    def list_left_behind(self) -> list[str]:
        """Everything but one file, and what lies beside it, for each completed export."""
        exports = self.alice.get("/api/memories/exports").json()["exports"]
        wanted = {
            f"exports/{self.tenant}/{each['id']}": each["bytes_done"]
            for each in exports
            if each["status"] == "completed"
        }
        objects = self.objects()
        # Manifest and digest lie beside a file, under its key with a dot behind it.
        found = [
            (key.rpartition("/")[0], size)
            for key, size in objects.items()
            if key.split(".")[0] not in objects or "." not in key
        ]
        wrong = set(found) ^ set(wanted.items())
        twice = [each for each in found if found.count(each) > 1]
        return [str(each) for each in (*wrong, *twice, *self.uploads().values())]


@contextmanager
def run_stage(place: Path, postgres_bin: Path | None) -> Iterator[Stage]:
    """A stage whose first export, made in peace, is what others compare to."""
    with run_moto_server() as s3_url, run_fault_proxy(s3_url) as proxy:
        bucket = make_empty_bucket(
            S3Settings(endpoint=s3_url, access_key="key", secret_key="secret")
        )
        service = start_service(
            place,
            MEMFERRY_POSTGRES_BIN=str(postgres_bin or ""),
            MEMFERRY_STORAGE_URL="s3://bucket/exports",
            MEMFERRY_LEASE_SECONDS=str(LEASE_SECONDS),
            MEMFERRY_RETRY_SECONDS="1",
            MEMFERRY_SWEEP_SECONDS="1",
            MEMFERRY_EXPORT_ATTEMPTS="2",
            AWS_ENDPOINT_URL=proxy.url,
            AWS_ACCESS_KEY_ID="key",
            AWS_SECRET_ACCESS_KEY="secret",
        )
        with make_person("alice", service, EmbeddedPostgres(place / "postgres").url()) as alice:
            alice.save_many([{"content": f"memory {i} " + "." * 1600} for i in range(ROWS)])
            clean = alice.wait_for(alice.export(format="ndjson"))
            pages = bucket.client.list_objects_v2(Bucket="bucket")["Contents"]
            (tenant,) = {page["Key"].split("/")[1] for page in pages} - {KEY}
            yield Stage(service, proxy, alice, bucket.client, tenant, clean["sha256"])
        proxy.heal()
        assert stop_service(service) == 0


def wait_settled(stage: Stage, seconds: float = 20) -> list[str]:
    """What is left behind once it is nothing, or after that time."""
    deadline = time.monotonic() + seconds
    while (left := stage.list_left_behind()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def assert_whole(stage: Stage, export: dict[str, Any]) -> None:
    """It is completed, and its file is the one that peace had made."""
    assert (export["status"], export["sha256"]) == ("completed", stage.sha256), export
    assert (export["row_count"], export["error"], export["error_code"]) == (ROWS, None, None)
    assert hashlib.sha256(httpx.get(export["download_url"]).content).hexdigest() == stage.sha256


def assert_said_why(export: dict[str, Any], code: str) -> None:
    """It is failed, with a reason a person can act on."""
    assert (export["status"], export["error_code"]) == ("failed", code), export
    assert export["retryable"] is True
    assert len(export["error"]) > 10
    assert export["sha256"] is None
