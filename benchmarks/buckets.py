"""Exports into an S3 server on loopback: Ceph's if it is installed, else moto's."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import boto3

from exports import make_export_work
from measure import Goal, LeftOut, Line, Work, compare
from references import copy_to, ndjson
from service import Bench, free_port

_TESTS = Path(__file__).parent.parent / "tests"
_CEPH = ("radosgw", "ceph-mon", "ceph-osd", "ceph")
# Room for a few large files; what is deleted is given back within seconds, not hours.
_ROOM = """
[osd]
memstore_device_bytes = 34359738368
[client]
rgw_gc_obj_min_wait = 1
rgw_gc_processor_period = 2
rgw_gc_processor_max_time = 2
"""
_BUCKET = "bench"
_MOTO = "moto (no radosgw here; Debian: radosgw ceph-mon ceph-osd ceph-common)"
_MOTO_SECONDS = 60


@contextmanager
def _server() -> Iterator[tuple[str, dict[str, str]]]:
    """The name of an S3 server, and the settings that lead to it."""
    if all(shutil.which(program) for program in _CEPH):
        sys.path.append(str(_TESTS))
        from support.ceph_server import run_ceph_server  # noqa: PLC0415 - lies with the tests

        with run_ceph_server(_ROOM) as (url, access_key, secret_key):
            yield "Ceph radosgw", _settings(url, access_key, secret_key)
    else:
        with _moto() as url:
            yield _MOTO, _settings(url, "key", "secret")


def _settings(url: str, access_key: str, secret_key: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
        "AWS_REGION": "us-east-1",
    }


@contextmanager
def _moto() -> Iterator[str]:
    """Moto's server in a process of its own."""
    port = free_port()
    program = Path(sys.executable).with_name("moto_server")
    server = subprocess.Popen(
        [str(program), "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + _MOTO_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError):
            connection = HTTPConnection(urlsplit(url).netloc, timeout=5)
            connection.request("GET", "/")
            connection.getresponse().read()
            return
        time.sleep(0.1)
    raise LeftOut("moto's server did not start")


def compare_queued_s3(bench: Bench) -> Iterator[Line]:
    """Lines of JSON into a bucket, POST to completed; against COPY to a file and `aws s3 cp`."""
    aws = shutil.which("aws", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if aws is None:
        raise LeftOut("there is no program aws (requirements/bench.txt: awscli)")
    with _server() as (name, settings):
        _make_bucket(settings)
        bench.change_store(MEMFERRY_STORAGE_URL=f"s3://{_BUCKET}/exports", **settings)
        try:
            goal = Goal(
                case="queued NDJSON to S3",
                against="psql COPY to a file, then aws s3 cp",
                most=0.80,
                note=name,
            )
            ours = make_export_work(bench.client("big"), format="ndjson")
            yield compare(goal, ours, _make_upload_work(bench, aws, settings), bench.options.rounds)
        finally:
            bench.change_store()


def _make_bucket(settings: dict[str, str]) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=settings["AWS_ENDPOINT_URL"],
        region_name=settings["AWS_REGION"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
    )
    client.create_bucket(Bucket=_BUCKET)


def _make_upload_work(bench: Bench, aws: str, settings: dict[str, str]) -> Work:
    target = bench.home / "reference"
    query = ndjson(bench.tenant_id("big"))
    # Older servers do not know the checksums that newer clients add to every part.
    environment = os.environ | settings | {"AWS_REQUEST_CHECKSUM_CALCULATION": "when_required"}
    address = f"s3://{_BUCKET}/reference"

    def do() -> None:
        copy_to(bench, query, target)
        command = [aws, "s3", "cp", "--only-show-errors", str(target), address]
        subprocess.run(command, env=environment, check=True)

    def tidy() -> None:
        target.unlink()
        command = [aws, "s3", "rm", "--only-show-errors", address]
        subprocess.run(command, env=environment, check=True)

    return Work(do, tidy)
