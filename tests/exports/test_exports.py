"""POST and GET /api/memories/exports, small and large, in every format."""

import hashlib
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from support.memories import AWKWARD, ROW_KEYS
from support.people import Person
from support.readers import CSV_HEADER, read, write_csv
from support.service import Service

FORMATS = ("json", "ndjson", "csv")
KEYS = {
    "id",
    "status",
    "format",
    "row_count",
    "error",
    "filters",
    "payload",
    "download_url",
    "created_at",
    "completed_at",
}
NO_FILTERS = {
    "namespace": None,
    "tags": None,
    "metadata_filter": None,
    "created_after": None,
    "created_before": None,
}


def awkward_rows(person: Person) -> list[dict[str, Any]]:
    """One memory per awkward text, as the API shows them, oldest first."""
    for text in AWKWARD:
        person.save(text, tags=[text, ""], source=text, source_ref=text, namespace=text)
    person.save("plain")
    person.save("empty reference", source_ref="")
    rows: list[dict[str, Any]] = person.get("/api/memories?limit=500").json()
    return rows[::-1]


def test_an_export_has_all_keys_of_the_contract(alice: Person) -> None:
    alice.save("x")
    answer = alice.post("/api/memories/exports", json={})
    export = answer.json()

    assert export.keys() >= KEYS
    assert export["filters"] == NO_FILTERS
    assert (export["status"], export["format"], export["row_count"]) == ("completed", "json", 1)
    assert (export["error"], export["download_url"]) == (None, None)
    assert export["created_at"] <= export["completed_at"]
    assert answer.headers["location"] == f"/api/memories/exports/{export['id']}"
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("file_format", FORMATS)
def test_text_goes_out_byte_for_byte(alice: Person, file_format: str) -> None:
    rows = awkward_rows(alice)
    data = alice.export(format=file_format)["payload"].encode()

    if file_format == "csv":
        assert data == write_csv(rows)
    else:
        assert read(file_format, data) == rows
        assert all(list(row) == ROW_KEYS for row in read(file_format, data))


@pytest.mark.parametrize(
    ("file_format", "payload"), [("json", "[]"), ("ndjson", ""), ("csv", CSV_HEADER)]
)
def test_an_empty_export_is_a_valid_file(alice: Person, file_format: str, payload: str) -> None:
    export = alice.export(format=file_format)

    assert (export["payload"], export["row_count"]) == (payload, 0)


def test_numbers_go_out_digit_by_digit(alice: Person) -> None:
    numbers = '{"a":1.50,"b":' + "9" * 30 + "}"
    alice.post("/api/memories", content=f'{{"content": "n", "metadata": {numbers}}}')

    assert numbers in alice.export()["payload"]


