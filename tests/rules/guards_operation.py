"""Guards of what operators rely on: the right store, attempts that count, readiness."""

from rules.guard import Guard, module

_LOST = (
    "whole/test_faults_operation.py"
    "::test_a_store_that_changes_while_an_export_is_written_publishes_nothing"
)
_OTHER = (
    "operation/test_store_identity.py::test_another_store_and_one_made_anew_are_refused_by_name"
)

GUARDS: tuple[Guard, ...] = (
    *module("operation/store_identity.py", _OTHER, ("if kept != stored:", "if False:")),
    *module("worker/exporter.py", _LOST, ("await self._attendance.check_store()", "pass")),
    *module(
        "worker/exporter.py",
        "whole/test_faults_operation.py"
        "::test_a_worker_without_the_store_claims_no_export_while_another_reaches_it",
        " or not await self._may_work()",
    ),
    *module(
        "worker/exporter.py",
        "whole/test_faults_operation.py::test_an_attempt_that_fails_only_on_this_worker_is_not_counted",
        ("isinstance(fault, StorageUnavailable | OtherStore) and not", "False and"),
    ),
    *module(
        "worker_process.py",
        "whole/test_faults_operation.py::test_a_worker_finishing_its_last_export_still_signs_in",
        ("asyncio.create_task(signs_of_life.run())", "asyncio.create_task(asyncio.sleep(0))"),
    ),
    *module(
        "worker/sweeper.py",
        "operation/test_store_identity.py::test_another_store_is_not_swept",
        (" or await self._attendance.holds_right_store()", " or True"),
    ),
    *module(
        "operation/readiness.py",
        "operation/test_store_identity.py::test_an_older_schema_is_not_ready_and_a_newer_one_is",
        ('if find_missing([row["name"] for row in rows]):', "if False:"),
    ),
    *module(
        "operation/readiness.py",
        "operation/test_store_identity.py::test_concurrent_readiness_requests_share_one_check",
        (
            "if self._report is None or clock() - self._looked_at > _FRESH_SECONDS:",
            "if True:",
        ),
    ),
    *module(
        "operation/workers.py",
        "operation/test_operation.py::test_readiness_names_a_halted_worker",
        ("return silent_seconds > MISSING_SECONDS", "return False"),
    ),
)
