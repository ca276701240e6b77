"""Files against their manifests, offline: what is right is proven, what is wrong is named."""

import gzip
import json
from pathlib import Path

import pyrage
import pytest

from memferry.client.verify import Verdict, Verification
from memferry.files.row_count import ROW_COUNTERS
from memferry.files.signature import SigningKey
from support.command_line import run_memferry
from support.people import Person
from support.sealed_exports import KEY, write_export

LINES = b'{"id":"1"}\n{"id":"2"}\n'


def verify(*files: Path, **options: object) -> list[Verdict]:
    """All verdicts, with the right key unless another is given."""
    return list(Verification(list(files), **({"key": KEY.public} | options)).run())  # type: ignore[arg-type]  # by name


def wrong(*files: Path, **options: object) -> list[str]:
    """What is wrong, with the names of the files."""
    return [
        f"{Path(verdict.file).name}: {verdict.text}"
        for verdict in verify(*files, **options)
        if verdict.kind == "wrong"
    ]


@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
def test_an_untouched_file_is_proven(tmp_path: Path, compression: str | None) -> None:
    export = write_export(tmp_path, [LINES], compression=compression)
    verdicts = verify(*export.files)

    assert [verdict.kind for verdict in verdicts] == ["ok", "ok"]
    assert verdicts[1].file == str(export.files[0])
    assert verdicts[1].text.startswith("2 memories, ")


@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
def test_each_byte_that_is_changed_is_found_and_the_file_is_named(
    tmp_path: Path, compression: str | None
) -> None:
    export = write_export(tmp_path, [LINES], compression=compression)
    (file,) = export.files
    data = file.read_bytes()

    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        file.write_bytes(changed)
        faults = wrong(file)
        assert faults
        assert all(text.startswith(f"{file.name}: ") for text in faults)
        assert "file: its SHA-256 is" in faults[0]


def test_the_form_that_is_damaged_is_named(tmp_path: Path) -> None:
    export = write_export(tmp_path, [LINES], compression="gzip")
    (file,) = export.files
    file.write_bytes(gzip.compress(LINES.replace(b"2", b"3"), mtime=0))
    content = [text for text in wrong(file) if ": content: " in text]

    assert len(content) == 1


def test_a_file_that_is_cut_off_is_found(tmp_path: Path) -> None:
    export = write_export(tmp_path, [LINES], compression="zstd")
    (file,) = export.files
    file.write_bytes(file.read_bytes()[:-3])
    faults = wrong(file)

    assert f"{file.name}: file: " in faults[0]
    assert faults[1] == f"{file.name}: content: its compressed bytes end too early"


def test_a_file_that_was_unpacked_or_packed_anew_is_proven_by_its_content(tmp_path: Path) -> None:
    export = write_export(tmp_path, [LINES], compression="zstd")
    export.files[0].unlink()
    plain = tmp_path / export.files[0].name.removesuffix(".zst")
    plain.write_bytes(LINES)
    packed = tmp_path / f"{plain.name}.gz"
    packed.write_bytes(gzip.compress(LINES))

    assert wrong(plain) == []
    assert wrong(packed) == []
    assert wrong(export.manifest) == []


def test_a_renamed_file_is_proven_with_its_manifest_named(tmp_path: Path) -> None:
    export = write_export(tmp_path, [LINES])
    renamed = export.files[0].rename(tmp_path / "backup.ndjson")

    assert wrong(renamed) == ["backup.ndjson: no manifest lies beside it; name it: --manifest"]
    assert wrong(renamed, manifest=export.manifest) == []
    export.manifest.rename(tmp_path / "backup.ndjson.manifest.json")
    assert wrong(renamed) == []


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    export = write_export(tmp_path, [LINES, LINES + LINES[:11], LINES])
    assert (
        wrong(*export.files)
        == wrong(export.files[0])
        == wrong(export.manifest)
        == [f"{export.files[1].name}: content: 3 rows, and the manifest says 2"]
    )
    export.files[2].unlink()

    assert wrong(export.files[0])[-1] == (
        f"{export.manifest.name}: {export.files[2].name} is missing: part 3 of 3"
    )


def test_parts_in_each_others_place_are_found(tmp_path: Path) -> None:
    other = b'{"id":"8"}\n{"id":"9"}\n'
    export = write_export(tmp_path, [LINES, other])
    export.files[0].write_bytes(other)
    export.files[1].write_bytes(LINES)

    assert len(wrong(export.manifest)) == 2


def test_a_manifest_by_another_key_is_refused_and_one_by_no_known_key_is_said_to_be(
    tmp_path: Path,
) -> None:
    export = write_export(tmp_path, [LINES], key=SigningKey(b"f" * 32))
    (fault,) = wrong(*export.files)
    notes = [each.text for each in verify(*export.files, key=None) if each.kind == "note"]

    assert "and not by" in fault
    assert KEY.public.id in fault
    assert "which it brings itself" in notes[0]
    assert wrong(*export.files, key=None) == []


def test_a_manifest_that_was_changed_is_refused(tmp_path: Path) -> None:
    export = write_export(tmp_path, [LINES])
    document = json.loads(export.manifest.read_bytes())
    document["memferry"]["counts"]["written"] = 1
    export.manifest.write_text(json.dumps(document))

    assert wrong(*export.files) == [
        f"{export.manifest.name}: its signature is wrong: it was changed after it was signed"
    ]


