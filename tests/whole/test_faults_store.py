"""An object store that fails as networks do: exports end well or say why, and leave nothing."""

import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from memferry.model.identity import new_export_id
from support.fault_proxy import Fault, Kind
from support.store_stage import (
    LEASE_SECONDS,
    Stage,
    assert_said_why,
    assert_whole,
    run_stage,
    wait_settled,
)
from support.waiting import wait_until

pytestmark = pytest.mark.faults

MIB = 1024 * 1024
UPLOADING = frozenset({"UploadPart"})
OUTAGES = {
    "refuses": Fault("refuse"),
    "answers 503": Fault("answer", status=503),
    "cuts off": Fault("cut"),
    "answers 500": Fault("answer", status=500),
    "loses its answers": Fault("lose"),
}
STALLS = {"silent": Fault("silent"), "slow": Fault("slow", rate=MIB)}
# The first so many of each are for every run, all are for a full one.
CHOICES: dict[str, tuple[int, list[Any]]] = {
    "outage": (3, list(OUTAGES)),
    "begin": (1, [("UploadPart", 2), ("HEAD", 1), ("CompleteMultipartUpload", 1)]),
    "stall": (1, list(STALLS)),
    "nth": (4, [2, 3, 5, 7, 4, 6, 8]),
    "kinds": (1, [("answer", "cut", "lose"), ("answer",), ("cut",), ("lose",)]),
    "lost": (2, ["CreateMultipartUpload", "CompleteMultipartUpload", "GET", "UploadPart", "HEAD"]),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test with its choices."""
    full = metafunc.config.getoption("--full")
    for name, (few, choices) in CHOICES.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, choices if full else choices[:few], ids=str)


@pytest.fixture(scope="module")
def place(home: Path) -> Path:
    """A data directory of its own: workers that share a database must share the store as well."""
    path = home / "faults-store"
    path.mkdir(mode=0o711)
    return path


@pytest.fixture(scope="module")
def shared(place: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """One service for all of this."""
    with run_stage(place, request.config.getoption("--postgres-bin")) as stage:
        yield stage


@pytest.fixture
def stage(shared: Stage) -> Iterator[Stage]:
    """Everything at rest before and after a test; no fault came as a surprise to the service."""
    shared.proxy.heal()
    shared.proxy.page_size = None
    said = len(shared.service.log.read_text())
    yield shared
    shared.proxy.heal()
    assert "Traceback" not in shared.service.log.read_text()[said:]


def chance(seed: int, *more: object) -> random.Random:
    """The choices of one test, the same for the same seed whichever other tests run."""
    return random.Random(repr((seed, *more)))


def test_an_export_completes_after_an_outage_of_the_store(
    stage: Stage, outage: str, begin: tuple[str, int]
) -> None:
    stage.proxy.inject(replace(OUTAGES[outage], after=begin))
    export = stage.alice.export(format="ndjson")
    wait_until(lambda: len(stage.attempts(export)) > 0)
    stage.proxy.heal()
    done = stage.alice.wait_for(export)

    assert "attempt 1: the object store is away" in stage.attempts(export)[0]
    assert_whole(stage, done)
    assert wait_settled(stage) == []


def test_a_store_that_stalls_for_longer_than_the_lease_is_waited_for(
    stage: Stage, stall: str
) -> None:
    stage.proxy.inject(replace(STALLS[stall], after=("UploadPart", 1)))
    export = stage.alice.export(format="ndjson")
    stage.proxy.wait_struck()
    # A worker looks for lapsed leases each second.
    time.sleep(LEASE_SECONDS + 1.5)
    meanwhile = stage.alice.get(f"/api/memories/exports/{export['id']}").json()
    stage.proxy.heal()
    done = stage.alice.wait_for(export)

    assert meanwhile["status"] == "running"
    assert_whole(stage, done)
    assert ["attempt 1 wrote" in each for each in stage.attempts(export)] == [True]
    assert wait_settled(stage) == []


def test_an_upload_that_is_never_answered_costs_one_attempt(stage: Stage, *, full: bool) -> None:
    if not full:
        pytest.skip("takes half a minute until a transfer counts as dead; see --full")
    stage.proxy.inject(Fault("silent", names=UPLOADING, times=3))
    export = stage.alice.export(format="ndjson")
    done = stage.alice.wait_for(export, 110)

    assert "attempt 1: the object store is away" in stage.attempts(export)[0]
    assert_whole(stage, done)
    assert wait_settled(stage) == []


def test_a_store_that_fails_every_nth_call_gets_the_whole_file_or_a_reason(
    stage: Stage, nth: int, kinds: tuple[Kind, ...], seed: int
) -> None:
    stage.proxy.inject(Fault(chance(seed, nth).choice(kinds), every=nth))
    export = stage.alice.export(format="ndjson")
    done = stage.alice.wait_for(export)
    struck = stage.proxy.struck
    stage.proxy.heal()

    assert struck > 0
    if done["status"] == "completed":
        assert_whole(stage, done)
    else:
        assert_said_why(done, "storage_unavailable")
    assert wait_settled(stage) == []


def test_a_lost_answer_of_the_store_leaves_no_object(stage: Stage, lost: str) -> None:
    stage.proxy.inject(Fault("lose", names=frozenset({lost}), times=1))
    done = stage.alice.wait_for(stage.alice.export(format="ndjson"))

    assert stage.proxy.struck == 1
    assert_whole(stage, done)
    assert wait_settled(stage) == []


def test_a_lasting_outage_of_the_store_fails_the_export_with_its_reason(
    stage: Stage, seed: int
) -> None:
    outage = chance(seed).choice(sorted(OUTAGES))
    stage.proxy.inject(replace(OUTAGES[outage], after=("CreateMultipartUpload", 1)))
    done = stage.alice.wait_for(stage.alice.export(format="ndjson"))
    stage.proxy.heal()

    assert_said_why(done, "storage_unavailable")
    assert wait_settled(stage) == []


def test_a_flipped_byte_is_never_published(stage: Stage, seed: int) -> None:
    stage.proxy.inject(Fault("flip", names=UPLOADING, times=1, at=chance(seed).randrange(20 * MIB)))
    export = stage.alice.export(format="ndjson")
    done = stage.alice.wait_for(export)

    assert "attempt 1: The object store holds other bytes" in stage.attempts(export)[0]
    assert_whole(stage, done)
    assert wait_settled(stage) == []


def test_repeated_wrong_bytes_fail_the_export_with_that_reason(stage: Stage, seed: int) -> None:
    stage.proxy.inject(Fault("flip", names=UPLOADING, at=chance(seed).randrange(20 * MIB)))
    done = stage.alice.wait_for(stage.alice.export(format="ndjson"))
    struck = stage.proxy.struck
    stage.proxy.heal()

    assert struck >= 6
    assert_said_why(done, "wrong_bytes")
    assert wait_settled(stage) == []


def test_an_export_is_cancelled_at_once_while_the_store_is_slow(stage: Stage) -> None:
    stage.proxy.inject(Fault("slow", rate=MIB))
    export = stage.alice.export(format="ndjson")
    address, prefix = f"/api/memories/exports/{export['id']}", f"{stage.tenant}/{export['id']}/"
    stage.proxy.wait("UploadPart", 2)
    began = stage.uploads(prefix)
    since = time.monotonic()
    answer = stage.alice.delete(address)
    answered = time.monotonic() - since
    wait_until(lambda: not stage.objects(prefix) and not stage.uploads(prefix), seconds=10)
    after = stage.alice.get(address).json()
    gone = time.monotonic() - since
    # The worker's requests that were under way must not bring anything back.
    stage.proxy.heal()
    time.sleep(3)

    assert len(began) == 1
    assert (answer.status_code, after["status"], after["error"]) == (204, "cancelled", None)
    assert (answered < 5, gone < 10) == (True, True)
    assert wait_settled(stage, 0) == []


def test_an_export_is_cancelled_while_the_store_is_silent(stage: Stage) -> None:
    stage.proxy.inject(Fault("silent", after=("UploadPart", 1)))
    export = stage.alice.export(format="ndjson")
    address = f"/api/memories/exports/{export['id']}"
    stage.proxy.wait_struck()
    with pytest.raises(httpx.ReadTimeout):
        stage.alice.delete(address, timeout=1)
    after = stage.alice.get(address).json()
    stage.proxy.heal()

    assert after["status"] == "cancelled"
    assert wait_settled(stage) == []


@pytest.mark.parametrize("status", [200, 404])
def test_a_store_that_lists_uploads_as_nonsense_hinders_no_delete(
    stage: Stage, status: int
) -> None:
    done = stage.alice.wait_for(stage.alice.export(format="ndjson"))
    stage.proxy.inject(Fault("answer", names=frozenset({"ListMultipartUploads"}), status=status))
    answer = stage.alice.delete(f"/api/memories/exports/{done['id']}")
    stage.proxy.wait("ListMultipartUploads", 2)
    stage.proxy.heal()

    assert answer.status_code == 204
    assert wait_settled(stage) == []


def test_the_upload_of_a_killed_worker_is_swept_and_the_export_completes(stage: Stage) -> None:
    stage.proxy.inject(Fault("slow", names=UPLOADING, rate=MIB))
    export = stage.alice.export(format="ndjson")
    prefix = f"{stage.tenant}/{export['id']}/"
    stage.proxy.wait("UploadPart", 2)
    pid = stage.service.worker_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    orphans = stage.uploads(prefix)
    stage.proxy.heal()
    done = stage.alice.wait_for(export)

    assert list(orphans.values()) == [f"exports/{prefix}1"]
    assert_whole(stage, done)
    assert wait_settled(stage) == []


@pytest.fixture
def foreign(stage: Stage, *, full: bool) -> Iterator[list[str]]:
    """An object and an upload each under keys that no export of this service has made.

    There are more than go onto a page, and they come first: what is to be swept is behind them.
    """
    stage.proxy.page_size = 1000 if full else 12
    tenants = [f"00000000-0000-4000-8000-{i:012}" for i in range(stage.proxy.page_size + 1)]
    keys = [f"exports/{each}/{new_export_id()}/1" for each in tenants] + ["exports/README"]
    begun = [begin(stage, key) for key in keys]
    yield keys
    for key, upload in zip(keys, begun, strict=True):
        stage.client.delete_object(Bucket="bucket", Key=key)
        stage.client.abort_multipart_upload(Bucket="bucket", Key=key, UploadId=upload)


def begin(stage: Stage, key: str) -> str:
    """Put an object there, and begin an upload to replace it; answers the upload's id."""
    stage.client.put_object(Bucket="bucket", Key=key, Body=b"x")
    upload: str = stage.client.create_multipart_upload(Bucket="bucket", Key=key)["UploadId"]
    return upload


@pytest.mark.timeout(900)
def test_dead_objects_are_swept_page_by_page_and_nothing_else(
    stage: Stage, foreign: list[str], *, full: bool
) -> None:
    count = 2500 if full else 40
    # Away meanwhile, or a sweep would find them a few at a time.
    stage.proxy.inject(Fault("refuse"))
    for number in range(count):
        begin(stage, f"exports/{stage.tenant}/{new_export_id()}/{1 + number % 3}")
    before = stage.list_left_behind()
    stage.proxy.heal()
    wait_until(
        lambda: len(stage.list_left_behind()) <= 2 * len(foreign), seconds=400 if full else 20
    )
    # Another sweep, which finds nothing but these.
    time.sleep(2)

    assert len(before) == 2 * len(foreign) + 2 * count
    assert len(stage.list_left_behind()) == 2 * len(foreign)
    assert set(stage.objects()) > set(foreign)
    assert sorted(stage.uploads().values()) == sorted(foreign)
