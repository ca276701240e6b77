"""Guards of an export's life, from its request to its end, and of the file it leaves."""

from rules.guard import Guard, migration, module, statement

_LEASE = ("status = 'running' AND ", "attempt = $2 AND ", " AND leased_by = $3")
_HOLDERS = (
    "exports/renew_export",
    "exports/complete_export",
    "exports/fail_export",
    "exports/release_export",
    "exports/return_export",
)

GUARDS: tuple[Guard, ...] = (
    # Only who holds the lease has a word.
    *(each for name in _HOLDERS for each in statement(name, "jobs/test_jobs.py", *_LEASE)),
    *statement("exports/get_job", "jobs/test_jobs.py", *_LEASE),
    *statement("exports/renew_export", "jobs/test_jobs.py", ("greatest(rows_done, $5)", "$5")),
    *module("worker/lease.py", "simulation/test_simulation.py", ("self._check()", "pass")),
    # What can be cancelled and what can be removed.
    *statement(
        "exports/cancel_export",
        "exports/test_export_life.py",
        "AND status IN ('pending', 'running')",
    ),
    *statement(
        "exports/delete_export",
        "exports/test_export_life.py",
        ("AND status NOT IN ('pending', 'running')", "AND FALSE"),
    ),
    # A key answers one request, one at a time.
    *module(
        "exports/service.py",
        "exports/test_export_life.py",
        'or not known["free"]',
        ('if known["request_sha256"] != digest:', "if False:"),
    ),
    # The sweeper removes what is over, and nothing else.
    *statement(
        "worker/find_dead_objects",
        "worker/test_sweeper.py",
        ("EXISTS (SELECT FROM tenant_ids WHERE tenant_ids.id = stored.tenant_id)", "TRUE"),
        ("export.object_key = stored.name", "FALSE"),
        "AND export.attempt = stored.attempt",
        ("export.status = 'running' AND", "FALSE AND"),
    ),
    *statement("worker/expire_exports", "worker/test_sweeper.py", "AND expires_at <= now_ms()"),
    *statement(
        "worker/forget_deliveries",
        "worker/test_sweeper.py",
        ("WHERE next_attempt_at IS NULL", ""),
        " OR place > $1",
    ),
    *statement(
        "worker/forget_messages", "worker/test_sweeper.py", ("WHERE NOT EXISTS", "WHERE EXISTS")
    ),
    # Who locks several rows does so in one order; a deletion is waited for.
    *statement(
        "exports/purge_exports tenants/revoke_tenant_token tenants/revoke_token "
        "erasure/begin_tenant_deletion",
        "rules/test_lock_order.py::test_several_exports_are_locked_by_their_ids",
        "ORDER BY export.id ",
    ),
    *statement(
        "memories/save_memories",
        "rules/test_lock_order.py::test_a_message_waits_for_the_deletion_of_its_webhook",
        ("    FOR KEY SHARE\n), room", "), room"),
    ),
    *migration(
        "0024_messages",
        "rules/test_lock_order.py::test_a_message_waits_for_the_deletion_of_its_webhook",
        "        FOR KEY SHARE\n",
    ),
    *module(
        "webhooks/delivery.py",
        "rules/test_lock_order.py::test_a_delivery_is_settled_after_its_webhook_is_locked",
        ('await connection.execute(sql("webhooks/lock_webhook"), delivery_id)', "pass"),
    ),
    # A reader may be slow, a network may not be silent.
    *module(
        "database/pool.py",
        "whole/test_faults_network.py::test_a_reader_that_is_slow_loses_no_export",
        ("    + SLOW_READER\n", ""),
    ),
    *module(
        "database/sessions.py",
        "whole/test_faults_network.py::test_a_request_that_waits_in_the_database_ends_on_both_sides_when_"
        "the_cable_is_cut",
        '    "client_connection_check_interval": "5000",\n',
        ("end.setsockopt(level, option, value)", "pass"),
    ),
    # Who is halted holds nothing for long.
    *statement(
        "worker/end_halted_workers",
        "worker/test_halted.py",
        " AND application_name LIKE 'memferry worker%'",
        ("xact_start < clock_timestamp() - make_interval(secs => $1)", "$1 >= 0::float"),
    ),
    *module("database/pool.py", "worker/test_halted.py", " SET LOCAL ROLE NONE;"),
    *module(
        "worker_process.py",
        "whole/test_faults_workers.py::test_a_worker_that_stays_stopped_holds_no_snapshot_for_long",
        ('servers = {"halted": database}', "servers = {}"),
        ('f"memferry worker {word}"', '"memferry"'),
    ),
    # Only small rows come many in one value, and in order.
    *migration(
        "0019_metadata_text",
        "exports/test_ranges.py::test_a_large_row_is_detected_before_it_is_read",
        (
            "bigint LANGUAGE sql STABLE PARALLEL SAFE\nRETURN octet_length(content) + coalesce",
            "bigint LANGUAGE sql STABLE PARALLEL SAFE\nRETURN coalesce",
        ),
        (" + coalesce(octet_length(source_ref), 0)\n    + pg_column_size", " + pg_column_size"),
        ("pg_column_compression(tags) IS NULL", "TRUE"),
        ("pg_column_compression(metadata) IS NULL", "TRUE"),
    ),
    # A span of time bounds the first range and the last one.
    *module(
        "exports/ranges.py",
        "exports/test_ranges.py::test_any_number_of_readers_gives_the_same_bytes",
        ("selection.first_ms - 1", "selection.first_ms"),
        (
            "(_LAST_MS if selection.last_ms is None else selection.last_ms, _LAST_ID)",
            "(_LAST_MS, _LAST_ID)",
        ),
    ),
    *module(
        "filters/selection.py",
        "exports/test_ranges.py::test_a_range_within_a_span_of_time_is_read_from_its_own_first_row_to_its_last",
        " if each.end is None",
    ),
    *statement(
        "exports/probe_rows",
        "exports/test_inline.py::test_few_rows_need_no_copy_and_small_rows_are_framed",
        " AND all_bytes <= $2::bigint",
    ),
    *statement(
        "exports/probe_rows",
        "exports/test_inline.py::test_counting_stops_at_more_rows_than_an_answer_holds",
        "found < $1 AND ",
    ),
    *module(
        "exports/inline.py",
        "exports/test_inline.py::test_few_rows_need_no_copy_and_small_rows_are_framed",
        "request.selection.in_order and ",
        " and caller.namespaces is None",
    ),
    *module(
        "exports/inline.py",
        "exports/test_inline.py::test_blocks_of_small_rows_are_small",
        "block_bytes=VALUE_BYTES",
    ),
    *statement(
        "exports/export_joined",
        "exports/test_ranges.py::test_framed_rows_have_the_same_bytes",
        "HAVING count(*) > 0",
        (
            "(created_at, id) > (part.created_at, part.id) AND (created_at, id) <=",
            "(created_at, id) <=",
        ),
    ),
    *module(
        "database/joined.py", "exports/test_joined.py", ("if number != self._parts:", "if False:")
    ),
    # Bytes are what was written, and are never written twice.
    *module(
        "storage/s3.py",
        "whole/test_faults_store.py",
        ("if await self._read_back(key) != sha256():", "if False:"),
    ),
    *module(
        "storage/local.py",
        "storage/test_storage_local.py::test_a_file_that_somebody_else_writes_to_is_given_up",
        ("if os.pread(descriptor, len(data) + 1, start) != data:", "if False:"),
    ),
    *module("storage/s3.py", "storage/test_storage.py", "await self._refuse_existing(key)"),
    *module(
        "cli/download.py",
        "cli/test_download_resume.py",
        ("if place.digest.hexdigest() != promised:", "if False:"),
    ),
)