def test_rows_run_by_time_then_id(alice: Person) -> None:
    alice.save_many([{"content": str(i), "created_at": 1000 - i // 3} for i in range(30)])

    rows = read("ndjson", alice.export(format="ndjson")["payload"].encode())

    assert rows == sorted(rows, key=lambda row: (row["created_at"], row["id"]))


def test_each_filter_selects_exactly_its_rows(alice: Person) -> None:
    alice.save_many(
        [
            {"content": "1", "namespace": "n", "tags": ["a", "b"], "created_at": 10},
            {"content": "2", "namespace": "N", "tags": ["a"], "created_at": 11},
            {
                "content": "3",
                "tags": ["A", "b"],
                "metadata": {"x": {"y": [1, 2]}},
                "created_at": 12,
            },
        ]
    )

    def chosen(**body: Any) -> list[str]:
        rows = read("ndjson", alice.export(format="ndjson", **body)["payload"].encode())
        return [row["content"] for row in rows]

    assert chosen(namespace="n") == ["1"]
    assert chosen(tags=["b", "a"]) == ["1"]
    assert chosen(tags=["b"]) == ["1", "3"]
    assert chosen(metadata_filter={"x": {"y": [2]}}) == ["3"]
    assert chosen(created_after=11, created_before=11) == ["2"]
    assert chosen(created_after=11) == ["2", "3"]
    assert chosen(created_before=10) == ["1"]
    assert chosen(namespace="n", tags=["A"]) == []
    assert chosen(tags=[], metadata_filter={}, namespace=None) == ["1", "2", "3"]


def test_filters_are_shown_as_they_were_given(alice: Person) -> None:
    given = {"tags": ['a"b'], "metadata_filter": {"x": 1}, "created_after": 5, "updated_before": 9}

    export = alice.export(**given)

    assert export["filters"] == NO_FILTERS | given
    assert alice.get(f"/api/memories/exports/{export['id']}").json()["filters"] == export["filters"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"format": "xml"}', "format"),
        ('{"format": 1}', "format"),
        ('{"namspace": "x"}', "namspace"),
        ('{"namespace": 1}', "namespace"),
        ('{"namespace": ""}', "namespace"),
        ('{"namespace": "\\u0000"}', "namespace"),
        ('{"tags": "a"}', "tags"),
        ('{"tags": [null]}', "tags[0]"),
        ('{"tags": ["\\ud800"]}', "tags"),
        ('{"metadata_filter": []}', "metadata_filter"),
        ('{"metadata_filter": {"a": 1e999999}}', "metadata_filter"),
        ('{"metadata_filter": ' + '{"a":' * 10_000 + "1" + "}" * 10_001, "metadata_filter"),
        ('{"created_after": 1.0}', "created_after"),
        ('{"created_after": "1"}', "created_after"),
        ('{"created_after": true}', "created_after"),
        ('{"created_after": -1}', "created_after"),
        ('{"created_before": 99999999999999999999999}', "created_before"),
        ('{"created_after": 2, "created_before": 1}', "created_after"),
        ('{"tags": ["a"], "tags": []}', "tags"),
        ('{"metadata_filter": {"a": 1, "a": 2}}', "metadata_filter"),
        ("[]", "body"),
        ("{", "body"),
    ],
)
def test_a_wrong_request_is_refused_by_name(alice: Person, body: str, field: str) -> None:
    answer = alice.post("/api/memories/exports", content=body)

    assert (answer.status_code, answer.json()["field"]) == (400, field), answer.text
    assert alice.get("/api/memories/exports").json() == {"exports": []}


def test_a_payload_does_not_change_with_later_saves(alice: Person) -> None:
    row = alice.save("before")
    export = alice.export()
    alice.save("after")
    alice.delete(f"/api/memories/{row['id']}")

    assert alice.get(f"/api/memories/exports/{export['id']}").json() == export


@pytest.mark.parametrize("export_id", ["01M851EDZZQWYM99ZF8QECSCFB", "x", "%00", None])
def test_an_export_of_another_tenant_is_not_found(
    alice: Person, bob: Person, export_id: str | None
) -> None:
    mine = alice.export()["id"]
    answer = bob.get(f"/api/memories/exports/{export_id or mine}")

    assert answer.status_code == 404
    assert answer.json() == {"error": "Export not found.", "code": "export_not_found"}
    assert bob.get("/api/memories/exports").json() == {"exports": []}


def test_the_list_shows_the_last_100_newest_first_without_payloads(alice: Person) -> None:
    made = [alice.export()["id"] for _ in range(101)]

    listed = alice.get("/api/memories/exports").json()["exports"]

    assert [each["id"] for each in listed] == made[:0:-1]
    assert all("payload" not in each and "download_url" not in each for each in listed)


def test_ten_thousand_rows_come_inline_and_one_more_is_queued(alice: Person) -> None:
    alice.save_many([{"content": f"memory {i}"} for i in range(10_000)])
    inline = alice.export(format="ndjson")
    alice.save("one more")
    answer = alice.post("/api/memories/exports", json={"format": "ndjson"})
    queued = answer.json()

    assert (inline["status"], inline["row_count"]) == ("completed", 10_000)
    assert len(read("ndjson", inline["payload"].encode())) == 10_000
    assert (queued["status"], queued["row_count"]) == ("pending", 10_001)
    assert (queued["payload"], queued["completed_at"]) == (None, None)
    assert queued["download_url"] is None
    assert answer.headers["retry-after"] == "1"
    assert alice.wait_for(queued)["row_count"] == 10_001


def test_few_but_large_rows_are_queued(alice: Person) -> None:
    alice.save_many([{"content": "x" * 1024 * 1024} for _ in range(33)])

    export = alice.export()

    assert (export["status"], export["row_count"]) == ("pending", 33)
    done = alice.wait_for(export)
    assert len(read("json", httpx.get(done["download_url"]).content)) == 33


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_queued_file_equals_its_rows(alice: Person, file_format: str) -> None:
    awkward = [{"content": text, "tags": [text]} for text in AWKWARD] * 10
    alice.save_many([{"content": f"memory {i}"} for i in range(10_000)] + awkward)

    done = alice.wait_for(alice.export(format=file_format))
    data = httpx.get(done["download_url"]).content

    assert hashlib.sha256(data).hexdigest() == done["sha256"]
    assert len(data) == done["bytes_done"]
    rows = read(file_format, data)
    assert len(rows) == done["row_count"] == 10_000 + len(awkward)
    assert [row["content"] for row in rows[10_000:]] == [each["content"] for each in awkward]


def test_the_same_rows_give_the_same_bytes(alice: Person) -> None:
    alice.save_many([{"content": f"memory {i}"} for i in range(10_001)])

    assert len({alice.wait_for(alice.export())["sha256"] for _ in range(2)}) == 1


@pytest.fixture
def large(alice: Person) -> Callable[[], dict[str, Any]]:
    """A queued export of Alice's that is finished."""
    alice.save_many([{"content": f"memory {i}"} for i in range(10_001)])

    def make() -> dict[str, Any]:
        return alice.wait_for(alice.export(format="ndjson"))

    return make


def test_a_link_serves_ranges_with_a_strong_tag_and_a_digest(
    large: Callable[[], dict[str, Any]],
) -> None:
    done = large()
    url, whole = done["download_url"], httpx.get(done["download_url"])
    size = len(whole.content)

    def part(asked: str, **headers: str) -> httpx.Response:
        return httpx.get(url, headers={"Range": asked} | headers)

    assert whole.headers["etag"] == f'"{done["sha256"]}"'
    assert whole.headers["repr-digest"].startswith("sha-256=:")
    assert part("bytes=0-9").content == whole.content[:10]
    assert part("bytes=10-").content == whole.content[10:]
    assert part("bytes=-7").content == whole.content[-7:]
    assert part(f"bytes={size - 1}-{size + 99}").content == whole.content[-1:]
    assert part("bytes=5-9").headers["content-range"] == f"bytes 5-9/{size}"
    assert part(f"bytes={size}-").status_code == 416
    assert part(f"bytes={size}-").headers["content-range"] == f"bytes */{size}"
    assert part("bytes=0-9", **{"If-Range": '"other"'}).status_code == 200
    assert part("bytes=0-9", **{"If-Range": whole.headers["etag"]}).status_code == 206
    assert part("lines=0-9").status_code == 200
    head = httpx.head(url)
    assert (head.status_code, head.headers["content-length"]) == (200, str(size))


def test_a_link_is_private_and_cannot_be_changed(
    alice: Person, large: Callable[[], dict[str, Any]]
) -> None:
    done = large()
    url = done["download_url"]
    minting = alice.get(f"/api/memories/exports/{done['id']}").headers
    headers = httpx.get(url).headers
    middle = len(url) - 40
    forged = url[:middle] + ("A" if url[middle] != "A" else "B") + url[middle + 1 :]

    assert minting["cache-control"] == "no-store"
    assert headers["cache-control"] == "private, no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"].startswith("attachment;")
    assert [httpx.get(each).status_code for each in (forged, url[:-9], url + "x")] == [404] * 3
    assert httpx.post(url).status_code == 405


def test_no_link_is_ever_logged(service: Service, large: Callable[[], dict[str, Any]]) -> None:
    link = large()["download_url"]
    httpx.get(link)

    assert link.rpartition("/")[2] not in service.log.read_text()


def test_an_export_survives_the_death_of_its_worker(alice: Person, service: Service) -> None:
    alice.save_many([{"content": f"memory {i} " + "x" * 500} for i in range(60_000)])
    expected = alice.wait_for(alice.export(format="ndjson"))["sha256"]

    export = alice.export(format="ndjson")
    while export["status"] == "pending":
        export = alice.get(f"/api/memories/exports/{export['id']}").json()
    worker = service.worker_pid()
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    done = alice.wait_for(export)

    assert done["status"] == "completed"
    assert done["sha256"] == expected
    assert hashlib.sha256(httpx.get(done["download_url"]).content).hexdigest() == expected


def test_times_are_epoch_milliseconds(alice: Person) -> None:
    before = time.time()
    created = datetime.fromtimestamp(alice.export()["created_at"] / 1000, UTC)

    assert abs(created.timestamp() - before) < 5
