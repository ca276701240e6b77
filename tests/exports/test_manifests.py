"""The manifest of a completed export: what it says, who has signed it, and what was before it."""

import asyncio
import base64
import hashlib
import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from memferry.files.manifest import open_manifest
from support.command_line import run_memferry
from support.people import Person, make_person
from support.postgres import execute
from support.service import Service, asleep
from support.tokens import create_holder


def address(export: dict[str, Any]) -> str:
    return f"/api/memories/exports/{export['id']}/manifest"


def read_manifest(person: Person, export: dict[str, Any]) -> dict[str, Any]:
    """The manifest of a completed export, whose signature is good."""
    answer = person.get(address(export))
    assert answer.status_code == 200, answer.text
    open_manifest(answer.content)
    manifest: dict[str, Any] = answer.json()
    return manifest


def save_large(person: Person) -> None:
    """One row more than an answer holds."""
    person.save_many([{"content": f"memory {i}"} for i in range(10_001)])


def test_the_manifest_of_an_inline_export_states_its_facts(alice: Person) -> None:
    alice.save("x", namespace="a")
    alice.save("y", namespace="b")
    export = alice.export(format="csv", namespace="a")
    facts = read_manifest(alice, export)["memferry"]
    content = {
        "bytes": len(export["payload"].encode()),
        "sha256": hashlib.sha256(export["payload"].encode()).hexdigest(),
    }

    assert facts["export"] == export["id"]
    assert facts["format"] == "csv"
    assert facts["filters"] == export["filters"]
    assert facts["counts"] == {"matched": 1, "expired": 0, "written": 1}
    assert "metadata" in facts["leaves_out"]
    assert facts["content"] == content
    assert facts["parts"] == [
        {
            "number": 1,
            "path": f"memferry-{export['id']}.csv",
            "rows": 1,
            "file": content,
            "content": content,
        }
    ]
    for field in ("created_at", "snapshot_at", "completed_at"):
        assert facts[field] == export[field]


def test_the_manifest_of_a_file_states_both_forms_and_lies_beside_it(
    alice: Person, service: Service
) -> None:
    save_large(alice)
    export = alice.wait_for(alice.export(format="ndjson", compression="gzip"))
    text = alice.get(address(export)).content
    (part,) = json.loads(text)["memferry"]["parts"]
    (stored,) = service.store.glob(f"*/{export['id']}/*.manifest.json")

    assert part["file"] == {"bytes": export["file_bytes"], "sha256": export["file_sha256"]}
    assert part["content"] == {"bytes": export["bytes_done"], "sha256": export["sha256"]}
    assert part["path"] == f"memferry-{export['id']}.ndjson.gz"
    assert stored.read_bytes() == text


def test_sha256sum_checks_a_file_in_the_store_and_after_its_download(
    alice: Person, service: Service, tmp_path: Path
) -> None:
    save_large(alice)
    export = alice.wait_for(alice.export(format="ndjson"))
    sums = alice.get(f"{address(export)}?form=sha256sum")
    (tmp_path / "SHA256SUMS").write_bytes(sums.content)
    file = tmp_path / f"memferry-{export['id']}.ndjson"
    file.write_bytes(httpx.get(export["download_url"]).content)
    (stored,) = service.store.glob(f"*/{export['id']}/*.sha256")

    assert sums.headers["content-type"].startswith("text/plain")
    assert check_sums(tmp_path / "SHA256SUMS") == 0
    assert check_sums(stored) == 0
    file.write_bytes(file.read_bytes()[:-1] + b"\r")
    assert check_sums(tmp_path / "SHA256SUMS") == 1


def check_sums(sums: Path) -> int:
    """The exit code of sha256sum in the directory of the sums."""
    return subprocess.run(
        ["/usr/bin/env", "sha256sum", "-c", sums.name],
        cwd=sums.parent,
        check=False,
        capture_output=True,
    ).returncode


def test_each_manifest_names_the_one_before_it(alice: Person) -> None:
    alice.save("x")
    exports = [alice.export(format="json") for _ in range(3)]
    texts = [alice.get(address(export)).content for export in exports]
    links = [json.loads(text)["memferry"]["chain"] for text in texts]

    assert [link["sequence"] for link in links] == [1, 2, 3]
    assert links[0]["previous"] is None
    assert [link["previous"] for link in links[1:]] == [
        hashlib.sha256(text).hexdigest() for text in texts[:2]
    ]
    assert len({link["id"] for link in links}) == 1


def test_exports_that_are_made_at_once_have_one_chain_without_a_gap(alice: Person) -> None:
    alice.save("x")
    with ThreadPoolExecutor(8) as pool:
        exports = list(pool.map(lambda _: alice.export(format="json"), range(24)))
    texts = [alice.get(address(export)).content for export in exports]
    by_place = {json.loads(text)["memferry"]["chain"]["sequence"]: text for text in texts}

    assert sorted(by_place) == list(range(1, 25))
    for place, text in by_place.items():
        before = by_place.get(place - 1)
        expected = None if before is None else hashlib.sha256(before).hexdigest()
        assert json.loads(text)["memferry"]["chain"]["previous"] == expected


