"""Every setting, read once: the only module that looks at the environment.

A setting X may also be given as X_FILE, the path of a file that holds the value (for secrets).
All faults are reported together, so that one failed start shows everything there is to mend.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from memferry.errors import Misconfigured

_NICEST = 19


def _text(value: str) -> str:
    return value


def _path(value: str) -> Path:
    return Path(value).expanduser().absolute()


def _flag(value: str) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if value.lower() not in words:
        raise ValueError("expected true or false")
    return words[value.lower()]


def _positive(value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) < 1:
        raise ValueError("expected a whole number above 0")
    return int(value)


def _niceness(value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) > _NICEST:
        raise ValueError(f"expected a whole number from 0 to {_NICEST}")
    return int(value)


def _encryption(value: str) -> str:
    if value not in {"AES256", "aws:kms"}:
        raise ValueError("expected AES256 or aws:kms")
    return value


def _address(value: str) -> str:
    if urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname:
        raise ValueError("expected an address that starts with http:// or https://")
    return value.rstrip("/")


def _postgres_url(value: str) -> str:
    if urlsplit(value).scheme not in {"postgres", "postgresql"}:
        raise ValueError("expected an address that starts with postgresql://")
    return value


def _setting(name: str, read: Callable[[str], Any], default: Any, meaning: str) -> Any:
    """A field of Settings with its environment variable."""
    return field(default=default, metadata={"name": name, "read": read, "meaning": meaning})


def _default_data_dir() -> Path:
    if os.geteuid() == 0:
        # The embedded server runs as a user of its own, which cannot enter root's home directory.
        return Path("/var/lib/memferry")
    return Path("~/.local/share/memferry").expanduser()


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the operator chose; an unset setting has the default shown in docs/settings.md."""

    data_dir: Path = field(
        default_factory=_default_data_dir,
        metadata={
            "name": "MEMFERRY_DATA_DIR",
            "read": _path,
            "meaning": "Directory of the embedded PostgreSQL and of the local object store "
            "(default `~/.local/share/memferry`; `/var/lib/memferry` as root).",
        },
    )
    database_url: str | None = _setting(
        "MEMFERRY_DATABASE_URL",
        _postgres_url,
        None,
        "An external PostgreSQL 15 to 18, as the role that owns memferry's tables; "
        "unset: the embedded server.",
    )
    export_database_url: str | None = _setting(
        "MEMFERRY_EXPORT_DATABASE_URL",
        _postgres_url,
        None,
        "A hot standby of the database, as the same role: workers read queued exports there; see "
        "docs/operation.md. Unset: they read on the primary.",
    )
    storage_url: str | None = _setting(
        "MEMFERRY_STORAGE_URL",
        _text,
        None,
        "Where queued exports are written: `file:///directory` or `s3://bucket/prefix`; "
        "unset: `exports` below the data directory.",
    )
    public_url: str | None = _setting(
        "MEMFERRY_PUBLIC_URL",
        _address,
        None,
        "Address under which people reach the service, for links; "
        "unset: the address the request came to.",
    )
    allow_public: bool = _setting(
        "MEMFERRY_ALLOW_PUBLIC",
        _flag,
        False,
        "Listen on an address that other machines reach even while there is no token: "
        "the first start then prints one into its log.",
    )
    local_tenant: str | None = _setting(
        "MEMFERRY_LOCAL_TENANT",
        _text,
        None,
        "Name of the tenant that programs on this machine speak for when they send no token, for "
        "clients that cannot: see docs/clients.md. The service then listens on loopback only; "
        "unset: everybody needs a token.",
    )
    postgres_bin: Path | None = _setting(
        "MEMFERRY_POSTGRES_BIN",
        _path,
        None,
        "Directory of other PostgreSQL binaries for the embedded server, such as Debian's.",
    )
    postgres_user: str = _setting(
        "MEMFERRY_POSTGRES_USER",
        _text,
        "memferry",
        "As root: the system user the embedded server runs as; made when missing.",
    )
    postgres_shared_mb: int | None = _setting(
        "MEMFERRY_POSTGRES_SHARED_MB",
        _positive,
        None,
        "The embedded server's cache (`shared_buffers`) in MiB; unset: an eighth of the memory "
        "that the machine has or its control group allows, from 128 MiB to 8 GiB.",
    )
    connections: int = _setting(
        "MEMFERRY_CONNECTIONS",
        _positive,
        1000,
        "HTTP connections that one API process keeps open; for more, idle ones are closed first.",
    )
    memory_mb: int = _setting(
        "MEMFERRY_MEMORY_MB",
        _positive,
        512,
        "What bodies and answers of all requests of one API process may hold of memory at once, in "
        "MiB, half of it for one tenant; what would pass it waits, and is refused after 10 s.",
    )
    pool_size: int = _setting(
        "MEMFERRY_POOL_SIZE", _positive, 10, "Database connections per process, at most."
    )
    worker_exports: int = _setting(
        "MEMFERRY_WORKER_EXPORTS", _positive, 2, "Exports one worker process runs side by side."
    )
    export_readers: int = _setting(
        "MEMFERRY_EXPORT_READERS",
        _positive,
        3,
        "Database connections that read one queued export side by side; 1 where the database "
        "cannot share snapshots.",
    )
    worker_nice: int = _setting(
        "MEMFERRY_WORKER_NICE",
        _niceness,
        15,
        "How far workers, and with the embedded server their database connections, give way to "
        "requests where processors are few: a nice value from 0 (not at all) to 19.",
    )
    running_per_tenant: int = _setting(
        "MEMFERRY_TENANT_RUNNING_EXPORTS",
        _positive,
        5,
        "Queued exports of one tenant that all workers together run at once, at most.",
    )
    requests_per_minute: int = _setting(
        "MEMFERRY_TENANT_REQUESTS_PER_MINUTE",
        _positive,
        60_000,
        "Requests of one tenant that one API process answers in a minute, at most.",
    )
    memory_rows: int = _setting(
        "MEMFERRY_TENANT_MEMORIES",
        _positive,
        10_000_000,
        "Memories one tenant may have.",
    )
    memory_bytes: int = _setting(
        "MEMFERRY_TENANT_MEMORY_BYTES",
        _positive,
        50 * 1024**3,
        "Bytes of texts and metadata one tenant's memories may have before it can save no more.",
    )
    webhooks: int = _setting(
        "MEMFERRY_TENANT_WEBHOOKS", _positive, 50, "Webhooks one tenant may have."
    )
    waiting_messages: int = _setting(
        "MEMFERRY_TENANT_WAITING_MESSAGES",
        _positive,
        10_000,
        "Events of one tenant that webhooks are still to be told of; of more they are not told, "
        "which each of them counts as `dropped`. The same for all processes.",
    )
    waiting_message_bytes: int = _setting(
        "MEMFERRY_TENANT_WAITING_MESSAGE_BYTES",
        _positive,
        256 * 1024**2,
        "Bytes of what webhooks are still to be told, as MEMFERRY_TENANT_WAITING_MESSAGES.",
    )
    notes_per_minute: int = _setting(
        "MEMFERRY_TENANT_NOTES_PER_MINUTE",
        _positive,
        60,
        "Refusals, minted links and downloads of one tenant that one API process notes in the "
        "audit one by one in a minute; what comes faster is counted.",
    )
    exports_per_hour: int = _setting(
        "MEMFERRY_TENANT_EXPORTS_PER_HOUR",
        _positive,
        3600,
        "Exports one tenant may ask for in any hour; deleted ones count, repeats by key do not.",
    )
    unfinished_exports: int = _setting(
        "MEMFERRY_TENANT_UNFINISHED_EXPORTS",
        _positive,
        1000,
        "Exports of one tenant that wait or run before it is refused another one.",
    )
    stored_bytes: int = _setting(
        "MEMFERRY_TENANT_STORED_BYTES",
        _positive,
        100 * 1024**3,
        "Bytes in completed exports of one tenant before it is refused another one.",
    )
    export_rows: int = _setting(
        "MEMFERRY_EXPORT_ROWS", _positive, 100_000_000, "Rows one export may have."
    )
    export_bytes: int = _setting(
        "MEMFERRY_EXPORT_BYTES",
        _positive,
        50 * 1024**3,
        "Bytes one export may have, uncompressed; a larger one fails.",
    )
    statement_seconds: int = _setting(
        "MEMFERRY_STATEMENT_SECONDS",
        _positive,
        60,
        "How long the database may work on one statement of a request; ten times as long on a "
        "bulk save.",
    )
    request_seconds: int = _setting(
        "MEMFERRY_REQUEST_SECONDS",
        _positive,
        120,
        "How long one request may be worked on, from when its body has come until its answer "
        "begins; ten times as long for a bulk save.",
    )
    lease_seconds: int = _setting(
        "MEMFERRY_LEASE_SECONDS",
        _positive,
        20,
        "How long after its last heartbeat a worker's export goes to another worker.",
    )
    export_attempts: int = _setting(
        "MEMFERRY_EXPORT_ATTEMPTS",
        _positive,
        5,
        "How often an export is tried before it counts as failed; orderly stops do not count.",
    )
    retry_seconds: int = _setting(
        "MEMFERRY_RETRY_SECONDS",
        _positive,
        2,
        "The longest pause after an export's first failure; three times as long after each other.",
    )
    snapshot_seconds: int = _setting(
        "MEMFERRY_SNAPSHOT_SECONDS",
        _positive,
        3600,
        "How long one attempt at an export may hold its snapshot, and with it vacuum; the same for "
        "all workers.",
    )
    export_lifetime_seconds: int = _setting(
        "MEMFERRY_EXPORT_LIFETIME_SECONDS",
        _positive,
        7 * 24 * 3600,
        "How long the file or payload of an export is kept.",
    )
    purge_exports: bool = _setting(
        "MEMFERRY_PURGE_EXPORTS",
        _flag,
        False,
        "Deleting a memory removes the stored exports that may hold it, as if each request had "
        "asked for `purge_exports=true`.",
    )
    direct_downloads: bool = _setting(
        "MEMFERRY_DIRECT_DOWNLOADS",
        _flag,
        False,
        "Hand out links that the S3 store has signed: the files do not pass the service, nor its "
        "audit.",
    )
    sweep_seconds: int = _setting(
        "MEMFERRY_SWEEP_SECONDS",
        _positive,
        300,
        "How often a worker removes what has expired or was left behind.",
    )
    grace_seconds: int = _setting(
        "MEMFERRY_GRACE_SECONDS",
        _positive,
        10,
        "How long a worker that is asked to stop goes on with its exports before it hands them "
        "back; asked again, it hands them back at once.",
    )
    webhooks_allow_private: bool = _setting(
        "MEMFERRY_WEBHOOKS_ALLOW_PRIVATE",
        _flag,
        False,
        "Development only: deliver webhooks over plain http and to private addresses.",
    )
    s3_endpoint: str | None = _setting(
        "AWS_ENDPOINT_URL", _address, None, "S3: endpoint of a server that is not AWS."
    )
    s3_region: str = _setting("AWS_REGION", _text, "us-east-1", "S3: region.")
    s3_access_key: str | None = _setting("AWS_ACCESS_KEY_ID", _text, None, "S3: access key.")
    s3_secret_key: str | None = _setting("AWS_SECRET_ACCESS_KEY", _text, None, "S3: secret key.")
    s3_session_token: str | None = _setting(
        "AWS_SESSION_TOKEN", _text, None, "S3: session token of temporary credentials."
    )
    s3_encryption: str | None = _setting(
        "MEMFERRY_S3_SSE",
        _encryption,
        None,
        "S3: ask the store to encrypt each file, `AES256` or `aws:kms`; unset: as the bucket says.",
    )
    s3_kms_key: str | None = _setting(
        "MEMFERRY_S3_SSE_KMS_KEY_ID",
        _text,
        None,
        "S3: the key for `aws:kms`; unset: the account's own for S3.",
    )
    s3_ca_file: Path | None = _setting(
        "MEMFERRY_S3_CA_FILE",
        _path,
        None,
        "S3: PEM file of the authorities to trust beside the known ones, for a server with a "
        "private one.",
    )
    url: str = _setting(
        "MEMFERRY_URL",
        _address,
        "http://127.0.0.1:3122",
        "Client commands: the service to talk to.",
    )
    token: str | None = _setting(
        "MEMFERRY_TOKEN", _text, None, "Client commands: the bearer token."
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, **given: Any) -> Self:
        """Read the environment once; `given` values (command line options) win over it.

        Raises Misconfigured with one line per fault.
        """
        environ = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        faults: list[str] = []
        for each in fields(cls):
            name = each.metadata["name"]
            try:
                raw = _lookup(environ, name)
                if raw is not None:
                    values[each.name] = each.metadata["read"](raw)
            except (ValueError, OSError) as fault:
                faults.append(f"{name}: {fault}")
        if faults:
            raise Misconfigured("\n".join(faults))
        return cls(**values | {key: value for key, value in given.items() if value is not None})

    def child_environment(self) -> dict[str, str]:
        """The environment for a process of ours that shall have the same settings."""
        return dict(os.environ) | {"MEMFERRY_DATA_DIR": str(self.data_dir)}


def _lookup(environ: Mapping[str, str], name: str) -> str | None:
    """The value of a setting, from X or from the file that X_FILE names; empty means unset."""
    if environ.get(f"{name}_FILE"):
        if environ.get(name):
            raise ValueError(f"give {name} or {name}_FILE, not both")
        return Path(environ[f"{name}_FILE"]).read_text(encoding="utf-8").strip() or None
    return environ.get(name) or None
