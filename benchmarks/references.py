"""What the service is compared with: psql's COPY, alone or in a pipe, and bare statements."""

import subprocess
from pathlib import Path
from typing import LiteralString
from uuid import UUID

from measure import Work
from seed import START_MS
from service import Bench

_COLUMNS = "id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at"
_ALL_COLUMNS = f"{_COLUMNS}, expires_at"
_MARK = "end-of-answer"


def json_lines(tenant_id: UUID, rows: int | None = None) -> str:
    """SELECT of a tenant's rows (all, or the first ones), each as one JSON text."""
    return (
        f"SELECT row_to_json(m) FROM (SELECT {_COLUMNS} FROM memferry.memories "
        f"WHERE {_rows(tenant_id, rows)} ORDER BY created_at, id) AS m"
    )


def ndjson(tenant_id: UUID, rows: int | None = None) -> str:
    """COPY of the same.

    COPY's text format would double the backslashes. Its CSV format leaves JSON alone when quote and
    delimiter are characters that JSON text cannot hold.
    """
    query = json_lines(tenant_id, rows)
    return f"COPY ({query}) TO STDOUT (FORMAT csv, QUOTE e'\\x01', DELIMITER e'\\x02')"


def csv(tenant_id: UUID) -> str:
    """COPY CSV of the columns that our CSV has."""
    return (
        "COPY (SELECT id, content, namespace, to_json(tags) AS tags, source, source_ref, "
        f"created_at, updated_at FROM memferry.memories WHERE {_rows(tenant_id, None)} "
        "ORDER BY created_at, id) TO STDOUT (FORMAT csv, HEADER)"
    )


def _rows(tenant_id: UUID, rows: int | None) -> str:
    first = "" if rows is None else f" AND created_at <= {START_MS + rows}"
    return f"tenant_id = '{tenant_id}'{first}"


def psql_command(bench: Bench, query: str) -> list[str]:
    """One psql process that runs one statement."""
    return [str(bench.psql), bench.owner_url, "-Xqc", query]


def copy_to(bench: Bench, query: str, target: Path) -> None:
    """psql, COPY, a file."""
    with target.open("wb") as file:
        subprocess.run(psql_command(bench, query), stdout=file, check=True)


def make_copy_work(bench: Bench, query: str) -> Work:
    """The usual reference: psql, COPY, a file, which is removed afterwards."""
    target = bench.home / "reference"
    return Work(lambda: copy_to(bench, query, target), target.unlink)


def make_pipe_work(bench: Bench, query: str, command: list[str]) -> Work:
    """psql, COPY, a pipe into a program, a file."""
    target = bench.home / "reference"

    def do() -> None:
        with (
            target.open("wb") as file,
            subprocess.Popen(psql_command(bench, query), stdout=subprocess.PIPE) as psql,
        ):
            subprocess.run(command, stdin=psql.stdout, stdout=file, check=True)
            assert psql.wait() == 0

    return Work(do, target.unlink)


class OpenPsql:
    """A psql that stays connected: statements go in, answers come out."""

    def __init__(self, bench: Bench) -> None:
        self._psql = subprocess.Popen(
            [str(bench.psql), bench.owner_url, "-Xq"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def run(self, query: str) -> int:
        """Send a statement and read its answer to the end; answers how many bytes it had."""
        assert self._psql.stdin is not None
        assert self._psql.stdout is not None
        self._psql.stdin.write(f"{query};\n\\echo {_MARK}\n".encode())
        self._psql.stdin.flush()
        size = 0
        for answer in self._psql.stdout:
            if answer == f"{_MARK}\n".encode():
                return size
            size += len(answer)
        raise RuntimeError("psql has ended")

    def close(self) -> None:
        """Let it go."""
        self._psql.communicate()


def bare(statement: LiteralString, tenant_id: UUID) -> str:
    """A statement of the service as the owner would write it: the table, no isolation.

    The tenant is a condition in the statement, where the service's view has it.
    """
    view = "FROM memories AS memory"
    assert view in statement, statement
    table = f"SELECT {_ALL_COLUMNS} FROM memferry.memories WHERE tenant_id = '{tenant_id}'"
    return statement.replace(view, f"FROM ({table}) AS memory")
