"""The servers that `memferry login` keeps: a file that its owner alone reads."""

import os
from dataclasses import dataclass
from pathlib import Path
from stat import S_IRWXG, S_IRWXO

import msgspec

from memferry.errors import Invalid, Misconfigured
from memferry.settings import ClientSettings


class KnownServer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One service, with the token that speaks for a tenant there."""

    url: str
    token: str


class _Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the file holds."""

    current: str | None = None
    servers: dict[str, KnownServer] = {}


@dataclass(frozen=True)
class Servers:
    """All servers by their names; `current` is the one that is used unless another is named."""

    path: Path
    current: str | None
    servers: dict[str, KnownServer]

    @classmethod
    def load(cls, settings: ClientSettings) -> "Servers":
        """Read the file; raises Misconfigured if it is none, or others can read it."""
        path = settings.config_home / "memferry" / "servers.json"
        try:
            with path.open("rb") as file:
                _check_mode(path, os.fstat(file.fileno()).st_mode)
                content = msgspec.json.decode(file.read(), type=_Content)
        except (FileNotFoundError, NotADirectoryError):
            return cls(path, None, {})
        except OSError as fault:
            raise Misconfigured(f"cannot read {path}: {fault.strerror}") from fault
        except (msgspec.MsgspecError, ValueError) as fault:
            text = f"{path} is no list of servers ({fault}); remove it, and log in again"
            raise Misconfigured(text) from fault
        return cls(path, content.current, content.servers)

    def find(self, name: str) -> KnownServer:
        """The server of that name; raises Invalid, which names --server."""
        if name not in self.servers:
            known = ", ".join(self.servers) or "none"
            raise Invalid("--server", f"no server {name!r} is known here; known are: {known}")
        return self.servers[name]

    def add(self, name: str, server: KnownServer) -> None:
        """Keep a server, in the place of one of the same name; it is the current one then."""
        self._save(name, {**self.servers, name: server})

    def remove(self, name: str) -> None:
        """Forget a server; raises as `find`."""
        self.find(name)
        left = {known: server for known, server in self.servers.items() if known != name}
        current = self.current if self.current != name else next(iter(left), None)
        self._save(current, left)

    def _save(self, current: str | None, servers: dict[str, KnownServer]) -> None:
        content = msgspec.json.encode(_Content(current=current, servers=servers))
        partial = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(partial, "wb", opener=_open_private) as file:
                file.write(msgspec.json.format(content) + b"\n")
            partial.replace(self.path)
        except OSError as fault:
            raise Misconfigured(f"cannot write {self.path}: {fault.strerror}") from fault


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _check_mode(path: Path, mode: int) -> None:
    if mode & (S_IRWXG | S_IRWXO):
        raise Misconfigured(f"others can read {path}, which holds tokens: chmod 600 {path}")
