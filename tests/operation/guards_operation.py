"""Guards of what operators rely on: the right store, readiness, shares."""

from guards import Guard, drop_item, drop_statement, guard_function, make_false, make_true, replace

_OTHER = (
    "operation/test_store_identity.py::test_another_store_and_one_made_anew_are_refused_by_name"
)

GUARDS: tuple[Guard, ...] = (
    # As many connections as the system allows.
    *guard_function(
        "cli/serve.py",
        "serve",
        "operation/test_open_files.py::test_more_connections_than_the_soft_limit_of_files_are_served",
        drop_statement("raise_open_files_limit"),
    ),
    *guard_function(
        "cli/worker.py",
        "worker",
        "operation/test_open_files.py::test_a_worker_raises_its_limit_of_files_to_the_hard_limit",
        drop_statement("raise_open_files_limit"),
    ),
    # A connection keeps little, and not for long; a tenant leaves something to the others.
    *guard_function(
        "database/connection_shares.py",
        "ConnectionShares.take",
        "operation/test_shares.py",
        drop_item("nullcontext"),
    ),
    *guard_function(
        "database/connection_shares.py",
        "ConnectionShares.__init__",
        "operation/test_shares.py",
        replace("pool_size - _KEPT_CONNECTIONS", "pool_size"),
    ),
    *guard_function(
        "shares.py",
        "Shares.acquire",
        "operation/test_shares.py",
        make_true("_queues"),
        make_false("done", "cancelled"),
        drop_statement("_serve"),
    ),
    *guard_function(
        "shares.py",
        "Shares._serve",
        "operation/test_shares.py",
        replace("min(ready, key=self._held.__getitem__)", "ready[0]"),
        make_true("done"),
    ),
    *guard_function(
        "shares.py", "Shares._fits", "operation/test_shares.py", make_true("_tenant_most")
    ),
    *guard_function(
        "operation/store_identity.py",
        "StoreIdentity.check",
        _OTHER,
        make_false("expected", "actual"),
    ),
    *guard_function(
        "worker/sweeper.py",
        "Sweeper._sweep_jobs",
        "operation/test_store_identity.py::test_another_store_is_not_swept",
        make_true("holds_right_store", "None"),
    ),
    *guard_function(
        "operation/readiness.py",
        "Readiness._read_identity",
        "operation/test_store_identity.py::test_an_older_schema_is_not_ready_and_a_newer_one_is",
        make_false("find_missing"),
    ),
    *guard_function(
        "operation/readiness.py",
        "Readiness.report",
        "operation/test_store_identity.py::test_concurrent_readiness_requests_share_one_check",
        make_true("_report", "_checked_at"),
    ),
    *guard_function(
        "operation/workers.py",
        "is_silent",
        "operation/test_operation.py::test_readiness_names_a_halted_worker",
        make_false("MISSING_SECONDS"),
    ),
)
