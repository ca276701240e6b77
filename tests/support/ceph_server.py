"""Ceph's S3 server (radosgw) over a monitor and one store in memory: a real S3, on loopback alone.

Debian: radosgw ceph-mon ceph-osd ceph-common. Nothing of it outlives the context.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

_READY_SECONDS = 90
_CONFIG = """
[global]
fsid = {fsid}
mon_initial_members = a
mon_host = v1:127.0.0.1:{mon_port}
public_network = 127.0.0.0/8
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
keyring = {home}/keyring
run_dir = {home}
admin_socket =
log_file = {home}/$name.log
mon_data = {home}/mon
osd_data = {home}/osd
osd_objectstore = memstore
memstore_device_bytes = 2147483648
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
rgw_frontends = beast endpoint=127.0.0.1:{rgw_port}
rgw_enable_usage_log = false
"""


@contextmanager
def run_ceph_server(more: str = "") -> Iterator[tuple[str, str, str]]:
    """The address, access key and secret key of a fresh S3 server; `more` is configuration."""
    home = Path(tempfile.mkdtemp(prefix="memferry-ceph-"))
    processes: list[subprocess.Popen[bytes]] = []
    try:
        url = _start(home, processes, more)
        user = json.loads(
            _run(home, "radosgw-admin", "user", "create", "--uid=test", "--display-name=test")
        )
        key = user["keys"][0]
        yield url, key["access_key"], key["secret_key"]
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()
        shutil.rmtree(home, ignore_errors=True)


def _start(home: Path, processes: list[subprocess.Popen[bytes]], more: str) -> str:
    fsid, osd, mon_port, rgw_port = str(uuid4()), str(uuid4()), _free_port(), _free_port()
    config = _CONFIG.format(fsid=fsid, home=home, mon_port=mon_port, rgw_port=rgw_port)
    (home / "ceph.conf").write_text(config + more)
    everything = ("--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *")
    keyring = str(home / "keyring")
    create = ("ceph-authtool", keyring, "--gen-key")
    _run(home, *create, "--create-keyring", "-n", "mon.", "--cap", "mon", "allow *")
    for name in ("client.admin", "osd.0", "client.rgw"):
        _run(home, *create, "-n", name, *everything)
    _run(home, "monmaptool", "--create", "--addv", "a", f"[v1:127.0.0.1:{mon_port}]", "--fsid",
         fsid, str(home / "monmap"))  # fmt: skip
    mkfs = ("ceph-mon", "--mkfs", "-i", "a", "--monmap", str(home / "monmap"))
    _run(home, *mkfs, "--keyring", keyring)
    processes.append(_spawn(home, "ceph-mon", "-f", "-i", "a"))
    for name in ("osd.0", "client.rgw"):
        _run(home, "ceph", "auth", "import", "-i", keyring)
        _run(home, "ceph", "auth", "get", name)
    _run(home, "ceph", "osd", "new", osd, "0")
    _run(home, "ceph", "osd", "crush", "add", "osd.0", "1", "root=default", "host=h")
    (home / "osd").mkdir()
    _run(home, "ceph-osd", "--mkfs", "-i", "0", "--osd-uuid", osd)
    processes.append(_spawn(home, "ceph-osd", "-f", "-i", "0"))
    processes.append(_spawn(home, "radosgw", "-f", "-n", "client.rgw"))
    url = f"http://127.0.0.1:{rgw_port}"
    _wait_for(url)
    return url


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(url).status_code < 500:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError("radosgw did not come up")


def _command(home: Path, words: tuple[str, ...]) -> list[str]:
    if words[0] in {"ceph-authtool", "monmaptool"}:
        return list(words)
    return [words[0], "-c", str(home / "ceph.conf"), *words[1:]]


def _run(home: Path, *words: str) -> str:
    done = subprocess.run(
        _command(home, words), check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


def _spawn(home: Path, *words: str) -> "subprocess.Popen[Any]":
    with (home / f"{words[0]}.out").open("wb") as log:
        return subprocess.Popen(
            _command(home, words), stdout=log, stderr=log, env=os.environ | {"HOME": str(home)}
        )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port
