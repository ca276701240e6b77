"""Machines of their own: network namespaces, whose cables can be cut without a word.

A cable is a veth pair. It is cut by a wrong hardware address for its other end on both sides: what
is sent is dropped on arrival, and nobody is told, as with a cable that is pulled behind a switch.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

_NOWHERE = "02:00:00:00:00:99"

needs_namespaces = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/usr/sbin/ip").exists(),
    reason="makes network namespaces: needs root and ip (Debian: iproute2)",
)


def _ip(*words: str) -> None:
    subprocess.run(["/usr/sbin/ip", *words], check=True, capture_output=True, timeout=10)


@dataclass(frozen=True)
class Cable:
    """From this machine (address `near`) to one of its own (address `far`)."""

    namespace: str
    near_device: str
    far_device: str
    near: str
    far: str

    def connect(self) -> None:
        """Make it; both ends have their address."""
        peer = ("peer", "name", self.far_device, "netns", self.namespace)
        _ip("link", "add", self.near_device, "type", "veth", *peer)
        _ip("addr", "add", f"{self.near}/30", "dev", self.near_device)
        _ip("link", "set", self.near_device, "up")
        _ip("-n", self.namespace, "addr", "add", f"{self.far}/30", "dev", self.far_device)
        _ip("-n", self.namespace, "link", "set", self.far_device, "up")

    def cut(self) -> None:
        """From now on nothing comes through."""
        wrong = ("lladdr", _NOWHERE, "nud", "permanent")
        _ip("neigh", "replace", self.far, *wrong, "dev", self.near_device)
        _ip("-n", self.namespace, "neigh", "replace", self.near, *wrong, "dev", self.far_device)

    def mend(self) -> None:
        """From now on all comes through again."""
        _ip("neigh", "del", self.far, "dev", self.near_device)
        _ip("-n", self.namespace, "neigh", "del", self.near, "dev", self.far_device)


@dataclass(frozen=True)
class Machine:
    """A namespace with one cable to the database and one to its users."""

    namespace: str
    database: Cable
    users: Cable

    def command(self, *words: str) -> list[str]:
        """The command line that runs these words there."""
        return ["/usr/sbin/ip", "netns", "exec", self.namespace, *words]


@contextmanager
def machine() -> Iterator[Machine]:
    """A machine for the length of a block."""
    word = uuid4().hex[:6]
    namespace = f"memferry-{word}"
    # 198.18.0.0/15 is for tests of networks (RFC 2544).
    net = f"198.18.{int(word[:2], 16)}."
    cables = [
        Cable(namespace, f"mf{word}{end}0", f"mf{word}{end}1", f"{net}{at + 1}", f"{net}{at + 2}")
        for end, at in (("d", 4 * (int(word[2:4], 16) % 32)), ("u", 128))
    ]
    _ip("netns", "add", namespace)
    try:
        _ip("-n", namespace, "link", "set", "lo", "up")
        for cable in cables:
            cable.connect()
        yield Machine(namespace, *cables)
    finally:
        _ip("netns", "del", namespace)
