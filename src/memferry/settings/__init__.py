"""All settings in groups, which parts take whole; the only package that reads the environment.

A group holds the defaults of its part. Nothing else in the program looks at the environment.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from memferry.settings.environment import declare_group, list_settings, read_group
from memferry.settings.places import (
    DatabaseSettings,
    EmbeddedSettings,
    S3Settings,
    StorageSettings,
)
from memferry.settings.quotas import Quotas
from memferry.settings.web import ClientSettings, WebhookSettings, WebSettings
from memferry.settings.work import ExportSettings, WorkerSettings

_DATA_DIR = "MEMFERRY_DATA_DIR"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a process; defaults are shown in docs/settings.md."""

    database: DatabaseSettings = declare_group(DatabaseSettings)
    storage: StorageSettings = declare_group(StorageSettings)
    exports: ExportSettings = declare_group(ExportSettings)
    worker: WorkerSettings = declare_group(WorkerSettings)
    quotas: Quotas = declare_group(Quotas)
    web: WebSettings = declare_group(WebSettings)
    webhooks: WebhookSettings = declare_group(WebhookSettings)
    client: ClientSettings = declare_group(ClientSettings)

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] | None = None, *, data_dir: Path | None = None
    ) -> Self:
        """Read the environment once; `data_dir`, from the command line, wins over it.

        Raises Misconfigured with one line per fault.
        """
        known = os.environ if environment is None else environment
        return read_group(cls, known if data_dir is None else _name_data_dir(known, data_dir))

    @property
    def data_dir(self) -> Path:
        """The directory of the embedded PostgreSQL and of the local object store."""
        return self.database.data_dir

    def child_environment(self) -> dict[str, str]:
        """Make the environment for a child process with the same settings."""
        return _name_data_dir(os.environ, self.data_dir)


def choose_allocator() -> None:
    """Let Arrow take its memory from malloc: its own pool keeps what it has once taken.

    It reads this when it is loaded (https://arrow.apache.org/docs/cpp/env_vars.html).
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def _name_data_dir(environment: Mapping[str, str], data_dir: Path) -> dict[str, str]:
    """Put this data directory into an environment, in place of another one."""
    others = {name: text for name, text in environment.items() if name != f"{_DATA_DIR}_FILE"}
    return others | {_DATA_DIR: str(data_dir)}


__all__ = [
    "ClientSettings",
    "DatabaseSettings",
    "EmbeddedSettings",
    "ExportSettings",
    "Quotas",
    "S3Settings",
    "Settings",
    "StorageSettings",
    "WebSettings",
    "WebhookSettings",
    "WorkerSettings",
    "choose_allocator",
    "list_settings",
]
