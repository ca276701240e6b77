"""Guards of the whole service: its defaults, and faults of the machine and the network."""

from guards import Guard, drop_item, drop_statement, guard_function, make_false, make_true, replace

_LOST = "whole/test_faults_operation.py::test_a_store_that_changes_while_an_export_is_written_publishes_nothing"
_MADE = (
    "whole/test_defaults.py::test_a_store_and_a_data_directory_that_are_missing_are_made_private"
)
_HANDED_OVER = "whole/test_first_minute.py::test_a_directory_with_other_files_is_refused_with_advice_that_helps"

GUARDS: tuple[Guard, ...] = (
    # A killed service starts again while what it left behind still ends.
    *guard_function(
        "database/embedded.py",
        "EmbeddedPostgres._start_server",
        "whole/test_service.py::test_a_killed_service_starts_while_the_old_postgresql_shuts_down",
        make_true("monotonic", "is_in_use"),
    ),
    # A reader may be slow, a network may not be silent.
    *guard_function(
        "database/pool.py",
        "_LONG_RUNNING",
        "whole/test_faults_network.py::test_a_reader_that_is_slow_loses_no_export",
        replace("SLOW_READER", '""'),
    ),
    *guard_function(
        "database/sessions.py",
        "SERVER_SIDE",
        "whole/test_faults_network.py::test_a_request_that_waits_in_the_database_ends_on_both_sides_when_the_cable_is_cut",
        drop_item("client_connection_check_interval"),
    ),
    *guard_function(
        "database/sessions.py",
        "Session.__init__",
        "whole/test_faults_network.py::test_a_request_that_waits_in_the_database_ends_on_both_sides_when_the_cable_is_cut",
        drop_statement("setsockopt"),
    ),
    # Who is halted holds nothing for long.
    *guard_function(
        "worker_process.py",
        "_make_stuck_session_loops",
        "whole/test_faults_workers.py::test_a_worker_that_stays_stopped_holds_no_snapshot_for_long",
        drop_item("stuck sessions"),
    ),
    *guard_function(
        "worker_process.py",
        "run_worker",
        "whole/test_faults_workers.py::test_a_worker_that_stays_stopped_holds_no_snapshot_for_long",
        replace('f"memferry worker {word}"', '"memferry"'),
    ),
    # Bytes are what was written, and are never written twice.
    *guard_function(
        "storage/s3.py", "S3Storage.put", "whole/test_faults_store.py", make_false("sha256")
    ),
    *guard_function("exports/work.py", "ExportWork.run", _LOST, drop_statement("check_store")),
    *guard_function(
        "jobs/attempt.py",
        "Attempts.tick",
        "whole/test_faults_operation.py::test_a_worker_without_the_store_claims_no_export_while_another_reaches_it",
        make_false("_may_work"),
    ),
    *guard_function(
        "jobs/attempt.py",
        "Attempts._find_next",
        "whole/test_faults_operation.py::test_an_attempt_that_fails_only_on_this_worker_is_not_counted",
        make_false("isinstance", "_may_work"),
    ),
    *guard_function(
        "worker/run.py",
        "run_loops",
        "whole/test_faults_operation.py::test_a_worker_finishing_its_last_export_still_signs_in",
        replace("signs_of_life.run()", "asyncio.sleep(0)"),
    ),
    *guard_function(
        "cli/serve.py",
        "serve",
        "whole/test_defaults.py::test_the_service_listens_on_loopback_by_default",
        replace('"127.0.0.1"', '"0.0.0.0"'),
    ),
    *guard_function(
        "supervisor.py",
        "_ensure_first_token",
        "whole/test_defaults.py::test_a_public_address_is_refused_while_no_token_exists",
        make_false("is_loopback"),
    ),
    *guard_function(
        "supervisor.py",
        "_ensure_first_token",
        "whole/test_defaults.py::test_a_revoked_token_opens_no_public_address",
        replace('all(token["revoked_at"] is not None for token in tokens)', "not tokens"),
    ),
    # Files and directories are their owner's alone, by the umask of every command and without it.
    *guard_function("cli/__init__.py", "main", _MADE, drop_statement("umask")),
    # Only root hands directories over: for everybody else this test is skipped.
    *guard_function("database/directory.py", "_hand_over", _HANDED_OVER, make_false("others")),
    # A secret may come from a file, so that no environment need hold it.
    *guard_function(
        "settings/environment.py",
        "_find_text",
        "whole/test_defaults.py::test_a_secret_can_come_from_a_file",
        make_false("_FILE", "get"),
        drop_statement("ValueError"),
    ),
)
