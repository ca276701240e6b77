"""Guards of the database: its embedded server is private, only a standby of ours is read."""

from guards import (
    Guard,
    drop_item,
    drop_statement,
    guard_function,
    guard_statement,
    make_false,
    make_true,
    replace,
)

_EMBEDDED = "database/test_embedded.py::test_writes_are_durable_and_nothing_listens_on_the_network"

GUARDS: tuple[Guard, ...] = (
    # No log of PostgreSQL repeats what an export asks for.
    *guard_function(
        "database/embedded.py",
        "_SETTINGS",
        "database/test_embedded.py::test_the_log_of_postgresql_holds_no_statement_however_it_ends",
        drop_item("log_min_error_statement"),
        drop_item("log_error_verbosity"),
    ),
    # A frame of many rows is small, and frames come in order.
    *guard_function(
        "database/frames.py", "FrameReader.take", "database/test_frames.py", make_false("_number")
    ),
    *guard_function(
        "database/frames.py", "FrameReader.end", "database/test_frames.py", make_false("_rest")
    ),
    *guard_function(
        "database/csv_records.py",
        "CsvReader.end",
        "database/test_csv_records.py",
        make_false("_pieces", "_records"),
    ),
    # Files and directories are their owner's alone, by the umask of every command and without it.
    *guard_function("database/owner_lock.py", "open_private", _EMBEDDED, replace("0o600", "0o644")),
    # Only root hands directories over: for everybody else this test is skipped.
    *guard_function("database/embedded.py", "_SETTINGS", _EMBEDDED, drop_item("listen_addresses")),
    *guard_function(
        "database/embedded.py",
        "EmbeddedPostgres._create_socket_dir",
        "database/test_embedded.py::test_a_socket_directory_that_others_can_enter_is_refused",
        make_false("st_mode"),
    ),
    *guard_function(
        "database/standby.py",
        "wait_for_replay",
        "database/test_standby.py::test_an_export_from_a_standby_waits_for_all_earlier_saves",
        make_true("replayed"),
    ),
    *guard_function(
        "database/standby.py",
        "Standby._begin",
        "database/test_unfit_standby.py::test_a_standby_of_a_diverged_copy_is_refused",
        make_false("shown"),
    ),
    *guard_function(
        "database/standby.py",
        "wait_for_replay",
        "database/test_unfit_standby.py::test_a_standby_of_another_cluster_is_refused",
        make_false("same_database"),
    ),
    *guard_function(
        "database/standby.py",
        "Standby._begin",
        "database/test_unfit_standby.py::test_a_standby_that_is_promoted_before_its_snapshot_is_refused",
        make_false("in_recovery"),
    ),
    *guard_function(
        "database/standby.py",
        "wait_for_replay",
        "database/test_unfit_standby.py::test_doctor_reports_the_state_of_a_standby",
        make_false("in_recovery"),
    ),
    *guard_function(
        "database/standby.py",
        "Standby._log_change",
        "database/test_standby.py::test_a_standby_that_lags_too_far_is_not_waited_for",
        make_false("_logged"),
    ),
    *guard_function(
        "exports/work.py",
        "ExportWork.run",
        "database/test_standby.py::test_an_export_cancelled_by_recovery_is_written_from_the_primary",
        make_true("failures"),
    ),
    *guard_function(
        "database/pool.py",
        "Database.tenant",
        "database/test_unfit_standby.py::test_readers_on_another_standby_behind_a_balancer_are_left_out",
        drop_statement("check_server"),
    ),
    *guard_function(
        "worker_process.py",
        "_make_stuck_session_loops",
        "database/test_standby.py::test_a_halted_worker_holds_no_snapshot_of_the_standby_for_long",
        drop_statement("stuck sessions on the standby"),
    ),
    # An idle primary whose log has just begun a new segment.
    *guard_statement(
        "database/read_position",
        "database/test_standby.py::test_a_position_is_never_behind_a_segment_header_that_no_standby_replays",
        replace("THEN flushed ELSE inserted END", "THEN inserted ELSE inserted END"),
    ),
)
