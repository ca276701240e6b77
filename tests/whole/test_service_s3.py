"""A service whose object store is an S3 bucket, and a second worker beside its own."""

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from memferry.database.embedded import EmbeddedPostgres
from memferry.model.token import USUAL_SCOPES, Scope
from memferry.settings import S3Settings
from support.people import make_person
from support.service import Service, start_service, stop_service
from support.stores import make_empty_bucket, run_moto_server

pytestmark = pytest.mark.long


@pytest.fixture
def place() -> Iterator[Path]:
    """A data directory of its own: workers that share a database must share the store as well."""
    with tempfile.TemporaryDirectory(prefix="memferry-s3-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@dataclass(frozen=True)
class Served:
    """A service whose files lie in a bucket, and whether the bucket serves them itself."""

    service: Service
    s3_url: str
    direct: bool


@pytest.fixture(params=["false", "true"])
def served(place: Path, request: pytest.FixtureRequest) -> Iterator[Served]:
    programs = request.config.getoption("--postgres-bin")
    with run_moto_server() as s3_url:
        make_empty_bucket(S3Settings(endpoint=s3_url, access_key="key", secret_key="secret"))
        settings = {
            "MEMFERRY_POSTGRES_BIN": str(programs or ""),
            "MEMFERRY_STORAGE_URL": "s3://bucket/exports",
            "AWS_ENDPOINT_URL": s3_url,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "MEMFERRY_DIRECT_DOWNLOADS": request.param,
        }
        service = start_service(place, **settings)
        yield Served(service, s3_url, direct=request.param == "true")
        assert stop_service(service) == 0


def test_a_queued_export_is_downloaded_from_the_bucket(
    served: Served, place: Path, tmp_path: Path
) -> None:
    scopes: tuple[Scope, ...] = (*USUAL_SCOPES, "admin")
    database_url = EmbeddedPostgres(place / "postgres").url()
    with make_person("alice", served.service, database_url, scopes) as alice:
        alice.save_many([{"content": f"memory {i} " + "é" * 900} for i in range(10_001)])
        done = alice.wait_for(alice.export(format="ndjson"))
        data = httpx.get(done["download_url"])
        part = httpx.get(done["download_url"], headers={"Range": "bytes=5-9"})
        head = httpx.head(done["download_url"])
        target = tmp_path / "out.ndjson"
        exported = subprocess.run(
            [sys.executable, "-m", "memferry", "export", "--format", "ndjson", "-o", target],
            env=os.environ | {"MEMFERRY_URL": served.service.url, "MEMFERRY_TOKEN": alice.token},
            check=False,
            capture_output=True,
        )
        noted = alice.get("/api/audit?event=export.downloaded").json()["entries"]

    if served.direct:
        assert done["download_url"].startswith(f"{served.s3_url}/bucket/exports/")
        assert "X-Amz-Signature" in done["download_url"]
        assert noted == []
    else:
        assert done["download_url"].startswith(f"{served.service.url}/downloads/")
        assert data.headers["etag"] == f'"{done["sha256"]}"'
        assert data.headers["x-content-type-options"] == "nosniff"
        assert data.headers["referrer-policy"] == "no-referrer"
        assert data.headers["cache-control"] == "private, no-store"
        assert (head.status_code, head.headers["etag"]) == (200, data.headers["etag"])
        # The newest first: by the command, the part, by hand.
        assert [each["bytes"] for each in noted] == [len(data.content), 5, len(data.content)]
    assert (part.status_code, part.content) == (206, data.content[5:10])
    assert data.headers["content-disposition"].startswith('attachment; filename="memferry-')
    assert hashlib.sha256(data.content).hexdigest() == done["sha256"]
    assert exported.returncode == 0, exported.stderr
    assert target.read_bytes() == data.content


def test_a_worker_by_itself_stops_cleanly_when_asked(database_url: str, service: Service) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "memferry", "worker", "--data-dir", str(service.home)],
        env=os.environ | {"MEMFERRY_DATABASE_URL": database_url},
        stderr=subprocess.PIPE,
    )
    try:
        process.wait(2)
        raise AssertionError("the worker ended by itself")
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)

    _, said = process.communicate(timeout=15)
    assert process.returncode == 0
    assert b"Traceback" not in said
