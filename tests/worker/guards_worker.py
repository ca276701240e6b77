"""Guards of the worker: its sweeper, stuck sessions, giving way to requests."""

from guards import (
    Guard,
    drop_statement,
    drop_text,
    guard_function,
    guard_statement,
    make_false,
    make_true,
    replace,
)

_NAMED_AFTER = (
    "worker/test_sweeper.py::test_what_is_named_after_a_published_file_goes_with_it_and_not_before"
)

GUARDS: tuple[Guard, ...] = (
    # What is named after a published file stays as long as it, and goes with it.
    *guard_statement(
        "jobs/find_dead_objects", _NAMED_AFTER, make_false("starts_with(stored.name, ...)")
    ),
    *guard_function(
        "exports/chain.py",
        "Chain.seal_overdue",
        "worker/test_sweeper.py::test_an_export_that_was_not_sealed_is_sealed_and_others_are_not_held_up",
        replace('await self.seal(row["tenant_id"], row["id"])', "pass"),
    ),
    *guard_function(
        "worker/sweeper.py",
        "Sweeper.tick",
        "worker/test_sweeper.py::test_the_manifest_of_an_expired_export_goes_and_its_line_stays",
        drop_statement("worker/forget_manifests"),
    ),
    *guard_function(
        "worker/sweeper.py",
        "Sweeper._sweep_jobs",
        "worker/test_sweeper.py::test_a_store_that_is_away_keeps_the_database_from_no_sweep",
        replace("StorageUnavailable", "KeyError"),
    ),
    # The sweeper removes what is over, and nothing else.
    *guard_statement(
        "jobs/find_dead_objects",
        "worker/test_sweeper.py",
        make_true("EXISTS (SELECT FROM tenant_ids WHERE tenant_ids.id = stored.tenant_id)"),
        make_false("job.object_key = stored.name"),
        make_true("job.attempt = stored.attempt"),
        replace("job.status = 'running' AND", "FALSE AND"),
    ),
    *guard_statement(
        "jobs/expire_jobs", "worker/test_sweeper.py", make_true("expires_at <= now_ms()")
    ),
    *guard_statement(
        "worker/forget_deliveries",
        "worker/test_sweeper.py",
        make_true("next_attempt_at IS NULL"),
        make_false("place > $1"),
    ),
    *guard_statement(
        "worker/forget_messages",
        "worker/test_sweeper.py",
        replace("WHERE NOT EXISTS", "WHERE EXISTS"),
    ),
    # Who is halted holds nothing for long.
    *guard_statement(
        "worker/end_stuck_sessions",
        "worker/test_stuck_sessions.py",
        make_true("application_name LIKE 'memferry worker%'"),
        make_true("application_name NOT LIKE '% import'"),
        replace("xact_start < clock_timestamp() - make_interval(secs => $3)", "$3 >= 0::float"),
        replace("xact_start < clock_timestamp() - make_interval(secs => $1)", "$1 >= 0::float"),
    ),
    *guard_function(
        "database/pool.py",
        "Database.own_sessions",
        "worker/test_stuck_sessions.py",
        drop_text(" SET LOCAL ROLE NONE;"),
    ),
    # Who waits for an answer comes first.
    *guard_function(
        "worker_process.py",
        "run_worker",
        "worker/test_priority.py",
        replace("give_way(settings.worker.nice)", "None"),
    ),
    *guard_function(
        "worker_process.py",
        "_open_worker_parts",
        "worker/test_priority.py",
        replace("partial(give_way, settings.worker.nice)", "None"),
        make_true("settings", "url"),
    ),
    *guard_function(
        "worker/priority.py",
        "give_way",
        "worker/test_priority.py::test_a_nice_worker_is_preempted_by_waking_processes",
        drop_statement("_let_others_interrupt"),
        make_true("nice"),
    ),
)
