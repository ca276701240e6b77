"""What the driver raises, as our own errors."""

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

# What a statement meets when the server is away, going away, coming up, full or overloaded.
_UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    # Going away, coming up.
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

# What rolls a transaction back in favour of another one; recovery on a standby is one
# (https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-CONFLICT).
_CONFLICT = (asyncpg.TransactionRollbackError, asyncpg.LockNotAvailableError)

_OF_TENANT = "_tenant_id_fkey"
BROKEN = (*_UNAVAILABLE, asyncpg.PostgresError)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn the driver's ways of saying "the server is away" into DatabaseUnavailable.

    A row beyond the caller's namespaces, which a view has refused, is NamespaceForbidden; a
    statement that was cut off for its time is StatementTimedOut. A deadlock, a serialization
    failure, a lock that was not to be had in time and a conflict with recovery on a standby are
    TransactionConflict: nothing of the transaction was kept. A tenant that was deleted since its
    token was looked up is UnknownToken.
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
