"""All errors of memferry as one tree; each class has a stable code and knows nothing of HTTP.

The docstring of a class is its message to the caller, and stands in docs/errors.md.

MemferryError
├── Invalid                  the caller's input breaks a rule; names the field
├── Denied
│   ├── MissingToken         no bearer token was given
│   ├── UnknownToken         the token is not known, has expired or was revoked
│   ├── UnknownSignIn        the browser is not signed in, or not any more
│   └── UnknownLink          a link to sign in was used, or is too old
├── Forbidden                the token is good, but not for this
│   ├── ForeignForm          a form was not sent by a page of this service
│   ├── ScopeMissing         it lacks a scope; names the scope
│   └── NamespaceForbidden   it is limited to other namespaces; names the field
├── NotFound                 nothing by that name belongs to this tenant
│   ├── MemoryNotFound
│   ├── VersionNotFound      of a memory
│   ├── ExportNotFound
│   ├── ImportNotFound
│   ├── ManifestNotFound     the export ended without bytes, or they are gone
│   ├── WebhookNotFound
│   ├── TokenNotFound
│   ├── ProjectNotFound
│   ├── DownloadNotFound
│   └── RouteNotFound
├── Conflict                 the request collides with another one
│   ├── IdempotencyKeyInFlight
│   ├── ManifestNotReady     the export is not completed yet
│   ├── ExportOvertaken      memories were erased while the export was made
│   ├── MemoryDeleted        and its former versions with it
│   ├── MemoryChanged        it is not what the sender of a form has seen
│   ├── ImportFileGone       a dry run has kept no file, or not any more
│   ├── VersionExpired       a former version whose time is over
│   ├── UploadLapsed         a file came so slowly that its claim was over
│   └── ProjectNameInUse     a project or a namespace has that name
├── IdempotencyKeyReused     the key stands for another request
├── MethodNotAllowed         the address exists, the verb does not
├── TooLarge                 the input is over a size limit; names the field
├── HeadTooLarge             the head of the request is over its limit
├── LimitReached             a limit of the tenant is reached; says when to try again
│   ├── TooManyRequests      per minute
│   ├── TooMuchAtOnce        the tenant's own requests hold its share of connections or memory
│   ├── TooManyExports       per hour
│   ├── TooManyUnfinishedExports  waiting or running at once
│   ├── TooManyStoredBytes   of payloads and files
│   ├── TooManyMemories      in the store
│   ├── TooManyMemoryBytes   in the store
│   └── TooManyProjects
├── PreconditionFailed       the file is not the one that the request is about
├── RangeNotSatisfiable      the asked-for bytes lie outside the file
├── Unavailable              a part we need is away; trying again later makes sense
│   ├── DatabaseUnavailable
│   ├── StatementTimedOut    one statement took too long
│   ├── RequestTimedOut      the whole request took too long
│   ├── Busy                 other tenants hold the connections or the memory
│   ├── TransactionConflict  the database gave way to another transaction
│   └── StorageUnavailable
├── ObjectNotFound           the object store holds nothing under that key
├── LeaseLost                this worker does not own the job any more
├── ExportFailed             why an attempt at an export failed
│   ├── WorkerLost           its worker died
│   ├── WrongBytes           the store holds other bytes than were written
│   ├── SnapshotTooOld       its snapshot would hold vacuum back for too long
│   └── ExportTooLarge       it is larger than one export may be
├── ImportFailed             why an attempt at an import failed
│   ├── UnknownInput         the file is none that can be read
│   ├── RecordsRejected      some records cannot be saved, and all or none were asked for
│   ├── ImportTooSlow        it takes longer than one may
│   └── NoRoomForImport      the disk of the worker is full
├── ClientError              a client did not get what it asked the service for
│   ├── ServiceRefused       the service answered with an error that has no class here
│   ├── ServiceUnreachable   it does not answer
│   ├── ExportNotCompleted   the export failed, was cancelled or expired
│   ├── ImportNotCompleted   the import failed, was cancelled, or is not finished
│   ├── DownloadBroken       the file did not come to its end
│   ├── WrongDigest          the bytes that came are not the exported ones
│   ├── WrongManifest        a manifest is none, or was changed after it was signed
│   ├── WrongKey             the file is encrypted to another key
│   └── NotInstalled         a package that this needs is not installed
└── Misconfigured            the operator must change a setting or a machine
    ├── EmbeddedPostgresFailed
    └── OtherStore           the object store is not the one that the database knows
"""

