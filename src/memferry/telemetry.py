"""Events of the log: each has a name, and is one line.

The logger of an event has its name below `memferry`, and the arguments of the record are its
fields. So a `logging.Handler` at the logger `memferry` can count events by the name of their
record, and sum up the `seconds` of spans, without a word in the parts that log them.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from logging import DEBUG, ERROR, INFO, WARNING

ROOT_LOGGER = "memferry"
"""The logger above those of all events."""


@dataclass(frozen=True)
class LogEvent:
    """The level and the meaning of an event's name."""

    level: int
    line: str
    """Its line in the log; a field stands there as `%(field)s`."""
    meaning: str
    """What has happened, and what the program does about it, as the page tells it."""


def log_event(name: str, *, raised: BaseException | None = None, **fields: object) -> None:
    """Log an event of the list below; the trace of what was raised stands below its line."""
    _log(name, fields, raised)


@contextmanager
def log_span(name: str, **fields: object) -> Iterator[dict[str, object]]:
    """Log an event at the end of the block, with the `seconds` that it took.

    The work adds the fields that only it knows. Nothing is logged if it raises: another event says
    what went wrong.
    """
    began = time.monotonic()
    yield fields
    _log(name, fields | {"seconds": time.monotonic() - began}, None)


def _log(name: str, fields: dict[str, object], raised: BaseException | None) -> None:
    event = LOG_EVENTS[name]
    logger = logging.getLogger(f"{ROOT_LOGGER}.{name}")
    # The line takes its fields from one mapping; without fields there must be no argument.
    logger.log(event.level, event.line, *([fields] if fields else []), exc_info=raised)


