"""Guards of erasure: the deletion of a memory reaches every export that may hold it."""

from guards import Guard, drop, drop_statement, guard_function, guard_statement, make_false, replace

GUARDS: tuple[Guard, ...] = (
    # Each event is noted.
    *guard_statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_the_audit_names_the_purged_exports",
        drop(", note('export.deleted', ...)"),
    ),
    # A deletion reaches every export that may hold the memory.
    *guard_statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_purging_removes_the_payload_that_holds_the_memory_and_says_so",
        make_false("payload.export_id = holding.id"),
    ),
    *guard_statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_purging_removes_the_text_of_the_manifest_and_leaves_its_line",
        make_false("manifest.export_id = holding.id"),
    ),
    *guard_function(
        "erasure/memories.py",
        "MemoryErasure.delete_many",
        "erasure/test_erasure.py::test_purging_removes_the_file_that_holds_the_memory_and_its_links",
        drop_statement("_remove"),
    ),
    *guard_function(
        "erasure/memories.py",
        "MemoryErasure.delete_many",
        "erasure/test_erasure.py::test_the_setting_purges_with_every_deletion",
        make_false("_always_purge"),
    ),
    *guard_function(
        "app.py",
        "open_web_app",
        "erasure/test_erasure.py::test_the_setting_purges_with_every_deletion",
        replace(
            "MemoryErasure(database, store, settings.exports)", "MemoryErasure(database, store)"
        ),
    ),
    *guard_function(
        "http/reading.py",
        "read_flag",
        "erasure/test_erasure.py::test_a_purge_parameter_that_is_no_boolean_deletes_nothing",
        make_false("false"),
    ),
    *guard_function(
        "exports/purge.py",
        "purge_exports",
        "erasure/test_erasure.py::test_purging_by_a_limited_token_reaches_exports_of_all_namespaces",
        drop_statement("exports/see_all_namespaces"),
    ),
    *guard_statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_purging_finds_an_export_that_matched_the_memory_before_a_change",
        make_false(
            "erased.updated_at >= coalesce(export.snapshot_at, export.created_at) - 3600000"
        ),
    ),
    *guard_statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_purging_leaves_an_export_from_long_before_the_memory_was_saved",
        replace("now_ms()) + 86400000)", "now_ms()))"),
    ),
    # Also those that are being made.
    *guard_function(
        "erasure/memories.py",
        "MemoryErasure._delete_and_purge",
        "erasure/test_erasure.py::test_an_inline_export_during_a_purge_is_made_again_without_the_memory",
        drop_statement("begin_purge"),
    ),
    *guard_statement(
        "exports/create_completed_export exports/create_pending_export",
        "erasure/test_erasure.py::test_purging_waits_for_an_export_whose_row_is_being_inserted",
        drop("FOR SHARE"),
    ),
    *guard_statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_purging_restarts_a_running_export_without_the_memory",
        drop("attempt = export.attempt + 1,"),
        replace("CASE WHEN export.leased_until > now() THEN 1 ELSE 0 END", "0"),
    ),
    *guard_statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_purging_removes_an_export_that_is_published_at_the_same_time",
        drop("FOR UPDATE OF export"),
    ),
)
