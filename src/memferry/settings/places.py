"""Settings of the database and the object store."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memferry.settings.environment import declare, declare_group
from memferry.settings.parsing import (
    parse_count,
    parse_encryption,
    parse_path,
    parse_postgres_url,
    parse_text,
    parse_web_url,
)

BULK_TIMES = 10
"""How many times as long as other requests a bulk save may take."""


def _choose_data_dir() -> Path:
    if os.geteuid() == 0:
        # The embedded server runs as a user of its own, which cannot enter root's home directory.
        return Path("/var/lib/memferry")
    return Path("~/.local/share/memferry").expanduser()


def _declare_data_dir() -> Any:
    """Declare the data directory, which two groups share: each has a default place below it."""
    return declare(
        "MEMFERRY_DATA_DIR",
        parse_path,
        _choose_data_dir,
        "Directory of the embedded PostgreSQL and of the local object store "
        "(default `~/.local/share/memferry`; `/var/lib/memferry` as root).",
    )


@dataclass(frozen=True, kw_only=True)
class EmbeddedSettings:
    """Settings of the embedded PostgreSQL."""

    binaries: Path | None = declare(
        "MEMFERRY_POSTGRES_BIN",
        parse_path,
        None,
        "Directory of other PostgreSQL binaries for the embedded server, such as Debian's.",
    )
    user: str = declare(
        "MEMFERRY_POSTGRES_USER",
        parse_text,
        "memferry",
        "As root: the system user the embedded server runs as; made when missing.",
    )
    shared_mb: int | None = declare(
        "MEMFERRY_POSTGRES_SHARED_MB",
        parse_count,
        None,
        "The embedded server's cache (`shared_buffers`) in MiB; unset: an eighth of the memory "
        "that the machine has or its control group allows, from 128 MiB to 8 GiB.",
    )


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """Settings of the database, and of its use by a process."""

    data_dir: Path = _declare_data_dir()
    url: str | None = declare(
        "MEMFERRY_DATABASE_URL",
        parse_postgres_url,
        None,
        "An external PostgreSQL 15 to 18, as the role that owns memferry's tables; "
        "unset: the embedded server.",
    )
    standby_url: str | None = declare(
        "MEMFERRY_EXPORT_DATABASE_URL",
        parse_postgres_url,
        None,
        "A hot standby of the database, as the same role: workers read queued exports there; see "
        "docs/operation.md. Unset: they read on the primary.",
    )
    embedded: EmbeddedSettings = declare_group(EmbeddedSettings)
    pool_size: int = declare(
        "MEMFERRY_POOL_SIZE", parse_count, 10, "Database connections per process, at most."
    )
    statement_seconds: int = declare(
        "MEMFERRY_STATEMENT_SECONDS",
        parse_count,
        60,
        "How long the database may work on one statement of a request; ten times as long on a "
        "bulk save.",
    )

    @property
    def bulk_statement_seconds(self) -> int:
        """The time limit of one statement of a bulk save, in seconds."""
        return BULK_TIMES * self.statement_seconds


@dataclass(frozen=True, kw_only=True)
class S3Settings:
    """Settings of a bucket; unset values are left to obstore (environment, instance metadata)."""

    endpoint: str | None = declare(
        "AWS_ENDPOINT_URL", parse_web_url, None, "S3: endpoint of a server that is not AWS."
    )
    region: str = declare("AWS_REGION", parse_text, "us-east-1", "S3: region.")
    access_key: str | None = declare("AWS_ACCESS_KEY_ID", parse_text, None, "S3: access key.")
    secret_key: str | None = declare("AWS_SECRET_ACCESS_KEY", parse_text, None, "S3: secret key.")
    session_token: str | None = declare(
        "AWS_SESSION_TOKEN", parse_text, None, "S3: session token of temporary credentials."
    )
    encryption: str | None = declare(
        "MEMFERRY_S3_SSE",
        parse_encryption,
        None,
        "S3: ask the store to encrypt each file, `AES256` or `aws:kms`; unset: as the bucket says.",
    )
    kms_key: str | None = declare(
        "MEMFERRY_S3_SSE_KMS_KEY_ID",
        parse_text,
        None,
        "S3: the key for `aws:kms`; unset: the account's own for S3.",
    )
    authorities: Path | None = declare(
        "MEMFERRY_S3_CA_FILE",
        parse_path,
        None,
        "S3: PEM file of the authorities to trust beside the known ones, for a server with a "
        "private one.",
    )


@dataclass(frozen=True, kw_only=True)
class StorageSettings:
    """Settings of the object store."""

    data_dir: Path = _declare_data_dir()
    url: str | None = declare(
        "MEMFERRY_STORAGE_URL",
        parse_text,
        None,
        "Where queued exports are written: `file:///directory` or `s3://bucket/prefix`; "
        "unset: `exports` below the data directory.",
    )
    s3: S3Settings = declare_group(S3Settings)

    @property
    def address(self) -> str:
        """The address of the chosen store, or of the one below the data directory."""
        return (self.data_dir / "exports").as_uri() if self.url is None else self.url
