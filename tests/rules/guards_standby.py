"""Guards of exports from a standby: nothing is missing, and only a standby of ours is read."""

from rules.guard import Guard, module, statement

_TESTS = "database/test_standby.py::"

GUARDS: tuple[Guard, ...] = (
    *module(
        "database/standby.py",
        f"{_TESTS}test_an_export_from_a_standby_waits_for_all_earlier_saves",
        ('if row["replayed"]:', "if True:"),
    ),
    *module(
        "database/standby.py",
        f"{_TESTS}test_a_standby_of_a_diverged_copy_is_refused",
        ('if not row["shown"]:', "if False:"),
    ),
    *module(
        "database/standby.py",
        f"{_TESTS}test_a_standby_of_another_cluster_is_refused",
        ('if not row["same_database"]:', "if False:"),
    ),
    *module(
        "database/standby.py",
        f"{_TESTS}test_a_standby_that_is_promoted_before_its_snapshot_is_refused",
        (
            'if row is None or not row["in_recovery"]:\n                raise',
            "if row is None:\n                raise",
        ),
    ),
    *module(
        "database/standby.py",
        f"{_TESTS}test_doctor_reports_the_state_of_a_standby",
        (
            'if row is None or not row["in_recovery"]:\n            raise',
            "if row is None:\n            raise",
        ),
    ),
    *module(
        "database/standby.py",
        f"{_TESTS}test_a_standby_that_lags_too_far_is_not_waited_for",
        ("if reason == self._told:", "if False:"),
    ),
    *module(
        "worker/exporter.py",
        f"{_TESTS}test_an_export_cancelled_by_recovery_is_written_from_the_primary",
        ("claim if job.failures == 1 else None", "claim"),
    ),
    *module(
        "database/pool.py",
        f"{_TESTS}test_readers_on_another_standby_behind_a_balancer_are_left_out",
        ("await snapshot.check_server(connection)", "pass"),
    ),
    *module(
        "worker_process.py",
        f"{_TESTS}test_a_halted_worker_holds_no_snapshot_of_the_standby_for_long",
        ('servers["halted on the standby"] = standby', "pass"),
    ),
    # An idle primary whose log has just begun a new segment.
    *statement(
        "database/read_position",
        f"{_TESTS}test_a_position_is_never_behind_a_segment_header_that_no_standby_replays",
        ("THEN flushed ELSE inserted END", "THEN inserted ELSE inserted END"),
    ),
)
