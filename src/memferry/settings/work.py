"""Settings of exports and of workers."""

from dataclasses import dataclass
from pathlib import Path

from memferry.settings.environment import declare
from memferry.settings.parsing import parse_count, parse_flag, parse_niceness, parse_path


@dataclass(frozen=True, kw_only=True)
class ExportSettings:
    """How completed exports are kept and downloaded."""

    lifetime_seconds: float = declare(
        "MEMFERRY_EXPORT_LIFETIME_SECONDS",
        parse_count,
        7 * 24 * 3600,
        "How long the file or payload of an export is kept.",
    )
    always_purge: bool = declare(
        "MEMFERRY_PURGE_EXPORTS",
        parse_flag,
        False,
        "Deleting a memory removes the stored exports that may hold it, as if each request had "
        "asked for `purge_exports=true`.",
    )
    direct_downloads: bool = declare(
        "MEMFERRY_DIRECT_DOWNLOADS",
        parse_flag,
        False,
        "Hand out links that the S3 store has signed: the files do not pass the service, nor its "
        "audit.",
    )


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """How much a worker does at once, how long it tries, and how it stops."""

    exports: int = declare(
        "MEMFERRY_WORKER_EXPORTS",
        parse_count,
        2,
        "Exports and imports one worker process runs side by side.",
    )
    readers: int = declare(
        "MEMFERRY_EXPORT_READERS",
        parse_count,
        3,
        "Database connections that read one queued export side by side; 1 where the database "
        "cannot share snapshots.",
    )
    nice: int = declare(
        "MEMFERRY_WORKER_NICE",
        parse_niceness,
        15,
        "How far workers, and with the embedded server their database connections, give way to "
        "requests where processors are few: a nice value from 0 (not at all) to 19.",
    )
    lease_seconds: float = declare(
        "MEMFERRY_LEASE_SECONDS",
        parse_count,
        20,
        "How long after a worker's last heartbeat its exports and imports go to another worker.",
    )
    attempts: int = declare(
        "MEMFERRY_EXPORT_ATTEMPTS",
        parse_count,
        5,
        "How often an export or import is tried before it counts as failed; orderly stops do not "
        "count.",
    )
    retry_seconds: float = declare(
        "MEMFERRY_RETRY_SECONDS",
        parse_count,
        2,
        "The longest pause after the first failure of an export or import; three times as long "
        "after each other.",
    )
    snapshot_seconds: int = declare(
        "MEMFERRY_SNAPSHOT_SECONDS",
        parse_count,
        3600,
        "How long one attempt at an export may hold its snapshot, and with it vacuum; the same for "
        "all workers.",
    )
    import_seconds: int = declare(
        "MEMFERRY_IMPORT_SECONDS",
        parse_count,
        4 * 3600,
        "How long one attempt at an import may take; the same for all workers.",
    )
    import_dir: Path | None = declare(
        "MEMFERRY_IMPORT_DIR",
        parse_path,
        None,
        "Where a worker keeps the files of imports while it reads them; unset: the directory for "
        "temporary files.",
    )
    sweep_seconds: int = declare(
        "MEMFERRY_SWEEP_SECONDS",
        parse_count,
        300,
        "How often a worker removes what has expired or was left behind.",
    )
    grace_seconds: int = declare(
        "MEMFERRY_GRACE_SECONDS",
        parse_count,
        10,
        "How long a worker that is asked to stop goes on with its exports and imports before it "
        "hands them back; asked again, it hands them back at once.",
    )
