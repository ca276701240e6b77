"""Hot standbys of a server, as an operator makes them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from support.service import find_free_port
from support.sessions import open_session
from support.tcp_postgres import TcpServer
from support.waiting import wait_until


@contextmanager
def run_standby(primary: TcpServer, *options: str) -> Iterator[TcpServer]:
    """A standby that runs, with these settings, and streams from its primary."""
    standby = replace(primary, port=find_free_port(), process=None)
    standby.data.mkdir(mode=0o700)
    if "user" in primary.as_user:
        os.chown(standby.data, primary.as_user["user"], primary.as_user["group"])
    standby.run("pg_basebackup", "-d", primary.url(), "-D", f"{standby.data}", "-R", "-c", "fast")
    try:
        standby.start(*options)
        wait_until(lambda: has_replayed(primary, standby))
        yield standby
    finally:
        standby.stop()


def has_replayed(primary: TcpServer, standby: TcpServer) -> bool:
    """Whether the standby is where the primary is now."""
    with open_session(primary.url()) as there, open_session(standby.url()) as here:
        (row,) = there("SELECT pg_current_wal_flush_lsn() AS lsn")
        (replayed,) = here("SELECT pg_last_wal_replay_lsn() >= $1 AS so", row["lsn"])
    return bool(replayed["so"])


def promote(standby: TcpServer) -> None:
    """Make a standby a primary of its own."""
    with open_session(standby.url()) as session:
        session("SELECT pg_promote()")


def generate_log(server: TcpServer, size: int) -> None:
    """Let the server's log grow by that many bytes."""
    with open_session(server.url()) as session:
        session("SELECT pg_logical_emit_message(false, 'test', repeat('x', $1))", size)