def test_a_deleted_export_leaves_its_line_in_the_chain(alice: Person) -> None:
    alice.save("x")
    first, second = alice.export(), alice.export()
    digest = hashlib.sha256(alice.get(address(second)).content).hexdigest()
    alice.delete(f"/api/memories/exports/{second['id']}")
    third = read_manifest(alice, alice.export())["memferry"]["chain"]

    assert alice.get(address(second)).status_code == 404
    assert read_manifest(alice, first)["memferry"]["chain"]["sequence"] == 1
    assert (third["sequence"], third["previous"]) == (3, digest)


def test_chains_of_two_tenants_are_two(alice: Person, service: Service, database_url: str) -> None:
    with make_person("bob", service, database_url) as bob:
        links = []
        for person in (alice, bob):
            person.save("x")
            links.append(read_manifest(person, person.export())["memferry"]["chain"])

    assert [link["sequence"] for link in links] == [1, 1]
    assert links[0]["id"] != links[1]["id"]


def test_an_export_that_was_completed_without_a_manifest_gets_it_when_asked(
    alice: Person, database_url: str
) -> None:
    alice.save("x")
    export = alice.export()
    forget = "DELETE FROM memferry.{} WHERE export_id = $1"
    for table in ("export_manifests", "manifest_chain"):
        asyncio.run(execute(database_url, forget.format(table).replace("$1", f"'{export['id']}'")))

    assert read_manifest(alice, export)["memferry"]["export"] == export["id"]


def test_a_manifest_names_no_tenant(alice: Person) -> None:
    alice.save("x")

    assert alice.name not in alice.get(address(alice.export())).text


def test_a_manifest_is_a_data_package(alice: Person) -> None:
    alice.save("x")
    export = alice.export(format="csv")
    package = read_manifest(alice, export)
    (resource,) = package["resources"]

    assert re.fullmatch(r"[-a-z0-9._/]+", package["name"])
    assert package["profile"] == "data-package"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", package["created"])
    assert re.fullmatch(r"[-a-z0-9._/]+", resource["name"])
    assert resource["path"] == f"memferry-{export['id']}.csv"
    assert resource["hash"] == f"sha256:{export['sha256']}"
    assert (resource["bytes"], resource["encoding"]) == (export["bytes_done"], "utf-8")
    assert resource["mediatype"].startswith("text/csv")


def test_a_metadata_filter_is_shown_as_the_text_that_was_sent(alice: Person) -> None:
    body = b'{"metadata_filter":{"number":1.50}}'
    export = alice.post("/api/memories/exports", content=body).json()
    filters = read_manifest(alice, export)["memferry"]["filters"]

    assert filters["metadata_filter"] == '{"number":1.50}'


def test_a_manifest_is_refused_before_its_export_is_completed_and_after_it_is_gone(
    alice: Person, service: Service, database_url: str
) -> None:
    alice.save("x")
    expired = alice.export()
    query = f"UPDATE memferry.jobs SET expires_at = 1 WHERE id = '{expired['id']}'"
    asyncio.run(execute(database_url, query))
    save_large(alice)
    with asleep(service):
        pending = alice.export()
        early = alice.get(address(pending))
        alice.delete(f"/api/memories/exports/{pending['id']}")
        cancelled = alice.get(address(pending))
    gone = alice.get(address(expired))

    assert (early.status_code, early.json()["code"]) == (409, "manifest_not_ready")
    assert early.headers["retry-after"]
    for answer in (cancelled, gone):
        assert (answer.status_code, answer.json()["code"]) == (404, "manifest_not_found")


def test_an_unknown_form_of_a_manifest_is_refused_with_the_field(alice: Person) -> None:
    alice.save("x")
    answer = alice.get(f"{address(alice.export())}?form=md5")

    assert (answer.status_code, answer.json()["field"]) == (400, "form")


def test_a_limited_token_reads_manifests_of_its_exports_alone(
    alice: Person, database_url: str
) -> None:
    alice.save("x", namespace="a")
    alice.save("y", namespace="b")
    whole = alice.export()
    with create_holder(alice, database_url, namespaces=("a",)) as limited:
        mine = limited.export()
        facts = read_manifest(limited, mine)["memferry"]

        assert limited.get(address(whole)).status_code == 404
    assert facts["namespaces"] == ["a"]
    assert facts["counts"] == {"matched": 1, "expired": 0, "written": 1}
    assert facts["chain"]["sequence"] == 2


def test_the_public_key_is_there_without_a_token_and_verifies_by_openssl(
    alice: Person, service: Service, tmp_path: Path
) -> None:
    alice.save("é 🙂", namespace="é 🙂")
    manifest = alice.get(address(alice.export(namespace="é 🙂"))).json()
    signature = manifest.pop("signature")
    (key,) = httpx.get(f"{service.url}/api/keys").json()["keys"]
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    (tmp_path / "signed").write_text(text, encoding="utf-8")
    (tmp_path / "value").write_bytes(base64.b64decode(signature["value"]))
    (tmp_path / "key.pem").write_text(key["pem"])
    command = "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in signed -sigfile value"

    assert (key["id"], key["public_key"]) == (signature["key"], signature["public_key"])
    subprocess.run(["/usr/bin/env", *command.split()], cwd=tmp_path, check=True)


def test_the_key_that_is_shown_is_the_one_that_signs(service: Service) -> None:
    settings = {**service.environment, "MEMFERRY_DATA_DIR": str(service.home)}
    shown = run_memferry("key", "show", settings=settings)
    (key,) = httpx.get(f"{service.url}/api/keys").json()["keys"]

    assert shown.stdout.decode() == key["pem"]
    assert key["id"] in shown.stderr.decode()
