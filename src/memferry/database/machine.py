"""The memory that Linux lets a process use."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# By controller: the folder of the tree, and the file of the limit. Version 2 of control groups has
# one tree, version 1 has one for each controller
# (https://docs.kernel.org/admin-guide/cgroup-v2.html, "memory.max";
# https://docs.kernel.org/admin-guide/cgroup-v1/memory.html, "memory.limit_in_bytes").
_LIMITS = {"": ("", "memory.max"), "memory": ("memory", "memory.limit_in_bytes")}


def read_usable_bytes(root: Path = Path("/")) -> int:
    """The memory of the machine, or the lowest limit of this process's control groups, in bytes.

    `root` holds `/proc` and `/sys`.
    """
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([physical, *_read_limits(root)])


def _read_limits(root: Path) -> Iterator[int]:
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, group = line.split(":", 2)
            if controllers in _LIMITS:
                tree, name = _LIMITS[controllers]
                yield from _read_group_limits(root / "sys/fs/cgroup" / tree, group.strip("/"), name)


def _read_group_limits(tree: Path, group: str, name: str) -> Iterator[int]:
    """The limits of a group and the groups around it; a container may see the outermost alone."""
    for path in (Path(group), *Path(group).parents):
        with suppress(OSError):
            limit = (tree / path / name).read_text(encoding="ascii").strip()
            if limit.isdigit():
                yield int(limit)
