"""Takes the guards away one at a time, and expects the tests to notice: ./run test-guards.

Each guard is a piece of the source, what stands in its place without it, and the tests that must
fail then. The work is done in a copy; a guard whose text is not found any more is a fault too.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
STATEMENTS = "src/memferry/database/statements"
_WRITER = "xmin = pg_current_xact_id_if_assigned()::xid"
JOB_STATEMENTS = ("renew", "complete", "fail", "release", "return")


@dataclass(frozen=True)
class Guard:
    """A piece of one file, its absence, and the tests that see it."""

    file: str
    text: str
    without: str
    tests: str

    def __str__(self) -> str:
        return f"{self.file.rpartition('/')[2]}: {' '.join(self.text.split())}"


def guards() -> list[Guard]:
    """All of them."""
    return [
        *(
            Guard(f"{STATEMENTS}/{name}_export.sql", text, "", "tests/test_jobs.py")
            for name in JOB_STATEMENTS
            for text in ("status = 'running' AND ", "attempt = $2 AND ", " AND leased_by = $3")
        ),
        *(
            Guard(f"{STATEMENTS}/get_job.sql", text, "", "tests/test_jobs.py")
            for text in ("status = 'running' AND ", "attempt = $2 AND ", " AND leased_by = $3")
        ),
        Guard(
            f"{STATEMENTS}/renew_export.sql",
            "greatest(rows_done, $5)",
            "$5",
            "tests/test_jobs.py",
        ),
        Guard(
            f"{STATEMENTS}/cancel_export.sql",
            "AND status IN ('pending', 'running')",
            "",
            "tests/test_export_life.py",
        ),
        Guard(
            f"{STATEMENTS}/delete_export.sql",
            "AND status NOT IN ('pending', 'running')",
            "AND FALSE",
            "tests/test_export_life.py",
        ),
        Guard(
            "src/memferry/database/pool.py",
            "SELECT pg_advisory_xact_lock(hashtextextended('memferry turn', 0));",
            "",
            "tests/test_fairness.py",
        ),
        Guard(
            "src/memferry/database/pool.py",
            "SET LOCAL idle_in_transaction_session_timeout = '5s';",
            "",
            "tests/test_fairness.py",
        ),
        Guard(
            f"{STATEMENTS}/claim_export.sql",
            "coalesce(at_work.exports, 0) < $4",
            "$4::bigint > 0",
            "tests/test_fairness.py",
        ),
        Guard(
            f"{STATEMENTS}/claim_export.sql",
            "ORDER BY coalesce(at_work.exports, 0), turn",
            "ORDER BY turn",
            "tests/test_fairness.py",
        ),
        Guard(
            f"{STATEMENTS}/claim_export.sql",
            "turn.claimed_at NULLS FIRST, ",
            "",
            "tests/test_fairness.py",
        ),
        Guard(
            f"{STATEMENTS}/claim_export.sql",
            "AND leased_until >= statement_timestamp()",
            "",
            "tests/test_fairness.py",
        ),
        Guard(
            "src/memferry/database/migrations/0008_limits.sql",
            "hashtextextended('memferry starts ' || tenant, 0)",
            "txid_current()",
            "tests/test_limits.py",
        ),
        Guard(
            "src/memferry/database/migrations/0008_limits.sql",
            "IF FOUND THEN",
            "IF FALSE THEN",
            "tests/test_limits.py",
        ),
        Guard(
            "src/memferry/exports/service.py",
            "self._limits.check_rows(count)",
            "pass",
            "tests/test_limits.py",
        ),
        Guard(
            "src/memferry/http/auth.py",
            "self._pace.count(caller.tenant_id)",
            "pass",
            "tests/test_limits.py",
        ),
        Guard(
            f"{STATEMENTS}/find_dead_objects.sql",
            "EXISTS (SELECT FROM tenant_ids WHERE tenant_ids.id = stored.tenant_id)",
            "TRUE",
            "tests/test_sweeper.py",
        ),
        Guard(
            f"{STATEMENTS}/find_dead_objects.sql",
            "export.object_key = stored.name",
            "FALSE",
            "tests/test_sweeper.py",
        ),
        Guard(
            f"{STATEMENTS}/find_dead_objects.sql",
            "AND export.attempt = stored.attempt",
            "",
            "tests/test_sweeper.py",
        ),
        Guard(
            f"{STATEMENTS}/find_dead_objects.sql",
            "export.status = 'running' AND",
            "FALSE AND",
            "tests/test_sweeper.py",
        ),
        Guard(
            f"{STATEMENTS}/expire_exports.sql",
            "AND expires_at <= now_ms()",
            "",
            "tests/test_sweeper.py",
        ),
        Guard(
            f"{STATEMENTS}/forget_deliveries.sql",
            " AND next_attempt_at IS NULL",
            "",
            "tests/test_sweeper.py",
        ),
        Guard(
            "src/memferry/tenants/tokens.py",
            ' or not hmac.compare_digest(row["sha256"], sought)',
            "",
            "tests/test_isolation_mutations.py",
        ),
        *(
            Guard(
                "src/memferry/database/migrations/0007_isolation.sql",
                f"CASE WHEN {_WRITER} THEN {column} END AS {column}",
                column,
                "tests/test_tenancy.py",
            )
            for column in ("filters", "row_count", "last_error")
        ),
        Guard(
            "src/memferry/exports/service.py",
            'or not known["free"]',
            "",
            "tests/test_export_life.py",
        ),
        Guard(
            "src/memferry/exports/service.py",
            'if known["request_sha256"] != asked:',
            "if False:",
            "tests/test_export_life.py",
        ),
        Guard(
            "src/memferry/exports/service.py",
            'if values.get("lapsed"):',
            "if False:",
            "tests/test_export_life.py",
        ),
        *(
            Guard(f"{STATEMENTS}/find_token.sql", text, without, "tests/test_tokens.py")
            for text, without in (
                (" AND revoked_at IS NULL", ""),
                ("expires_at > now_ms()", "TRUE"),
            )
        ),
        *(
            Guard(
                f"{STATEMENTS}/{name}.sql",
                "AND exports.status IN",
                "AND FALSE AND exports.status IN",
                "tests/test_tokens.py",
            )
            for name in ("revoke_token", "revoke_tenant_token")
        ),
        Guard(
            f"{STATEMENTS}/get_job.sql",
            "tokens.revoked_at IS NOT NULL",
            "FALSE",
            "tests/test_tokens.py",
        ),
        Guard(
            "src/memferry/exports/request.py",
            "values=request.values | {Within: within}",
            "values=request.values",
            "tests/test_namespaces.py",
        ),
        *(
            Guard(
                "src/memferry/database/migrations/0004_tokens.sql",
                text,
                without,
                "tests/test_namespaces.py tests/test_tokens.py",
            )
            for text, without in (
                ("WITH CASCADED CHECK OPTION", ""),
                ("namespace = ANY ((SELECT", "true OR namespace = ANY ((SELECT"),
                ("THEN format ELSE format || ' of namespaces'", "THEN format ELSE format"),
            )
        ),
        Guard(
            "src/memferry/http/auth.py",
            "if each not in found.scopes:",
            "if False:",
            "tests/test_scopes.py",
        ),
        Guard(
            "src/memferry/tenants/tokens.py",
            "_check_reach(caller, grant)",
            "pass",
            "tests/test_tokens.py",
        ),
        Guard(
            "src/memferry/worker/lease.py",
            "self._check()",
            "pass",
            "tests/test_simulation.py",
        ),
        Guard(
            "src/memferry/storage/s3.py",
            "if await self._read_back(key) != sha256():",
            "if False:",
            "tests/test_faults_store.py",
        ),
        Guard(
            "src/memferry/storage/local.py",
            "if os.pread(descriptor, len(data) + 1, start) != data:",
            "if False:",
            "tests/test_storage.py",
        ),
        Guard(
            "src/memferry/storage/s3.py",
            "await self._refuse_existing(key)",
            "",
            "tests/test_storage.py",
        ),
        Guard(
            "src/memferry/cli/download.py",
            "if place.digest.hexdigest() != promised:",
            "if False:",
            "tests/test_download_resume.py",
        ),
    ]


def notices(guard: Guard) -> bool:
    """Whether a test fails without the guard."""
    with tempfile.TemporaryDirectory(prefix="memferry-guards-") as name:
        copy = Path(name)
        for part in ("src", "tests", "docs", "pyproject.toml", "README.md", "CHANGELOG.md", "run"):
            source = ROOT / part
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / part)
        copy.chmod(0o711)
        file = copy / guard.file
        text = file.read_text()
        if guard.text not in text:
            raise LookupError(f"{guard} is not there any more")
        file.write_text(text.replace(guard.text, guard.without))
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not ceph", *guard.tests.split()],
            cwd=copy,
            env=os.environ | {"PYTHONPATH": str(copy / "src")},
            capture_output=True,
            check=False,
        )
        return done.returncode == 1


def main() -> None:
    """Try all guards, or those whose name holds a given word."""
    chosen = [each for each in guards() if all(word in str(each) for word in sys.argv[1:])]
    missed = 0
    for guard in chosen:
        noticed = notices(guard)
        missed += not noticed
        print(f"{'noticed' if noticed else 'MISSED '}  {guard}", flush=True)  # noqa: T201 - a script
    print(f"{len(chosen) - missed} of {len(chosen)} guards are guarded by tests")  # noqa: T201 - same
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
