"""Statements of the owner from code that has no event loop."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import asyncpg


class Session:
    """A connection of the owner for code that has no event loop; kept open between statements."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        try:
            self._connection = self._runner.run(asyncpg.connect(url, timeout=10))
        except BaseException:
            self._runner.close()
            raise

    def __call__(self, statement: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Run a statement; its rows."""
        rows: Sequence[asyncpg.Record] = self._runner.run(
            self._connection.fetch(statement, *arguments)
        )
        return rows

    def script(self, statements: str) -> None:
        """Run several statements in one transaction."""
        self._runner.run(self._connection.execute(statements))

    def close(self) -> None:
        """Let go, whatever has become of the server; whatever the session locked is free."""
        self._connection.terminate()
        # One round of the loop, in which the transport closes.
        self._runner.run(asyncio.sleep(0))
        self._runner.close()


@contextmanager
def open_session(url: str) -> Iterator[Session]:
    """A session for the length of a block."""
    session = Session(url)
    try:
        yield session
    finally:
        session.close()