from typing import ClassVar


class MemferryError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False
    """Whether the same request may succeed later with nothing else changed."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class Invalid(MemferryError):
    """The input breaks a rule."""

    code = "invalid"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Denied(MemferryError):
    """Access is denied."""

    code = "denied"


class MissingToken(Denied):
    """A bearer token is needed: Authorization: Bearer mnu_..."""

    code = "missing_token"


class UnknownToken(Denied):
    """The bearer token is not known here, has expired or was revoked."""

    code = "unknown_token"


class UnknownSignIn(Denied):
    """The browser is not signed in, or not any more; sign in with a token."""

    code = "unknown_sign_in"


class UnknownLink(Denied):
    """The link to sign in was used, or is older than 15 minutes; use a token or a new link."""

    code = "unknown_link"


class Forbidden(MemferryError):
    """The token does not allow this."""

    code = "forbidden"


class ForeignForm(Forbidden):
    """The form was not sent by a page of this service, or that page is too old; load it again."""

    code = "foreign_form"


class ScopeMissing(Forbidden):
    """The token lacks a scope that this needs."""

    code = "scope_missing"

    def __init__(self, scope: str) -> None:
        super().__init__(f"the token lacks the scope {scope}")
        self.scope = scope


class NamespaceForbidden(Forbidden):
    """The token is limited to other namespaces."""

    code = "namespace_forbidden"

    def __init__(self, field: str, reason: str | None = None) -> None:
        super().__init__(f"{field}: {reason or 'the token is limited to other namespaces'}")
        self.field = field


class NotFound(MemferryError):
    """Not found."""

    code = "not_found"


class MemoryNotFound(NotFound):
    """Memory not found."""

    code = "memory_not_found"


class VersionNotFound(NotFound):
    """Version not found: it never was, or it is kept no longer."""

    code = "version_not_found"


class ExportNotFound(NotFound):
    """Export not found."""

    code = "export_not_found"


class ImportNotFound(NotFound):
    """Import not found."""

    code = "import_not_found"


class ManifestNotFound(NotFound):
    """Manifest not found: the export failed, was cancelled or has expired."""

    code = "manifest_not_found"


class WebhookNotFound(NotFound):
    """Webhook not found."""

    code = "webhook_not_found"


class TokenNotFound(NotFound):
    """Token not found."""

    code = "token_not_found"


class ProjectNotFound(NotFound):
    """Project not found."""

    code = "project_not_found"


class DownloadNotFound(NotFound):
    """Download link not found, or no longer valid; ask for the export again to get a new one."""

    code = "download_not_found"

    def __init__(self, export_id: str | None = None) -> None:
        """`export_id` is the export that the link was made for, if it was made here."""
        super().__init__()
        self.export_id = export_id


class RouteNotFound(NotFound):
    """There is no such address; it was not found."""

    code = "route_not_found"


class Conflict(MemferryError):
    """The request collides with another one."""

    code = "conflict"


class IdempotencyKeyInFlight(Conflict):
    """A request with this Idempotency-Key is still being answered; try again in a moment."""

    code = "idempotency_key_in_flight"
    retryable = True


class ManifestNotReady(Conflict):
    """The manifest is not there yet: the export is not completed; try again in a moment."""

    code = "manifest_not_ready"
    retryable = True


class ExportOvertaken(Conflict):
    """Memories were erased while the export was being made; try again in a moment."""

    code = "export_overtaken"
    retryable = True


class ProjectNameInUse(Conflict):
    """The name is in use: by a project, or by memories as their namespace."""

    code = "project_name_in_use"


class MemoryDeleted(Conflict):
    """The memory was deleted, and its former versions with it."""

    code = "memory_deleted"


class MemoryChanged(Conflict):
    """The memory was changed while you edited it; look at it, and make your change again."""

    code = "memory_changed"


class ImportFileGone(Conflict):
    """The file of the dry run is not kept any more; send it again."""

    code = "import_file_gone"


class VersionExpired(Conflict):
    """The version would have expired by now, so it was not brought back."""

    code = "version_expired"


class UploadLapsed(Conflict):
    """The file came too slowly, and was given up; send it again."""

    code = "upload_lapsed"
    retryable = True


class IdempotencyKeyReused(MemferryError):
    """The Idempotency-Key was used for another request; use a new one."""

    code = "idempotency_key_reused"


class MethodNotAllowed(MemferryError):
    """The address does not take that method."""

    code = "method_not_allowed"


class TooLarge(MemferryError):
    """The input is too large."""

    code = "too_large"

    def __init__(self, field: str, limit_bytes: int) -> None:
        super().__init__(f"{field}: larger than the limit of {limit_bytes} bytes")
        self.field = field


class HeadTooLarge(MemferryError):
    """The head of the request is too large."""

    code = "head_too_large"

    def __init__(self, limit_bytes: int, limit_headers: int) -> None:
        super().__init__(
            f"The head of the request is too large: {limit_bytes:,} bytes and {limit_headers} "
            "headers are the most."
        )


class LimitReached(MemferryError):
    """A limit of this tenant is reached."""

    code = "limit_reached"
    retryable = True

    def __init__(self, limit: int | None = None, again_in_seconds: float = 60) -> None:
        """Put the number of the limit into the message."""
        number = "" if limit is None else f" {limit:,}"
        super().__init__((type(self).__doc__ or "").replace("limit of", f"limit of{number}", 1))
        self.again_in_seconds = again_in_seconds


class TooManyRequests(LimitReached):
    """The limit of requests per minute is reached."""

    code = "too_many_requests"


class TooMuchAtOnce(LimitReached):
    """Earlier requests of this tenant are still at work; send fewer side by side."""

    code = "too_much_at_once"

    def __init__(self) -> None:
        super().__init__(again_in_seconds=2)


class TooManyExports(LimitReached):
    """The limit of exports and imports per hour is reached; deleted ones count."""

    code = "too_many_exports"


class TooManyUnfinishedExports(LimitReached):
    """The limit of exports and imports that wait or run is reached; cancel some, or wait."""

    code = "too_many_unfinished_exports"


class TooManyStoredBytes(LimitReached):
    """The limit of stored bytes is reached; delete exports or imports, or wait until they end."""

    code = "too_many_stored_bytes"


class TooManyMemories(LimitReached):
    """The limit of memories is reached; delete some."""

    code = "too_many_memories"


class TooManyMemoryBytes(LimitReached):
    """The limit of bytes in memories is reached; delete some, or make some smaller."""

    code = "too_many_memory_bytes"


class TooManyProjects(LimitReached):
    """The limit of projects is reached; delete some."""

    code = "too_many_projects"


class PreconditionFailed(MemferryError):
    """The file is not the one that If-Match names."""

    code = "precondition_failed"


class RangeNotSatisfiable(MemferryError):
    """The asked-for range lies outside the file."""

    code = "range_not_satisfiable"

    def __init__(self, size_bytes: int) -> None:
        super().__init__()
        self.size_bytes = size_bytes


class Unavailable(MemferryError):
    """A part of the service is away; try again later."""

    code = "unavailable"
    retryable = True


class DatabaseUnavailable(Unavailable):
    """The database is away; try again later."""

    code = "database_unavailable"


class StatementTimedOut(Unavailable):
    """The database needed longer than a request may take; ask for less at a time, or later."""

    code = "statement_timed_out"


class RequestTimedOut(Unavailable):
    """The request took longer than it may; ask for less at a time, or later."""

    code = "request_timed_out"


class Busy(Unavailable):
    """The service is busy with other requests; try again in a moment."""

    code = "busy"


class TransactionConflict(Unavailable):
    """The database gave way to another transaction; try again in a moment."""

    code = "transaction_conflict"


class StorageUnavailable(Unavailable):
    """The object store is away; try again later."""

    code = "storage_unavailable"


class ObjectNotFound(MemferryError):
    """The object store holds nothing under that key."""

    code = "object_not_found"


class LeaseLost(MemferryError):
    """The worker does not own the job any more."""

    code = "lease_lost"


class ExportFailed(MemferryError):
    """The export could not be written."""

    code = "export_failed"


class WorkerLost(ExportFailed):
    """The worker died; asking for fewer rows may help, or the operator's look at its log."""

    code = "worker_lost"


