"""Sessions that both ends close soon after the network between them is cut."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg

from memferry.database.faults import translate_errors
from memferry.settings import Quotas

if TYPE_CHECKING:
    _Connection = asyncpg.Connection[asyncpg.Record]
else:
    _Connection = asyncpg.Connection  # only its stubs take type arguments

_CONNECT_SECONDS = 10
_CLOSE_SECONDS = 5
# An end that acknowledges nothing for this long counts as gone.
_SILENCE_MS = 15_000
_IDLE_SECONDS, _PROBE_SECONDS, _PROBES = 10, 5, 3

# As tcp(7) names them; macOS does not have all.
_PROBING = {
    "TCP_KEEPIDLE": _IDLE_SECONDS,
    "TCP_KEEPINTVL": _PROBE_SECONDS,
    "TCP_KEEPCNT": _PROBES,
    "TCP_USER_TIMEOUT": _SILENCE_MS,
}
_CLIENT_SIDE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, option), value)
        for option, value in _PROBING.items()
        if hasattr(socket, option)
    ),
)
# https://www.postgresql.org/docs/current/runtime-config-connection.html#RUNTIME-CONFIG-CONNECTION-TCP
SERVER_SIDE = {
    "tcp_user_timeout": str(_SILENCE_MS),
    "tcp_keepalives_idle": str(_IDLE_SECONDS),
    "tcp_keepalives_interval": str(_PROBE_SECONDS),
    "tcp_keepalives_count": str(_PROBES),
    # A statement that sends nothing, such as one that waits for a lock, notices no lost client.
    "client_connection_check_interval": "5000",
}
SLOW_READER = "SET LOCAL tcp_user_timeout = '15min';"
"""For a transaction whose client may read slowly.

Linux counts the time without room in the client's buffer as silence, although the client
acknowledges each probe (tcp_probe_timer in net/ipv4/tcp_timer.c).
"""


class Session(_Connection):
    """A connection of asyncpg; over TCP it is lost soon after the network is cut."""

    def __init__(self, protocol: Any, transport: Any, *more: Any) -> None:
        super().__init__(protocol, transport, *more)
        end = transport.get_extra_info("socket")
        if end.family != socket.AF_UNIX:
            for level, option, value in _CLIENT_SIDE:
                end.setsockopt(level, option, value)


def service_settings(role: str, program: str, statement_ms: int) -> dict[str, str]:
    """The settings of a session that works as a role, in the schema of the same name.

    `statement_ms` limits each statement; 0 means no limit.
    """
    return SERVER_SIDE | {
        "application_name": program,
        "role": role,
        "search_path": role,
        "statement_timeout": str(statement_ms),
        "idle_in_transaction_session_timeout": "60000",
        "jit": "off",
        # The quoting of literals needs it; it is the default everywhere.
        "standard_conforming_strings": "on",
    }


def quota_settings(quotas: Quotas) -> dict[str, str]:
    """The settings of a session from which statements and triggers read some of the quotas."""
    return {
        "memferry.waiting_messages": str(quotas.waiting_messages),
        "memferry.waiting_message_bytes": str(quotas.waiting_message_bytes),
        "memferry.history_versions": str(quotas.history_versions),
        "memferry.history_bytes": str(quotas.history_bytes),
    }


@asynccontextmanager
async def owner_connection(url: str) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """A connection as the owner of the tables: for the operator's commands, never for requests."""
    with translate_errors():
        connection = await asyncpg.connect(
            url,
            timeout=_CONNECT_SECONDS,
            connection_class=Session,
            server_settings=SERVER_SIDE,
        )
        try:
            yield connection
        finally:
            await connection.close(timeout=_CLOSE_SECONDS)
