"""How much memory there is: the machine's, or what a control group leaves of it."""

import os
from pathlib import Path

import pytest

from memferry.database.embedded import compute_cache_mb
from memferry.database.machine import read_usable_bytes

MIB = 2**20


def linux(root: Path, groups: str, limits: dict[str, str]) -> Path:
    """What a process sees in `/proc` and `/sys`."""
    for name, said in {"proc/self/cgroup": groups, **limits}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(said, encoding="ascii")
    return root


def physical() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_without_a_limit_the_memory_of_the_machine_counts(tmp_path: Path) -> None:
    none = linux(tmp_path, "0::/\n", {"sys/fs/cgroup/memory.max": "max\n"})

    assert read_usable_bytes(none) == physical()
    assert read_usable_bytes(tmp_path / "no Linux") == physical()


@pytest.mark.parametrize(
    ("groups", "limits"),
    [
        ("0::/\n", {"memory.max": "7340032\n"}),
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": "7340032\n"}),
        ("0::/a/b\n", {"a/b/memory.max": "7340032\n", "a/memory.max": "9437184\n"}),
        ("0::/not/to/be/seen\n", {"memory.max": "7340032\n"}),
        ("4:memory:/a\n0::/\n", {"memory/a/memory.limit_in_bytes": "7340032\n"}),
        ("4:memory:/a\n0::/\n", {"memory/memory.limit_in_bytes": "7340032\n"}),
    ],
)
def test_the_smallest_limit_of_the_control_groups_counts(
    tmp_path: Path, groups: str, limits: dict[str, str]
) -> None:
    files = {f"sys/fs/cgroup/{name}": said for name, said in limits.items()}

    assert read_usable_bytes(linux(tmp_path, groups, files)) == 7 * MIB


def test_a_limit_of_another_control_group_does_not_count(tmp_path: Path) -> None:
    other = {"sys/fs/cgroup/b/memory.max": "7340032\n"}

    assert read_usable_bytes(linux(tmp_path, "0::/a\n", other)) == physical()


@pytest.mark.parametrize(
    ("usable_mb", "cached_mb"), [(100, 128), (2048, 256), (24 * 1024, 3072), (2**20, 8192)]
)
def test_the_embedded_server_caches_an_eighth_of_the_limit(usable_mb: int, cached_mb: int) -> None:
    assert compute_cache_mb(usable_mb * MIB) == cached_mb