class WrongBytes(ExportFailed):
    """The object store holds other bytes than were written."""

    code = "wrong_bytes"
    retryable = True


class SnapshotTooOld(ExportFailed):
    """Reading took longer than a snapshot may be held; ask for fewer rows at a time."""

    code = "snapshot_too_old"


class ExportTooLarge(ExportFailed):
    """The export is larger than one may be; ask for fewer rows at a time."""

    code = "export_too_large"


class ImportFailed(MemferryError):
    """The import could not be done."""

    code = "import_failed"


class UnknownInput(ImportFailed):
    """The file is none that can be imported."""

    code = "unknown_input"


class RecordsRejected(ImportFailed):
    """Some records cannot be imported, so none was; the report names them."""

    code = "records_rejected"


class ImportTooSlow(ImportFailed):
    """The import took longer than one may; import less at a time."""

    code = "import_too_slow"


class NoRoomForImport(ImportFailed):
    """The worker has no room on its disk for the file."""

    code = "no_room_for_import"
    retryable = True


class ClientError(MemferryError):
    """The service did not give what was asked for."""

    code = "client_error"


class ServiceRefused(ClientError):
    """The service refused the request."""

    code = "service_refused"

    def __init__(
        self, message: str | None = None, *, status: int | None = None, answer_code: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.answer_code = answer_code
        """The code that the service gave, which no class here has; "": none."""


class ServiceUnreachable(ClientError):
    """The service does not answer."""

    code = "service_unreachable"

    def __init__(self, message: str | None = None, *, answered_before: bool = False) -> None:
        super().__init__(message)
        self.answered_before = answered_before
        """Whether the same client has ever had an answer from it."""


class ExportNotCompleted(ClientError):
    """The export ended without a file: it failed, was cancelled or expired."""

    code = "export_not_completed"


class ImportNotCompleted(ClientError):
    """The import ended without its memories: it failed or was cancelled."""

    code = "import_not_completed"


class DownloadBroken(ClientError):
    """The download broke off."""

    code = "download_broken"


class WrongDigest(ClientError):
    """The downloaded bytes are not the exported ones (SHA-256 differs)."""

    code = "wrong_digest"


class WrongManifest(ClientError):
    """The manifest cannot be trusted."""

    code = "wrong_manifest"


class WrongKey(ClientError):
    """The export is encrypted to another key."""

    code = "wrong_key"


class NotInstalled(ClientError):
    """A package that this needs is not installed."""

    code = "not_installed"


class Misconfigured(MemferryError):
    """The configuration must change before this can work."""

    code = "misconfigured"


class EmbeddedPostgresFailed(Misconfigured):
    """The embedded PostgreSQL did not start."""

    code = "embedded_postgres_failed"


class OtherStore(Misconfigured):
    """The object store (MEMFERRY_STORAGE_URL) is not the database's."""

    code = "other_store"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"The object store (MEMFERRY_STORAGE_URL) is not the database's: {reason}. "
            "Name the right one, mount what is missing, or say that this is the store from now on: "
            "memferry store adopt"
        )
