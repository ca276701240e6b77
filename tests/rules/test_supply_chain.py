"""The scans of `./run check` find what they are there for."""

import base64
import re
import secrets
from pathlib import Path
from typing import Any

import pytest

import vulnerabilities
from secret_scan import ROOT, find_secrets, list_files

PLANTED = {
    "memferry token": "mnu_" + secrets.token_urlsafe(32),
    "memferry token ": "whsec_" + secrets.token_urlsafe(32),
    "AWS Access Key": "AKIA" + base64.b32encode(secrets.token_bytes(10)).decode(),
    "Private Key": "-----BEGIN " + "PRIVATE KEY-----",
    "GitHub Token": "ghp_" + secrets.token_hex(18),
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_secret_is_found_and_not_repeated(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "notes.md"
    file.write_text(f"first line\nwe use {PLANTED[kind]} here\n")

    found = list(find_secrets([file]))

    assert found == [f"{file}:2: {kind.strip()}"]


def test_a_word_that_only_begins_like_a_token_is_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_text("Authorization: Bearer mnu_...\nmnu_not-a-token-of-anybody\n")

    assert list(find_secrets([file])) == []


def test_the_secret_scan_reads_every_tracked_file() -> None:
    files = list_files()

    assert ROOT / "run" in files
    assert ROOT / "src/memferry/settings/__init__.py" in files


def test_a_known_vulnerability_is_listed_with_the_version_that_fixes_it() -> None:
    answer: list[dict[str, Any]] = [
        {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2", "3"]}]},
        {"name": "b", "version": "1", "vulns": []},
        {"name": "c", "skip_reason": "not found"},
    ]

    assert vulnerabilities.format_lines(answer) == [
        "a 1: PYSEC-1, mended in 2, 3",
        "c: not looked up: not found",
    ]


def test_an_unreachable_advisory_service_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    with pytest.raises(vulnerabilities.Unreachable):
        vulnerabilities.ask(["idna==3.10"])


def test_every_dependency_is_locked_by_version_and_digest() -> None:
    for file in (ROOT / "requirements").glob("*.txt"):
        entries = re.split(r"\n(?=\S)", file.read_text().strip())

        assert entries
        for entry in entries:
            assert re.match(r"^[A-Za-z0-9._-]+==\S+", entry), entry
            assert "--hash=sha256:" in entry
            assert "://" not in entry


def test_the_lock_files_agree_on_every_version() -> None:
    """They are installed into one environment, one after another: the last would win."""
    versions: dict[str, dict[str, set[str]]] = {}
    for file in (ROOT / "requirements").glob("*.txt"):
        for name, version in re.findall(r"(?m)^([A-Za-z0-9._-]+)==([^ ;\\\n]+)", file.read_text()):
            versions.setdefault(name, {}).setdefault(file.stem, set()).add(version)

    differing = {
        name: by_file
        for name, by_file in versions.items()
        if any(found != next(iter(by_file.values())) for found in by_file.values())
    }

    assert differing == {}
