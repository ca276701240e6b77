"""Guards of imports: what keeps them exact, single, whole and within their tenant's rights."""

from guards import (
    Guard,
    drop_statement,
    guard_function,
    guard_statement,
    make_false,
    make_true,
    replace,
)

_LIFE = "imports/test_import_life.py"
_PARTS = "imports/test_import_parts.py"
_RULES = "imports/test_imports.py"
_CLAIM = f"{_PARTS}::test_a_claim_that_has_lapsed_is_over_for_good"
_SWEEP = f"{_LIFE}::test_an_upload_that_nobody_renews_is_swept_and_a_live_one_is_not"
_FENCE = f"{_PARTS}::test_a_worker_that_has_lost_its_lease_keeps_no_report"
_REFUSED = f"{_RULES}::test_what_a_save_would_refuse_is_rejected"
_LIMITED = f"{_LIFE}::test_a_token_limited_to_namespaces_imports_into_these_alone"
_OVERWRITE = f"{_RULES}::test_a_record_that_differs_is_skipped_unless_it_is_to_overwrite"

GUARDS: tuple[Guard, ...] = (
    # A history that is believed must be possible, and within the limit of the token.
    *guard_function(
        "imports/histories.py",
        "HistoryReader._render",
        "imports/test_histories.py::test_a_limited_token_brings_no_state_of_another_namespace",
        replace("state.namespace not in self._allowed", "False"),
    ),
    *guard_function(
        "imports/histories.py",
        "_check_order",
        "imports/test_histories.py::test_a_history_that_cannot_be_is_rejected_with_its_reason",
        make_false("last"),
    ),
    *guard_statement(
        "imports/save_histories",
        "imports/test_histories.py::test_a_memory_that_has_expired_gets_no_history_of_another",
        make_true("memory.changed_in = pg_current_xact_id()"),
    ),
    # An answer is read for the file in it.
    *guard_function(
        "sources/bundles/answers.py",
        "open_payload",
        f"{_RULES}::test_an_answer_without_its_payload_or_with_another_one_is_refused",
        replace("decoded.payload is None", "False"),
        replace("hashlib.sha256(payload).hexdigest() != decoded.sha256", "False"),
    ),
    # An upload is its sender's until it is a job's, and nobody's after its time.
    *guard_statement("imports/renew_upload", _CLAIM, make_true("leased_until >= now()")),
    *guard_statement("imports/create_import", _CLAIM, make_true("leased_until >= now()")),
    *guard_statement("jobs/find_dead_objects", _SWEEP, make_true("upload.leased_until >= now()")),
    *guard_statement(
        "jobs/find_dead_objects",
        _SWEEP,
        make_false("upload.leased_until >= now()"),
    ),
    *guard_function(
        "imports/uploads.py",
        "MeasuredFile.__aiter__",
        f"{_PARTS}::test_a_file_is_measured_as_it_comes_and_cut_off_above_its_limit",
        make_false("_most_bytes"),
        replace("self.size_bytes == 0", "False"),
    ),
    # Who has lost the job publishes nothing.
    *guard_statement(
        "imports/keep_report", _FENCE, make_true("attempt = $2"), make_true("leased_by = $3")
    ),
    *guard_function("imports/merge.py", "keep_report", _FENCE, make_false("job_id")),
    # All or nothing, and each once.
    *guard_function(
        "imports/work.py",
        "_Attempt._merge",
        f"{_RULES}::test_one_bad_record_leaves_nothing_and_is_named",
        replace("reading.is_refused", "False"),
    ),
    *guard_function(
        "imports/work.py",
        "_Attempt._merge",
        f"{_RULES}::test_an_import_without_one_good_record_fails_whatever_was_asked_for",
        replace("reading.is_fruitless", "False"),
    ),
    *guard_function(
        "imports/work.py",
        "_Attempt._merge",
        f"{_RULES}::test_a_dry_run_reports_the_same_and_stores_nothing",
        replace("self.request.options.dry_run", "False"),
    ),
    *guard_statement(
        "imports/settle_duplicates",
        f"{_RULES}::test_of_records_with_one_id_in_a_file_the_first_counts",
        replace("min(place)", "max(place)"),
    ),
    *guard_statement(
        "imports/overwrite_memories",
        _OVERWRITE,
        replace("greatest(now_ms(), memory.updated_at + 1)", "memory.updated_at"),
    ),
    *guard_function(
        "imports/merge.py",
        "Merge._measure",
        f"{_LIFE}::test_what_has_no_room_is_refused_whole",
        make_false("too_many"),
    ),
    *guard_function(
        "imports/merge.py",
        "Merge.settle",
        f"{_PARTS}::test_two_imports_of_one_file_at_once_save_each_memory_once",
        drop_statement("imports/take_turn"),
    ),
    # What an import may write.
    *guard_function(
        "imports/rows.py",
        "RowMaker._check_namespace",
        _LIMITED,
        replace("self._namespaces is not None", "False"),
    ),
    *guard_function(
        "imports/rows.py",
        "RowMaker._check_id_time",
        _REFUSED,
        replace("time_ms is not None", "False"),
    ),
    *guard_function(
        "imports/service.py",
        "Imports.create",
        _LIMITED,
        drop_statement("check_namespace"),
    ),
    *guard_function(
        "imports/rows.py",
        "RowMaker.make_line",
        f"{_PARTS}::test_half_of_a_surrogate_pair_is_rejected_and_not_raised",
        replace("UnicodeEncodeError", "ZeroDivisionError"),
    ),
    # What a report may hold.
    *guard_function(
        "imports/report.py",
        "_count",
        f"{_PARTS}::test_a_report_is_bounded_however_many_names_a_file_makes_up",
        replace("len(counts) < _KINDS", "True"),
    ),
)
