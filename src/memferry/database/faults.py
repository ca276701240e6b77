"""Translation of the driver's exceptions into errors of memferry."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from memferry.errors import (
    DatabaseUnavailable,
    MemferryError,
    NamespaceForbidden,
    StatementTimedOut,
    TransactionConflict,
    UnknownToken,
)

# Faults of a server that is away, shutting down, starting, full or overloaded.
_UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    # Shutting down, starting.
    asyncpg.OperatorInterventionError,
    # Too many connections, no memory, no disk.
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidCatalogNameError,
    # The operator is changing the password.
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

# Faults that roll a transaction back in favour of another one, of recovery on a standby
# (https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-CONFLICT), or of a migration
# that has changed the columns of a prepared statement.
_CONFLICT = (
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidCachedStatementError,
)

_OF_TENANT = "_tenant_id_fkey"
BROKEN = (*_UNAVAILABLE, asyncpg.PostgresError)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise the driver's exceptions as errors of memferry.

    DatabaseUnavailable: the server is away, starting, shutting down, full or overloaded.
    StatementTimedOut: the server cancelled the statement for its time. TransactionConflict: a
    deadlock, a serialization failure, a lock timeout or a conflict with recovery on a standby; the
    transaction was rolled back. NamespaceForbidden: a view refused a row beyond the caller's
    namespaces. UnknownToken: the tenant was deleted since its token was looked up.
    """
    try:
        yield
    except MemferryError:
        raise
    except asyncpg.WithCheckOptionViolationError as fault:
        raise NamespaceForbidden("namespace") from fault
    except asyncpg.ForeignKeyViolationError as fault:
        if not str(fault.constraint_name).endswith(_OF_TENANT):
            raise
        raise UnknownToken from fault
    except asyncpg.QueryCanceledError as fault:
        raise StatementTimedOut from fault
    except _CONFLICT as fault:
        raise TransactionConflict from fault
    except _UNAVAILABLE as fault:
        raise DatabaseUnavailable from fault
