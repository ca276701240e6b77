"""Guards of erasure: a deletion reaches every export, and a deleted tenant leaves nothing."""

from guards import (
    Guard,
    drop,
    drop_statement,
    guard_function,
    guard_schema,
    guard_statement,
    make_false,
    make_true,
    replace,
)

_LATE = "erasure/test_tenant_deletion.py::test_what_is_being_saved_meanwhile_goes_as_well"

GUARDS: tuple[Guard, ...] = (
    # Each event is noted.
    *guard_statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_the_audit_tells_which_exports_went",
        drop(", note('export.deleted', ...)"),
    ),
    # A deletion reaches every export that may hold the memory.
    *guard_statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_a_payload_that_holds_it_is_gone_and_says_so",
        make_false("payload.export_id = holding.id"),
    ),
    *guard_function(
        "erasure/memories.py",
        "MemoryErasure.delete",
        "erasure/test_erasure.py::test_a_file_that_holds_it_is_gone_with_its_links",
        drop_statement("_remove"),
    ),
    *guard_function(
        "erasure/memories.py",
        "MemoryErasure.delete",
        "erasure/test_erasure.py::test_the_setting_makes_it_the_rule",
        make_false("_always_purge"),
    ),
    *guard_function(
        "app.py",
        "open_web_app",
        "erasure/test_erasure.py::test_the_setting_makes_it_the_rule",
        replace(
            "MemoryErasure(database, store, settings.exports)", "MemoryErasure(database, store)"
        ),
    ),
    *guard_function(
        "http/requests.py",
        "flag",
        "erasure/test_erasure.py::test_what_is_neither_true_nor_false_deletes_nothing",
        make_false("false"),
    ),
    *guard_function(
        "exports/purge.py",
        "purge_exports",
        "erasure/test_erasure.py::test_a_limited_token_reaches_exports_beyond_its_limit",
        drop_statement("exports/see_all_namespaces"),
    ),
    *guard_statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_a_memory_that_matched_before_it_was_changed_is_found",
        make_false(
            "erased.updated_at >= coalesce(export.snapshot_at, export.created_at) - 3600000"
        ),
    ),
    *guard_statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_an_export_from_long_before_it_was_saved_stays",
        replace("now_ms()) + 86400000)", "now_ms()))"),
    ),
    # Also those that are being made.
    *guard_function(
        "erasure/memories.py",
        "MemoryErasure.delete",
        "erasure/test_erasure.py::test_an_export_that_is_being_answered_is_made_again_without_it",
        drop_statement("begin_purge"),
    ),
    *guard_statement(
        "exports/create_completed_export exports/create_pending_export",
        "erasure/test_erasure.py::test_an_export_that_was_added_before_the_deletion_came_is_found_by_it",
        drop("FOR SHARE"),
    ),
    *guard_statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_an_export_that_is_being_written_starts_again_without_it",
        drop("attempt = export.attempt + 1,"),
        replace("CASE WHEN export.leased_until > now() THEN 1 ELSE 0 END", "0"),
    ),
    *guard_statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_an_export_that_is_being_published_is_taken_back",
        drop("FOR UPDATE OF export"),
    ),
    # A tenant that is deleted leaves nothing.
    *guard_statement("erasure/hold_tenant", _LATE, drop("FOR UPDATE")),
    *guard_statement(
        "memories/save_memory",
        "erasure/test_tenant_deletion.py::test_what_is_being_saved_meanwhile_goes_as_well",
        drop("FOR KEY SHARE"),
    ),
    *guard_statement(
        "memories/save_memories",
        "erasure/test_tenant_deletion.py::test_what_is_being_saved_meanwhile_goes_as_well",
        replace("tenant FOR KEY SHARE", "tenant"),
    ),
    *guard_function(
        "erasure/tenants.py", "TenantErasure.delete", _LATE, drop_statement("_remove_rows", "+=")
    ),
    *guard_function(
        "erasure/tenants.py",
        "TenantErasure._remove_once",
        "erasure/test_tenant_deletion.py::test_the_store_keeps_no_file",
        drop_statement("delete"),
        drop_statement("abort"),
    ),
    *guard_function(
        "erasure/tenants.py",
        "TenantErasure._remove_files",
        "erasure/test_tenant_deletion.py::test_while_the_store_is_away_the_tenant_stays_and_nobody_speaks_for_it",
        drop_statement("ping"),
    ),
    *guard_schema(
        "0011_erasure",
        "",
        "erasure/test_tenant_deletion.py::test_while_the_store_is_away_the_tenant_stays_and_nobody_speaks_for_it",
        make_true("leaving_at IS NULL"),
    ),
    *guard_statement(
        "tenants/create_tenant",
        "erasure/test_tenant_deletion.py::test_while_the_store_is_away_the_tenant_stays_and_nobody_speaks_for_it",
        make_true("tenants.leaving_at IS NULL"),
    ),
    *guard_statement(
        "erasure/finish_tenant_deletion",
        "erasure/test_tenant_deletion.py::test_a_file_that_comes_late_is_swept",
        replace("SELECT id FROM gone", "SELECT id FROM gone WHERE FALSE"),
    ),
    *guard_schema(
        "0011_erasure",
        "",
        "erasure/test_tenant_deletion.py::test_what_is_noted_of_a_tenant_that_is_gone_is_refused",
        replace("FOREIGN KEY (tenant_id) REFERENCES memferry.tenants (id)", "CHECK (TRUE)"),
    ),
    *guard_function(
        "cli/tenant.py",
        "delete",
        "erasure/test_tenant_deletion.py::test_the_command_needs_to_be_told_twice",
        make_false("yes"),
    ),
    # Nothing of a tenant, not even its name, stays in a directory.
    *guard_function(
        "erasure/tenants.py",
        "TenantErasure._remove_files",
        "erasure/test_tenant_deletion.py::test_the_store_keeps_no_directory_of_a_writer_that_was_killed",
        drop_statement("prune"),
    ),
)
