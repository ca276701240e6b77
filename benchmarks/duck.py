"""One table to Parquet by DuckDB's own reader of PostgreSQL; prints seconds and peak MB.

Run as a process of its own, so that its memory is its own; its start is not counted.
"""

import resource
import sys
import time
from urllib.parse import parse_qs, urlsplit

import duckdb
import duckdb_extensions

# The columns that ours has, in the same order of rows. No value of these has a quote in it.
_COPY = """
COPY (
    SELECT id::varchar AS id, content, namespace, tags, source, source_ref,
        metadata::varchar AS metadata, make_timestamptz(created_at * 1000) AS created_at,
        make_timestamptz(updated_at * 1000) AS updated_at
    FROM bench.memferry.memories WHERE tenant_id = '{tenant}' ORDER BY memories.created_at, id
) TO '{target}' (FORMAT parquet, COMPRESSION zstd)
"""


def main() -> None:
    """DATABASE TENANT TARGET."""
    url, tenant, target = sys.argv[1:]
    address = urlsplit(url)
    host = parse_qs(address.query)["host"][0]
    duckdb_extensions.import_extension("postgres_scanner")
    connection = duckdb.connect()
    connection.execute("LOAD postgres_scanner")
    words = f"host={host} dbname={address.path[1:]} user={address.username}"
    connection.execute(f"ATTACH '{words}' AS bench (TYPE postgres, READ_ONLY)")
    started = time.perf_counter()
    connection.execute(_COPY.format(tenant=tenant, target=target))
    seconds = time.perf_counter() - started
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(seconds, peak_mb)


if __name__ == "__main__":
    main()
