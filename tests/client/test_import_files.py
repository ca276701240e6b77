"""What a person names is sent as it is, or packed; what must stay here stays here."""

import io
import zipfile
from pathlib import Path

import pyrage
import pytest

from memferry.client.client import Client
from memferry.client.input_files import find_files
from memferry.errors import ImportNotFound, Invalid, WrongKey
from support.imports import make_row, write_ndjson
from support.people import Person


def test_one_file_is_sent_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK and so on")
    input_ = find_files([path])

    assert b"".join(input_.iterate_chunks()) == b"PK and so on"
    assert (input_.name, input_.size_bytes, input_.skipped) == ("a.zip", 12, 0)


def test_a_folder_is_packed_without_links_and_hidden_files(tmp_path: Path) -> None:
    for name in ("b/x.md", "a.md", ".git/config", "b/.hidden", "__MACOSX/a"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "link.md").symlink_to("/etc/passwd")
    (tmp_path / "b/folder").symlink_to("/etc")
    input_ = find_files([tmp_path])
    with zipfile.ZipFile(io.BytesIO(b"".join(input_.iterate_chunks()))) as archive:
        sent = {name: archive.read(name).decode() for name in archive.namelist()}

    assert sent == {"a.md": "a.md", "b/x.md": "b/x.md"}
    assert (input_.skipped, input_.name, input_.size_bytes) == (5, "", None)


@pytest.mark.parametrize("armored", [False, True])
def test_an_encrypted_file_is_decrypted_before_it_is_sent(tmp_path: Path, armored: bool) -> None:
    key, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    path = tmp_path / "a.age"
    path.write_bytes(pyrage.encrypt(b"secret", [key.to_public()], armored=armored))

    assert b"".join(find_files([path], [key]).iterate_chunks()) == b"secret"
    with pytest.raises(WrongKey):
        list(find_files([path], [other]).iterate_chunks())
    with pytest.raises(Invalid) as fault:
        list(find_files([path]).iterate_chunks())
    assert fault.value.field == "identity"


@pytest.mark.parametrize("paths", [["/nowhere"], ["-", "a"], ["{tmp}"]])
def test_what_cannot_be_read_is_named(tmp_path: Path, paths: list[str]) -> None:
    with pytest.raises(Invalid) as fault:
        list(find_files([Path(path.format(tmp=tmp_path)) for path in paths]).iterate_chunks())

    assert fault.value.field == "file"


def test_the_client_imports_files_and_tells_what_became_of_them(
    alice: Person, tmp_path: Path
) -> None:
    (tmp_path / "a.ndjson").write_bytes(write_ndjson(make_row("one")))
    (tmp_path / "b.ndjson").write_bytes(write_ndjson(make_row("two")))
    steps = []
    with Client(str(alice.base_url), alice.token) as client:
        job = client.imports.from_file(
            tmp_path / "a.ndjson",
            tmp_path / "b.ndjson",
            tags=["x", "y"],
            progress=lambda progress: steps.append(progress.step),
        )
        job.wait(lambda progress: steps.append(progress.step)).delete()
        with pytest.raises(ImportNotFound):
            client.imports.get(job.id)

    assert (job.report.created, job.report.files) == (2, 2)
    assert [memory["tags"] for memory in alice.get("/api/memories").json()] == [["x", "y"]] * 2
    assert {"uploading", "importing"} == set(steps)


def test_a_refusal_is_told_though_the_file_is_still_being_sent(
    alice: Person, tmp_path: Path
) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    with (
        Client(str(alice.base_url), alice.token) as client,
        pytest.raises(Invalid, match="conflict"),
    ):
        client.imports.from_file(path, conflict="merge")