LOG_EVENTS = {
    "announcement.deferred": LogEvent(
        INFO,
        "webhooks are told of export %(export)s later: %(reason)s",
        "An export was completed and its webhooks could not be told; the next sweep tells them.",
    ),
    "answer.cut": LogEvent(
        WARNING,
        "an answer is cut off: %(fault)s",
        "The database failed while an answer was sent; the client sees that it is not whole.",
    ),
    "attempt.crashed": LogEvent(
        ERROR,
        "%(job)s: attempt %(attempt)d failed",
        "An attempt at a job met a fault that the program does not know; the trace follows.",
    ),
    "attempt.ended": LogEvent(
        DEBUG,
        "%(job)s: attempt %(attempt)d took %(seconds).1f s",
        "A worker has settled how its attempt at a job ended.",
    ),
    "attempt.failed": LogEvent(
        WARNING,
        "%(job)s: attempt %(attempt)d: %(reason)s",
        "An attempt at a job came to nothing; another one follows after a pause, up to a number.",
    ),
    "audit.missed": LogEvent(
        ERROR,
        "not in the audit: %(entry)s of tenant %(tenant)s, token %(token)s, subject %(subject)s, "
        "outcome %(outcome)s: %(reason)s",
        "An entry of the audit could not be written; this line stands for it.",
    ),
    "database.died": LogEvent(
        WARNING,
        "PostgreSQL has died; starting it again",
        "The process of the embedded PostgreSQL has ended; `serve` starts another one.",
    ),
    "database.failed": LogEvent(
        ERROR,
        "PostgreSQL does not start: %(reason)s",
        "The embedded PostgreSQL could not be started again; the next attempt comes soon.",
    ),
    "delivery.attempted": LogEvent(
        DEBUG,
        "delivery %(delivery)s: attempt %(attempt)d was answered %(status)s in %(seconds).3f s",
        "A webhook was told of an event; the status is None where nothing has answered.",
    ),
    "delivery.postponed": LogEvent(
        WARNING,
        "delivery %(delivery)s: attempt %(attempt)d: %(reason)s",
        "The database was away while a webhook was told of an event; it will be told again.",
    ),
    "export.written": LogEvent(
        INFO,
        "export %(export)s: attempt %(attempt)d wrote %(rows)d rows, %(bytes)d bytes; its snapshot "
        "on the %(server)s was held for %(held_seconds).1f s",
        "The file of an export is in the store, and verified.",
    ),
    "file.missed": LogEvent(
        WARNING,
        "export %(export)s is completed, and its file is not in the object store "
        "(MEMFERRY_STORAGE_URL): it has no link",
        "Somebody asked for an export whose file was lost, or lies in another store.",
    ),
    "files.deferred": LogEvent(
        WARNING,
        "export %(export)s: its files are left to the sweeper: %(reason)s",
        "The store was away while an export was deleted; a worker removes its files later.",
    ),
    "files.removed": LogEvent(
        INFO,
        "removed %(files)d files and uploads below %(prefix)s",
        "The deletion of a tenant has looked once for files, and removed those it found.",
    ),
    "import.ended": LogEvent(
        INFO,
        "import %(job)s: attempt %(attempt)d read %(read)d records as %(source)s: %(created)d new, "
        "%(updated)d overwritten, %(rejected)d rejected",
        "An import has read its file to the end, and ends with this; what follows is the commit.",
    ),
    "job.abandoned": LogEvent(
        WARNING,
        "%(job)s is left until its lease lapses: %(reason)s",
        "The database was away when an attempt ended; another attempt follows the lease.",
    ),
    "job.returned": LogEvent(
        WARNING,
        "%(job)s is left to other workers",
        "This worker cannot reach its store while others can; the attempt does not count.",
    ),
    "lease.lost": LogEvent(
        WARNING,
        "%(job)s: attempt %(attempt)d lost it",
        "The job was cancelled, or another worker has it; this attempt publishes nothing.",
    ),
    "loop.failed": LogEvent(
        WARNING,
        "%(loop)s: %(reason)s",
        "A loop of a worker met a fault; it goes on, and logs the same reason only once.",
    ),
    "manifest.deferred": LogEvent(
        INFO,
        "export %(export)s gets its manifest later: %(reason)s",
        "An export was completed while another one of its tenant held the chain of manifests; it "
        "is sealed when its manifest is asked for, or by the next sweep.",
    ),
    "manifest.failed": LogEvent(
        ERROR,
        "export %(export)s cannot be given its manifest",
        "The manifest of a completed export met a fault that the program does not know; the trace "
        "follows, and the next sweep tries again.",
    ),
    "migration.applied": LogEvent(
        DEBUG,
        "migration %(migration)s was applied in %(seconds).1f s",
        "The schema of the database has come one step forward.",
    ),
    "migration.awaited": LogEvent(
        INFO,
        "another process is bringing the schema up to date; waiting for it",
        "Two processes migrate at once; this one goes on when the other is done.",
    ),
    "migration.blocked": LogEvent(
        INFO,
        "the schema is in use; waiting until it can be changed",
        "A session holds a lock on the schema; the migration is tried again until it is free.",
    ),
    "object.swept": LogEvent(
        INFO,
        "removing %(key)s, which no job needs",
        "The sweeper removes an object of an attempt that is over.",
    ),
    "purge.deferred": LogEvent(
        WARNING,
        "files of purged exports are left to the sweeper: %(reason)s",
        "The store was away while a memory was deleted: the exports have lost their files already, "
        "and a worker removes what the store still holds.",
    ),
    "request.failed": LogEvent(
        WARNING,
        "%(fault)s%(cause)s",
        "A request was answered 503: a part that it needs is away or too slow.",
    ),
    "session.terminated": LogEvent(
        WARNING,
        "ended session %(pid)d of a worker that is stuck or cut off",
        "The session held a snapshot, which kept vacuum from its work.",
    ),
    "standby.returned": LogEvent(
        INFO,
        "exports are read from the standby again",
        "The standby was unfit, and is fit again.",
    ),
    "standby.skipped": LogEvent(
        WARNING,
        "exports are read from the primary, not from the standby: %(reason)s",
        "The standby is away, behind or not in recovery.",
    ),
    "store.failed": LogEvent(
        WARNING,
        "%(reason)s",
        "The store could not be prepared at the start; the process goes on without it.",
    ),
    "store.lost": LogEvent(
        WARNING,
        "the object store cannot be reached: %(reason)s",
        "A worker takes no job while other workers reach the store.",
    ),
    "store.mismatched": LogEvent(
        WARNING,
        "no export is taken: %(reason)s",
        "The store of a worker is not the store of its database.",
    ),
    "store.returned": LogEvent(
        INFO,
        "the object store is there again",
        "A worker reaches its store again.",
    ),
    "store.unidentified": LogEvent(
        WARNING,
        "the object store's identity could not be looked at yet: %(reason)s",
        "The store or the database was away at the start; both are compared later.",
    ),
    "token.refused": LogEvent(
        WARNING,
        "unknown token from %(address)s",
        "Somebody has sent a token that does not exist, has expired or was revoked.",
    ),
    "tool.crashed": LogEvent(
        ERROR,
        "tool %(tool)s failed",
        "A request of a model met a fault that the program does not know; the trace follows.",
    ),
    "upload.deferred": LogEvent(
        WARNING,
        "import %(job)s: its file is left to the sweeper: %(reason)s",
        "The store was away while an import was deleted; a worker removes its file later.",
    ),
    "upload.swept": LogEvent(
        INFO,
        "aborting an upload to %(key)s, whose writer is gone",
        "The sweeper aborts an unfinished upload of an attempt that is over.",
    ),
    "worker.delayed": LogEvent(
        WARNING,
        "the worker waits: %(reason)s",
        "The database or its schema is not there yet; the worker begins when it is.",
    ),
    "worker.ended": LogEvent(
        WARNING,
        "the worker ended with status %(status)s; starting it again",
        "The worker process of `serve` has ended by itself; another one is started.",
    ),
    "workers.missed": LogEvent(
        WARNING,
        "no worker does its work: %(reason)s; memferry doctor tells more",
        "Queued exports and webhooks wait until a worker is there.",
    ),
    "workers.returned": LogEvent(
        INFO,
        "a worker does its work again",
        "There was none, and there is one.",
    ),
}
"""Every event, by its name: what something happened to, and what happened."""
