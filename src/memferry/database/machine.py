"""How much memory a process may use, as Linux says it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# Version 2 of control groups has one tree, version 1 one for each controller
# (https://docs.kernel.org/admin-guide/cgroup-v2.html, "memory.max";
# https://docs.kernel.org/admin-guide/cgroup-v1/memory.html, "memory.limit_in_bytes").
_LIMITS = {"": ("", "memory.max"), "memory": ("memory", "memory.limit_in_bytes")}


def usable_bytes(root: Path = Path("/")) -> int:
    """The machine's memory, or the least that a control group of this process is limited to.

    `root` is where `/proc` and `/sys` are.
    """
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([physical, *_limits(root)])


def _limits(root: Path) -> Iterator[int]:
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, group = line.split(":", 2)
            if controllers in _LIMITS:
                tree, name = _LIMITS[controllers]
                yield from _limits_of(root / "sys/fs/cgroup" / tree, group.strip("/"), name)


def _limits_of(tree: Path, group: str, name: str) -> Iterator[int]:
    """What the group and those around it say; in a container only the outermost may be seen."""
    for path in (Path(group), *Path(group).parents):
        with suppress(OSError):
            said = (tree / path / name).read_text(encoding="ascii").strip()
            if said.isdigit():
                yield int(said)
