"""The parts of an import: claims of uploads, the fence, ids, texts for COPY, the report."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import RFC_4122, uuid4

import asyncpg
import pytest

from memferry.database.pool import Database
from memferry.errors import Invalid, LeaseLost, NamespaceForbidden, TooLarge, UploadLapsed
from memferry.imports.merge import keep_report
from memferry.imports.report import SHOWN, ReportWriter
from memferry.imports.request import NEEDS, ImportRequest, StoredRequest
from memferry.imports.rows import RowMaker
from memferry.imports.uploads import ImportUploads, MeasuredFile
from memferry.imports.workspace import open_workspace
from memferry.model.identity import derive_memory_id, new_export_id, read_id_time
from memferry.model.job import Claim
from memferry.model.token import Caller
from memferry.settings import Quotas
from memferry.sources.base import Place, Record
from support.memories import AWKWARD
from support.people import Person
from support.postgres import execute, open_database
from support.tokens import read_tenant_id

_PLACE = Place("", "")
_STORED = StoredRequest(options=ImportRequest(), wrapped=False, size_bytes=1, sha256="00" * 32)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, size=4) as database:
        yield database


@pytest.fixture
async def caller(alice: Person, database_url: str) -> Caller:
    return Caller(tenant_id=await read_tenant_id(alice, database_url))


async def test_a_claim_that_has_lapsed_is_over_for_good(
    database: Database, caller: Caller, database_url: str
) -> None:
    uploads, import_id = ImportUploads(database, Quotas()), new_export_id()
    await uploads.begin(caller, import_id)
    await uploads.renew(caller, import_id)
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "UPDATE memferry.import_uploads SET leased_until = now() - interval '1s' WHERE id = $1",
        import_id,
    )
    await connection.close()

    with pytest.raises(UploadLapsed):
        await uploads.renew(caller, import_id)
    with pytest.raises(UploadLapsed):
        await uploads.create_import(caller, import_id, _STORED)


async def test_an_upload_becomes_a_job_once(database: Database, caller: Caller) -> None:
    uploads, import_id = ImportUploads(database, Quotas()), new_export_id()
    await uploads.begin(caller, import_id)
    row = await uploads.create_import(caller, import_id, _STORED)

    assert (row["status"], row["file_bytes"]) == ("pending", 1)
    with pytest.raises(UploadLapsed):
        await uploads.create_import(caller, import_id, _STORED)


@pytest.mark.parametrize(("attempt", "worker"), [(1, "another"), (2, "worker")])
async def test_a_worker_that_has_lost_its_lease_keeps_no_report(
    database: Database, caller: Caller, database_url: str, attempt: int, worker: str
) -> None:
    import_id = new_export_id()
    await execute(
        database_url,
        "INSERT INTO memferry.jobs (tenant_id, id, type, status, request, needs, row_count, "
        "attempt, leased_by, leased_until) VALUES "
        f"('{caller.tenant_id}', '{import_id}', 'import', 'running', '{{}}', '{{none}}', 0, 1, "
        "'worker', now() + interval '1 hour')",
    )
    claim = Claim(
        tenant_id=caller.tenant_id, job_id=import_id, type="import", attempt=attempt, worker=worker
    )
    async with database.tenant(caller) as connection:
        with pytest.raises(LeaseLost):
            await keep_report(connection, claim, "{}")


async def _send(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def _do_nothing() -> None:
    pass


async def test_a_file_is_measured_as_it_comes_and_cut_off_above_its_limit() -> None:
    file = MeasuredFile(_send(b"a" * 1_500_000, b"b"), 1_500_001, _do_nothing)
    pieces = [piece async for piece in file]

    assert (b"".join(pieces)[-2:], file.size_bytes) == (b"ab", 1_500_001)
    with pytest.raises(TooLarge):
        _ = [piece async for piece in MeasuredFile(_send(b"a" * 11), 10, _do_nothing)]
    with pytest.raises(Invalid):
        _ = [piece async for piece in MeasuredFile(_send(), 10, _do_nothing)]


async def test_what_a_killed_worker_left_on_the_disk_is_removed_and_a_live_one_s_is_not(
    tmp_path: Path,
) -> None:
    dead = tmp_path / "memferry-import-dead"
    dead.mkdir()
    (dead / "lock").touch()
    async with open_workspace(tmp_path) as first, open_workspace(tmp_path) as second:
        alive = sorted(tmp_path.iterdir())

        assert alive == sorted([first, second])
        assert first.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == []


def test_the_id_of_a_record_is_the_same_for_the_same_record_alone() -> None:
    names = [("n", "s", "k"), ("n", "s", "l"), ("n", "t", "k"), ("m", "s", "k"), ("ns", "", "k")]
    ids = {derive_memory_id(*name, 1_700_000_000_123) for name in names}

    assert len(ids) == len(names)
    assert {(value.version, value.variant) for value in ids} == {(7, RFC_4122)}
    assert {read_id_time(value) for value in ids} == {1_700_000_000_123}
    assert derive_memory_id("n", "s", "k", None) == derive_memory_id("n", "s", "k", 2**48)


def test_a_stored_request_is_read_back_and_one_of_another_version_is_not() -> None:
    options = ImportRequest(
        format="paste", namespace="n", tags=("a", "b"), conflict="overwrite", on_error="skip",
        dry_run=True, timezone="Europe/Zurich", per="conversation", branches=True,
        folders="none", name="f",
    )  # fmt: skip
    stored = StoredRequest(options=options, wrapped=True, size_bytes=9, sha256="ab" * 32)

    assert StoredRequest.read(stored.as_json) == stored
    assert options.needs <= NEEDS
    assert len(options.needs) == 11
    assert ImportRequest().needs == frozenset()
    with pytest.raises(Invalid):
        StoredRequest.read(stored.as_json.replace('"folders"', '"newer"'))


async def test_every_text_survives_copy(database: Database, caller: Caller) -> None:
    chance = random.Random(1)
    texts = [*AWKWARD, "\\", "\\N", "\\.", "a\tb\nc\rd\\te", "\u2028", "\U0001f600"]
    texts += ["".join(chance.choices('\\\n\r\t.N"{},a\x01é', k=20)) for _ in range(200)]
    maker = RowMaker(ImportRequest(), "test", None)
    lines = [
        maker.make_line(
            Record(
                place=_PLACE, id=uuid4(), content=text, namespace=text[:500], tags=[text[:500], ""],
                source=text[:500], source_ref=text, metadata='{"a":"\\\\ \\n"}', created_at=number,
            ),
            number,
        )
        for number, text in enumerate(texts)
    ]  # fmt: skip
    async with database.tenant(caller) as connection:
        await connection.execute(
            "CREATE TEMPORARY TABLE copied (place int, id uuid, content text, namespace text, "
            "tags text[], source text, source_ref text, metadata text, created_at bigint, "
            "updated_at bigint, expires_at bigint, history text) ON COMMIT DROP"
        )
        await connection.copy_to_table("copied", source=_send(b"".join(lines)))
        rows = await connection.fetch("SELECT * FROM copied ORDER BY place")

    for text, row in zip(texts, rows, strict=True):
        assert (row["content"], row["source_ref"], row["namespace"]) == (text, text, text[:500])
        assert (row["tags"], row["metadata"]) == ([text[:500], ""], '{"a":"\\\\ \\n"}')
        assert row["updated_at"] is None


@pytest.mark.parametrize(
    "metadata", [None, "{}", "{ }", '{"a":1.50}', '{"import":{"b":1},"a":2}', '{"\\u0069mport":1}']
)
def test_what_is_told_of_a_foreign_record_loses_nothing_of_its_metadata(
    metadata: str | None,
) -> None:
    maker = RowMaker(ImportRequest(), "test", None)
    record = Record(
        place=_PLACE, key="k", content="c", metadata=metadata, origin={"seq": 3}, created_at=1
    )
    text = maker.make_line(record, 0).decode().split("\t")[7].replace("\\\\", "\\")

    assert '"source":"test"' in text
    assert '"time_from":"record"' in text
    assert '"seq":3' in text
    for piece in ("1.50", '"b":1', '"a":2'):
        assert (piece in text) == (piece in (metadata or ""))


def test_half_of_a_surrogate_pair_is_rejected_and_not_raised() -> None:
    maker = RowMaker(ImportRequest(), "test", None)
    for field in ("content", "key", "source_ref", "source"):
        texts: dict[str, Any] = {"content": "c", "key": "k", field: "\ud83d"}
        record = Record(place=_PLACE, origin={}, **texts)
        with pytest.raises(Invalid):
            maker.make_line(record, 0)


def test_a_record_beyond_the_namespaces_of_the_token_is_refused() -> None:
    maker = RowMaker(ImportRequest(), "test", ["home"])
    maker.make_line(Record(place=_PLACE, content="c", namespace="home", id=uuid4()), 0)

    with pytest.raises(NamespaceForbidden):
        maker.make_line(Record(place=_PLACE, content="c", id=uuid4()), 0)


def test_a_report_is_bounded_however_many_names_a_file_makes_up() -> None:
    report = ReportWriter(lambda: None)
    for number in range(10_000):
        place = Place("m" * 10_000 + str(number), "\ud83d\x00")
        report.repair(f"kind {number}", place)
        report.leave_out(f"reason {number}", 2)
        report.reject(place, "r" * 10_000)
    finished = report.finish({})

    assert (finished.rejected, len(finished.rejections), len(finished.repairs)) == (
        10_000, SHOWN, SHOWN,
    )  # fmt: skip
    assert sum(finished.left_out.values()) == 20_000
    assert len(finished.left_out) <= 101
    assert max(len(each.file) for each in finished.rejections) <= 300


async def test_two_imports_of_one_file_at_once_save_each_memory_once(alice: Person) -> None:
    file = "".join(f"[2026-01-15] - memory {number}\n" for number in range(300))
    jobs = await asyncio.gather(
        *(asyncio.to_thread(alice.import_file, file, conflict="overwrite") for _ in range(2))
    )
    reports = [job["report"] for job in jobs]

    assert sorted(report["created"] for report in reports) == [0, 300]
    assert sorted(report["unchanged"] for report in reports) == [0, 300]
