"""What people use today: three ways of writing a tenant's first rows to a file, each as a script.

python benchmarks/today.py WAY URL TENANT ROWS FILE

Each prints the seconds it took, without its start and its imports.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_PAGE = 1000
_CHUNK = 10_000
_SELECT = (
    "SELECT id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at "
    "FROM memferry.memories WHERE tenant_id = '{tenant}' ORDER BY created_at, id"
)
Way = Callable[[str, str, int, Path], Callable[[], None]]


def read_pages(url: str, tenant: str, rows: int, target: Path) -> Callable[[], None]:
    """psycopg, json.dumps, and pages by LIMIT and OFFSET."""
    import psycopg

    def run() -> None:
        page = f"{_SELECT.format(tenant=tenant)} LIMIT %s OFFSET %s"
        with psycopg.connect(url) as connection, target.open("w", encoding="utf-8") as file:
            for offset in range(0, rows, _PAGE):
                cursor = connection.execute(page, (min(_PAGE, rows - offset), offset))
                names = [each.name for each in cursor.description or ()]
                for row in cursor.fetchall():
                    memory = dict(zip(names, row, strict=True)) | {"id": str(row[0])}
                    file.write(json.dumps(memory, ensure_ascii=False) + "\n")

    return run


def pandas(url: str, tenant: str, rows: int, target: Path) -> Callable[[], None]:
    """SQLAlchemy and pandas, in chunks."""
    import pandas as pd
    import sqlalchemy

    where = urlsplit(url)
    engine = sqlalchemy.create_engine(
        sqlalchemy.URL.create(
            "postgresql+psycopg",
            username=where.username,
            database=where.path.removeprefix("/"),
            query={"host": parse_qs(where.query)["host"][0]},
        )
    )
    query = sqlalchemy.text(f"{_SELECT.format(tenant=tenant)} LIMIT {rows}")

    def run() -> None:
        streaming = engine.connect().execution_options(stream_results=True)
        with streaming as connection, target.open("w", encoding="utf-8") as file:
            for chunk in pd.read_sql_query(query, connection, chunksize=_CHUNK):
                text = chunk.astype({"id": str})
                text.to_json(file, orient="records", lines=True, force_ascii=False)

    return run


def arrow(url: str, tenant: str, rows: int, target: Path) -> Callable[[], None]:
    """ADBC, Arrow and polars."""
    import polars as pl
    from adbc_driver_postgresql import dbapi

    query = f"{_SELECT.format(tenant=tenant).replace('SELECT id', 'SELECT id::text')} LIMIT {rows}"

    def run() -> None:
        with dbapi.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            frame = pl.DataFrame(cursor.fetch_arrow_table())
            frame.write_ndjson(target)

    return run


WAYS: dict[str, Way] = {"paging": read_pages, "pandas": pandas, "arrow": arrow}


def main() -> None:
    """Run one way."""
    way, url, tenant, rows, target = sys.argv[1:]
    run = WAYS[way](url, tenant, int(rows), Path(target))
    started = time.perf_counter()
    run()
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main()
