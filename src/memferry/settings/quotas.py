"""Quotas of a tenant."""

from dataclasses import dataclass

from memferry.settings.environment import declare
from memferry.settings.parsing import parse_count


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """What one tenant may have, request and run, and how large one export may be."""

    running_exports: int = declare(
        "MEMFERRY_TENANT_RUNNING_EXPORTS",
        parse_count,
        5,
        "Queued exports and imports of one tenant that all workers together run at once, at most.",
    )
    requests_per_minute: int = declare(
        "MEMFERRY_TENANT_REQUESTS_PER_MINUTE",
        parse_count,
        60_000,
        "Requests of one tenant that one API process answers in a minute, at most.",
    )
    memories: int = declare(
        "MEMFERRY_TENANT_MEMORIES",
        parse_count,
        10_000_000,
        "Memories one tenant may have.",
    )
    memory_bytes: int = declare(
        "MEMFERRY_TENANT_MEMORY_BYTES",
        parse_count,
        50 * 1024**3,
        "Bytes of texts and metadata one tenant's memories may have before it can save no more.",
    )
    webhooks: int = declare(
        "MEMFERRY_TENANT_WEBHOOKS", parse_count, 50, "Webhooks one tenant may have."
    )
    projects: int = declare(
        "MEMFERRY_TENANT_PROJECTS",
        parse_count,
        10_000,
        "Projects one tenant may have before it can create no more.",
    )
    waiting_messages: int = declare(
        "MEMFERRY_TENANT_WAITING_MESSAGES",
        parse_count,
        10_000,
        "Events of one tenant that webhooks are still to be told of; of more they are not told, "
        "which each of them counts as `dropped`. The same for all processes.",
    )
    waiting_message_bytes: int = declare(
        "MEMFERRY_TENANT_WAITING_MESSAGE_BYTES",
        parse_count,
        256 * 1024**2,
        "Bytes of what webhooks are still to be told, as MEMFERRY_TENANT_WAITING_MESSAGES.",
    )
    audit_notes_per_minute: int = declare(
        "MEMFERRY_TENANT_NOTES_PER_MINUTE",
        parse_count,
        60,
        "Refusals, minted links and downloads of one tenant that one API process notes in the "
        "audit one by one in a minute; what comes faster is counted.",
    )
    exports_per_hour: int = declare(
        "MEMFERRY_TENANT_EXPORTS_PER_HOUR",
        parse_count,
        3600,
        "Exports and imports per hour of one tenant: so many at once, and as many regained within "
        "an hour; deleted ones count, repeats by key do not.",
    )
    unfinished_exports: int = declare(
        "MEMFERRY_TENANT_UNFINISHED_EXPORTS",
        parse_count,
        1000,
        "Exports and imports of one tenant that wait or run before it is refused another one.",
    )
    stored_bytes: int = declare(
        "MEMFERRY_TENANT_STORED_BYTES",
        parse_count,
        100 * 1024**3,
        "Bytes in completed exports of one tenant before it is refused another one; as many in the "
        "files of its imports that wait or run.",
    )
    import_bytes: int = declare(
        "MEMFERRY_IMPORT_BYTES",
        parse_count,
        8 * 1024**3,
        "Bytes of the file of one import as it is sent.",
    )
    history_versions: int = declare(
        "MEMFERRY_HISTORY_VERSIONS",
        parse_count,
        100,
        "Changes of one memory that its history keeps; the same for all processes.",
    )
    history_bytes: int = declare(
        "MEMFERRY_HISTORY_BYTES",
        parse_count,
        16 * 1024**2,
        "Bytes of former states of one memory that its history keeps, the last one however large; "
        "the same for all processes.",
    )
    history_seconds: int = declare(
        "MEMFERRY_HISTORY_SECONDS",
        parse_count,
        90 * 24 * 3600,
        "How long changes and deletions of memories are kept in their histories.",
    )
    export_rows: int = declare(
        "MEMFERRY_EXPORT_ROWS", parse_count, 100_000_000, "Rows one export may have."
    )
    export_bytes: int = declare(
        "MEMFERRY_EXPORT_BYTES",
        parse_count,
        50 * 1024**3,
        "Bytes one export may have, uncompressed; a larger one fails.",
    )
