"""OKF: a valid bundle whatever the memories say, and every field of them comes back."""

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest

from memferry.formats.okf import OkfEncoder
from memferry.formats.okf_files import find_folder
from support.encoders import encode_all, encode_file
from support.memories import AWKWARD
from support.okf import check_bundle, read_bundle, split_concept

HOSTILE = (
    *AWKWARD,
    "---\ntype: other\n---\n",
    "--- ",
    "...\n%YAML 1.2\n",
    "key: value # comment",
    "&anchor *alias !!python/object:os.system",
    "\x80\x85\x9f\ufffe\uffff",
    "no",
    "0x1F",
    "2026-01-02",
    "{ }",
    "\\u0041\\",
    "blanks \u2028 around \u2029 breaks \x85 of lines",
    "ends without a line break",
    "ends with many\n\n\n",
    "\n\nbegins with some",
    "\r",
)


def make_line(number: int, text: str, **more: Any) -> bytes:
    """A memory object as PostgreSQL sends it."""
    memory = {
        "id": f"01900000-0000-7000-8000-{number:012}",
        "content": text,
        "namespace": text,
        "tags": [text, "second"],
        "source": text,
        "source_ref": text,
        "metadata": {"text": text},
        "created_at": number,
        "updated_at": 1_700_000_000_123 + number,
        **more,
    }
    return json.dumps(memory, ensure_ascii=False).encode() + b"\n"


def encode(lines: Sequence[bytes]) -> dict[str, bytes]:
    """The files of a checked bundle."""
    files = read_bundle(encode_file(OkfEncoder(), lines))
    check_bundle(files)
    return files


def find_concepts(files: dict[str, bytes]) -> list[tuple[dict[str, Any], bytes]]:
    return [split_concept(file) for name, file in files.items() if name != "index.md"]


def test_every_field_comes_back_from_any_text() -> None:
    lines = [make_line(number, text) for number, text in enumerate(HOSTILE)]
    concepts = find_concepts(encode(lines))

    for line, (front_matter, body) in zip(lines, concepts, strict=True):
        memory = json.loads(line)
        told = front_matter["memferry"]
        found = {**told, "content": body.decode(), "tags": front_matter["tags"]}
        assert {**found, "metadata": json.loads(told["metadata"])} == memory


def test_metadata_stay_the_text_they_were() -> None:
    text = r'{"b":1.50,"a":1e400,"c":"\u00e9\/"}'
    line = make_line(0, "x").replace(b'{"text": "x"}', text.encode())
    [(front_matter, _)] = find_concepts(encode([line]))

    assert front_matter["memferry"]["metadata"] == text


def test_a_bundle_ends_before_it_has_more_bytes_than_asked_unless_one_memory_has() -> None:
    most_bytes = 20_000
    sizes = [most_bytes, *range(1, 2_000, 20), most_bytes, 1]
    lines = [
        make_line(i, random.randbytes(size).hex(), namespace=f"n{i % 50}")
        for i, size in enumerate(sizes)
    ]
    files = encode_all(OkfEncoder(most_bytes), lines)
    bundles = [read_bundle(data) for _, data in files]
    concepts = [found for files in bundles for found in find_concepts(files)]

    assert files == encode_all(OkfEncoder(most_bytes), [b"".join(lines)])
    assert len(files) > 4
    for bundle in bundles:
        check_bundle(bundle)
    assert [told["memferry"]["id"] for told, _ in concepts] == [
        json.loads(line)["id"] for line in lines
    ]
    assert [rows for rows, _ in files] == [len(bundle) - 1 for bundle in bundles]
    assert [rows for rows, data in files if len(data) > most_bytes] == [1, 1]
    assert all(rows for rows, _ in files)


def test_what_is_null_or_empty_is_left_out() -> None:
    [(front_matter, _)] = find_concepts(
        encode([make_line(0, "?!", tags=[], source_ref=None, metadata=None)])
    )

    assert front_matter.keys() == {"type", "generated", "memferry"}
    assert front_matter["memferry"].keys() == {
        *("id", "namespace", "source", "created_at", "updated_at")
    }


@pytest.mark.parametrize(
    ("content", "title"),
    [
        ("# Tea over coffee\n\nGreen tea.", "Tea over coffee"),
        ("\n- first\n- second", "first"),
        ("é" * 100, "é" * 80),
        ("one\u2028two", "one"),
    ],
)
def test_the_title_is_the_first_line(content: str, title: str) -> None:
    [(front_matter, _)] = find_concepts(encode([make_line(0, content)]))

    assert front_matter["title"] == title


def test_a_time_after_the_year_9999_is_told_in_milliseconds_alone() -> None:
    [(front_matter, _)] = find_concepts(
        encode([make_line(0, "x", updated_at=8_640_000_000_000_000)])
    )

    assert "at" not in front_matter["generated"]
    assert front_matter["memferry"]["updated_at"] == 8_640_000_000_000_000


@pytest.mark.parametrize(
    ("namespace", "folder"),
    [
        ("home/Garden", "home/garden"),
        ("../../etc/passwd", "etc/passwd"),
        ("C:\\Windows", "c-windows"),
        ("index.md", "index-md"),
        ("a/CON/b", "a/_con/b"),
        ("com1", "_com1"),
        ("préférences/日本語", "préférences/日本語"),
        ("...", "_"),
        ("///", "_"),
        ("a b\tc\n", "a-b-c"),
        ("x" * 512, "x" * 60),
        ("/".join("abcdefghij"), "a/b/c/d/e/f/g/h"),
    ],
)
def test_a_folder_has_a_name_that_every_file_system_holds(namespace: str, folder: str) -> None:
    assert find_folder(namespace) == folder


def test_namespaces_that_share_a_folder_share_no_file() -> None:
    files = encode([make_line(number, "x", namespace=name) for number, name in enumerate("aA")])

    assert [name for name in files if name.startswith("a/")] == [
        f"a/01900000-0000-7000-8000-{number:012}.md" for number in (0, 1)
    ]


def test_the_index_tells_the_version_and_how_many_memories_each_folder_has() -> None:
    lines = [make_line(number, "x", namespace=f"n{number % 2}") for number in range(5)]
    _, body = split_concept(encode(lines)["index.md"])

    assert body.decode().splitlines()[3:] == [
        "* [n0](n0/) - memories: 3",
        "* [n1](n1/) - memories: 2",
    ]


def test_an_index_of_many_folders_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memferry.formats.okf._INDEXED_FOLDERS", 2)
    files = encode([make_line(number, "x", namespace=f"n{number}") for number in range(5)])
    _, body = split_concept(files["index.md"])

    assert body.decode().splitlines()[-1] == "* [further folders](.) - memories: 3"


def test_a_bundle_of_nothing_is_a_bundle() -> None:
    assert list(encode([])) == ["index.md"]
