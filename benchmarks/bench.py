"""Exports against psql's COPY of the same rows, in the same run: prints ratios, writes JSON.

./run bench [--rows 1000000] [--rounds 5]
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from memferry.app import owner_url
from memferry.database.binaries import find_binaries
from memferry.settings import Settings
from memferry.tenants.admin import Admin

# Realistic lengths, tags, nested metadata; every tenth row has awkward text. Seeded, so always alike.
SEED = """
INSERT INTO memferry.memories
    (tenant_id, id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at)
SELECT t.id, md5(t.id::text || i)::uuid,
    repeat(md5(i::text) || ' ', (3 + i % 17)::integer)
        || CASE WHEN i % 10 = 0 THEN E'\\r\\n"quoted", \\\\ tab\\t é e\\u0301 🙂 \\u2028' ELSE '' END,
    'namespace-' || i % 10, ARRAY['tag-' || i % 7, 'session-' || i % 100], 'agent',
    CASE WHEN i % 3 = 0 THEN 'chat:' || i END,
    jsonb_build_object('confidence', i % 100 / 100.0, 'turn', i,
        'nested', jsonb_build_object('list', jsonb_build_array(i % 5, 'x', NULL))),
    1700000000000 + i, 1700000000000 + i
FROM memferry.tenants AS t, generate_series(1, $1::bigint) AS i WHERE t.name = $2
"""
NDJSON = (
    "COPY (SELECT row_to_json(m) FROM (SELECT id, content, namespace, tags, source, source_ref, "
    "metadata, created_at, updated_at FROM memferry.memories WHERE tenant_id = '{tenant}' "
    "ORDER BY created_at, id) AS m) TO STDOUT (FORMAT csv, QUOTE e'\\x01', DELIMITER e'\\x02')"
)
CSV = (
    "COPY (SELECT id, content, namespace, to_json(tags), source, source_ref, created_at, updated_at "
    "FROM memferry.memories WHERE tenant_id = '{tenant}' ORDER BY created_at, id) "
    "TO STDOUT (FORMAT csv, HEADER)"
)


class Bench:
    """A service of its own with seeded tenants, and psql beside it."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings.from_environment({}, data_dir=home / "data")
        self.home = home
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.port = listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.service = subprocess.Popen(
            [sys.executable, "-m", "memferry", "serve", "--port", str(self.port)],
            env=os.environ | {"MEMFERRY_DATA_DIR": str(self.settings.data_dir)},
            stdout=subprocess.DEVNULL,
        )
        while not self._answers():
            time.sleep(0.1)
        self.psql = find_binaries(None, None, home) / "psql"

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health").is_success
        except httpx.TransportError:
            return False

    def tenant(self, name: str, rows: int) -> tuple[str, httpx.Client]:
        """A tenant with seeded rows: its id and a client that speaks for it."""
        token = asyncio.run(Admin(owner_url(self.settings)).create_token(name, "bench"))
        tenant_id = asyncio.run(self._seed(name, rows))
        headers = {"Authorization": f"Bearer {token.text}"}
        return tenant_id, httpx.Client(base_url=self.url, headers=headers, timeout=600)

    async def _seed(self, name: str, rows: int) -> str:
        connection = await asyncpg.connect(owner_url(self.settings))
        await connection.execute(SEED, rows, name)
        await connection.execute("VACUUM ANALYZE memferry.memories")
        found = await connection.fetchval("SELECT id FROM memferry.tenants WHERE name = $1", name)
        await connection.close()
        return str(found)

    def copy(self, query: str) -> Callable[[], None]:
        """The reference: psql, COPY, a file."""

        def run() -> None:
            with (self.home / "reference").open("wb") as file:
                command = [str(self.psql), owner_url(self.settings), "-Xqc", query]
                subprocess.run(command, stdout=file, check=True)

        return run

    def export(self, client: httpx.Client, **body: Any) -> Callable[[], None]:
        """One export, from the request to `completed`."""

        def run() -> None:
            answer = client.post("/api/memories/exports", json=body)
            if b'"status":"completed"' in answer.content[:200]:
                return
            export = answer.json()
            while export["status"] in ("pending", "running"):
                time.sleep(0.02)
                export = client.get(f"/api/memories/exports/{export['id']}").json()
            assert export["status"] == "completed", export

        return run

    def worker_peak_mb(self) -> float:
        """The worker's highest memory so far, as the system counts it (VmHWM)."""
        command = ["pgrep", "-P", str(self.service.pid), "-f", "memferry worker"]
        pid = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))

    def close(self) -> None:
        """Stop the service."""
        self.service.send_signal(signal.SIGTERM)
        self.service.wait()


def seconds(work: Callable[[], None]) -> float:
    """How long one run takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def ratio(ours: Callable[[], None], reference: Callable[[], None], rounds: int) -> dict[str, float]:
    """Both in turn, after one warm-up; medians and the median of the pairs' ratios."""
    ours()
    reference()
    pairs = [(seconds(ours), seconds(reference)) for _ in range(rounds)]
    return {
        "ours_s": statistics.median(a for a, _ in pairs),
        "reference_s": statistics.median(b for _, b in pairs),
        "ratio": statistics.median(a / b for a, b in pairs),
    }


def main() -> None:
    """Run all cases."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    home = Path(tempfile.mkdtemp(prefix="memferry-bench-"))
    home.chmod(0o711)
    bench = Bench(home)
    results: dict[str, Any] = {"rows": given.rows, "rounds": given.rounds}
    try:
        idle = bench.worker_peak_mb()
        few_id, few = bench.tenant("few", 10_000)
        many_id, many = bench.tenant("many", given.rows)
        ndjson, table = NDJSON.format, CSV.format
        cases = {
            "inline NDJSON, 10,000 rows": (
                bench.export(few, format="ndjson"),
                bench.copy(ndjson(tenant=few_id)),
            ),
            "queued NDJSON": (
                bench.export(many, format="ndjson"),
                bench.copy(ndjson(tenant=many_id)),
            ),
            "queued JSON": (bench.export(many, format="json"), bench.copy(ndjson(tenant=many_id))),
            "queued CSV": (bench.export(many, format="csv"), bench.copy(table(tenant=many_id))),
        }
        for name, (ours, reference) in cases.items():
            results[name] = ratio(ours, reference, given.rounds)
            print(f"{name:30} {results[name]['ratio']:6.2f}  ", results[name], flush=True)
        results["worker memory, MB"] = {"idle": idle, "peak": bench.worker_peak_mb()}
        print("worker memory, MB", results["worker memory, MB"])
    finally:
        bench.close()
        shutil.rmtree(home, ignore_errors=True)
    target = Path(__file__).parent / "results"
    target.mkdir(exist_ok=True)
    (target / "bench.json").write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
