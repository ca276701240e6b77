"""Guards of the queue: leases, fairness, and what one tenant may take."""

from guards import (
    Guard,
    drop,
    drop_statement,
    drop_text,
    guard_function,
    guard_schema,
    guard_statement,
    make_false,
    make_true,
    replace,
    set_item,
)

GUARDS: tuple[Guard, ...] = (
    # Only who holds the lease has a word.
    *guard_statement(
        "jobs/renew_job jobs/finish_job jobs/fail_job jobs/release_job jobs/hand_back_job",
        "jobs/test_jobs.py",
        make_true("status = 'running'"),
        make_true("attempt = $2"),
        make_true("leased_by = $3"),
    ),
    *guard_statement(
        "jobs/get_job",
        "jobs/test_jobs.py",
        replace(
            "status = 'running' AND attempt = $2 AND leased_by = $3 AND NOT EXISTS",
            "attempt = $2 AND leased_by = $3 AND NOT EXISTS",
        ),
        replace("attempt = $2 AND leased_by = $3 AND NOT EXISTS", "leased_by = $3 AND NOT EXISTS"),
        replace("leased_by = $3 AND NOT EXISTS", "NOT EXISTS"),
    ),
    *guard_statement(
        "jobs/renew_job", "jobs/test_jobs.py", replace("greatest(rows_done, $5)", "$5")
    ),
    # Whose turn it is.
    *guard_function(
        "database/pool.py",
        "_LOCK_EXCLUSIVELY",
        "jobs/test_fairness.py",
        drop_text("SELECT pg_advisory_xact_lock(hashtextextended('memferry turn', 0));"),
        drop_text("SET LOCAL idle_in_transaction_session_timeout = '5s';"),
    ),
    *guard_function(
        "database/pool.py",
        "Database.prepare_exclusive",
        "jobs/test_fairness.py",
        replace("prepared", "await connection.prepare(statement)"),
    ),
    *guard_statement(
        "jobs/claim_job",
        "jobs/test_fairness.py",
        replace("coalesce(at_work.jobs, 0) < $4", "$4::bigint > 0"),
        replace("ORDER BY coalesce(at_work.jobs, 0), turn", "ORDER BY turn"),
        drop("turn.claimed_at NULLS FIRST,"),
        make_true("leased_until >= statement_timestamp()"),
    ),
    # What one tenant may take.
    *guard_statement(
        "exports/start_export",
        "jobs/test_starts.py",
        make_true(
            "greatest(kept.full_at, statement_timestamp()) + (SELECT share FROM bucket)"
            " <= (SELECT latest FROM bucket)"
        ),
        replace(
            "SET full_at = greatest(kept.full_at, statement_timestamp())",
            "SET full_at = kept.full_at",
        ),
    ),
    *guard_statement(
        "exports/start_export",
        "jobs/test_limits.py::test_repeats_by_idempotency_key_count_as_one_export",
        drop("SELECT FROM repeated UNION ALL"),
    ),
    *guard_statement(
        "exports/start_export",
        "jobs/test_limits.py::test_an_export_beyond_the_quota_of_unfinished_exports_is_refused",
        replace("HAVING count(*) >= $3::bigint", "HAVING $3::bigint < 0"),
    ),
    *guard_statement(
        "exports/start_export",
        "jobs/test_limits.py::test_stored_bytes_count_toward_the_quota_until_they_are_deleted",
        replace(
            "HAVING sum(coalesce(file_bytes, bytes_done)) >= $4::bigint", "HAVING $4::bigint < 0"
        ),
    ),
    *guard_function(
        "exports/creation.py",
        "Creation._insert",
        "jobs/test_limits.py",
        drop_statement("check_rows"),
    ),
    *guard_function(
        "http/auth.py", "Authentication.__call__", "jobs/test_limits.py", drop_statement("_rate")
    ),
    *guard_function(
        "exports/work.py",
        "ExportWork._observe",
        "jobs/test_limits.py::test_an_export_of_too_many_bytes_fails_at_once_with_the_number",
        make_false("bytes_done"),
    ),
    *guard_function(
        "database/sessions.py",
        "service_settings",
        "jobs/test_limits.py::test_a_statement_of_a_request_times_out_before_one_of_an_export",
        set_item("statement_timeout", '"0"'),
    ),
    *guard_function(
        "database/pool.py",
        "_LONG_RUNNING",
        "jobs/test_limits.py::test_a_statement_of_a_request_times_out_before_one_of_an_export",
        drop_text("SET LOCAL statement_timeout = {ms}; "),
    ),
    # The views carry the tenant.
    *guard_schema(
        "views",
        "VIEW memferry_service.export_buckets",
        "jobs/test_limits.py::test_exports_per_hour_are_counted_and_the_next_tenant_is_free",
        make_true("tenant_id = current_setting('memferry.tenant')::uuid"),
    ),
)