@pytest.mark.parametrize("text", [b"", b"{}", b"\xff", b"[" * 10_000, b" " * 5_000_000])
def test_what_is_no_manifest_is_refused_as_one(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "x.manifest.json"
    path.write_bytes(text)

    assert len(wrong(path)) == 1


def test_an_encrypted_file_is_proven_and_with_a_key_its_content_too(tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    export = write_export(
        tmp_path, [LINES], compression="gzip", encrypt_to=str(identity.to_public())
    )
    stranger = pyrage.x25519.Identity.generate()

    assert "was not looked at" in verify(*export.files)[1].text
    assert "was not looked at" not in verify(*export.files, identities=[identity])[1].text
    assert wrong(*export.files, identities=[identity]) == []
    (fault,) = wrong(*export.files, identities=[stranger])
    assert ": content: cannot be decrypted: " in fault


def test_a_bomb_is_given_up_at_the_size_that_the_manifest_names(tmp_path: Path) -> None:
    export = write_export(tmp_path, [LINES], compression="gzip")
    export.files[0].write_bytes(gzip.compress(b"\0" * 100_000_000))

    assert wrong(*export.files)[1].endswith("content: has more than 22 bytes of content")


def test_manifests_that_follow_one_another_are_right_in_any_order(tmp_path: Path) -> None:
    first = write_export(tmp_path, [LINES])
    second = write_export(tmp_path, [LINES], before=first, sequence=2)

    assert wrong(second.manifest, first.manifest, first.manifest) == []


def test_a_gap_in_the_chain_is_noted(tmp_path: Path) -> None:
    first = write_export(tmp_path, [LINES])
    later = write_export(tmp_path, [LINES], before=first, sequence=5)
    notes = [each.text for each in verify(first.manifest, later.manifest) if each.kind == "note"]

    assert notes == [
        f"not here: numbers 2 to 4 of the chain, between {first.manifest} and {later.manifest}"
    ]


def test_a_fork_and_a_broken_link_of_the_chain_are_found(tmp_path: Path) -> None:
    first = write_export(tmp_path, [LINES])
    second = write_export(tmp_path, [LINES], before=first, sequence=2)
    forked = write_export(tmp_path, [LINES], before=first, sequence=2)
    broken = write_export(tmp_path, [LINES], before=first, sequence=3)
    orphan = write_export(tmp_path, [LINES], before=second, sequence=1)

    assert "are both number 2" in wrong(second.manifest, forked.manifest)[0]
    assert "names another manifest as previous" in wrong(second.manifest, broken.manifest)[0]
    assert "is number 1 and names" in wrong(orphan.manifest)[0]


@pytest.mark.parametrize(
    ("file_format", "content", "rows"),
    [
        ("ndjson", b"", 0),
        ("ndjson", LINES, 2),
        ("json", b"[]", 0),
        ("json", b'[{"id":"1"}]', 1),
        ("json", b'[{"id":"1"},\n{"id":"2"}]', 2),
        ("csv", b"id,content", 0),
        ("csv", b'id,content\r\n1,"a ""\r\n"" b"\r\n2,"\r\n"', 2),
        ("csv", b'id,content\r\n1,""\r\n2,\r\n3,"\r"\r\n4,x\r', 4),
    ],
)
def test_rows_are_counted_however_the_bytes_come(
    file_format: str, content: bytes, rows: int
) -> None:
    for size in (1, 2, 3, 100):
        counter = ROW_COUNTERS[file_format]()
        for start in range(0, len(content), size):
            counter.add(content[start : start + size])
        assert counter.rows == rows, size


def test_an_export_saved_with_its_manifest_is_verified_by_the_command(
    alice: Person, tmp_path: Path
) -> None:
    alice.save("x")
    target, key = tmp_path / "out.csv", tmp_path / "key.pem"
    key.write_text(alice.get("/api/keys").json()["keys"][0]["pem"])
    saved = run_memferry("export", "--format", "csv", "--manifest", "-o", str(target), person=alice)
    good = run_memferry("verify", str(target), "--key", str(key))
    target.write_bytes(target.read_bytes().replace(b"x", b"y"))
    bad = run_memferry("verify", str(target), "--key", str(key))

    assert saved.returncode == 0, saved.stderr
    assert (good.returncode, bad.returncode) == (0, 1)
    assert f"ok    {target}: 1 memories" in good.stdout.decode()
    assert f"wrong {target}: file: its SHA-256 is" in bad.stdout.decode()


def test_parts_with_a_name_of_their_own_are_found_beside_their_manifest(tmp_path: Path) -> None:
    export = write_export(tmp_path, [LINES, LINES], compression="gzip")
    export.manifest.rename(tmp_path / "backup.ndjson.gz.manifest.json")
    for number, file in enumerate(export.files, start=1):
        file.rename(tmp_path / f"backup.part-000{number}.ndjson.gz")
    second = tmp_path / "backup.part-0002.ndjson.gz"

    assert wrong(second) == []
    second.unlink()
    assert len(wrong(tmp_path / "backup.part-0001.ndjson.gz")) == 1
