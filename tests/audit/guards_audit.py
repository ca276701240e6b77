"""Guards of the audit: each event is noted, with who and where, and nobody changes it."""

from guards import (
    Guard,
    drop,
    drop_item,
    drop_statement,
    guard_function,
    guard_schema,
    guard_statement,
    make_true,
    replace,
)

GUARDS: tuple[Guard, ...] = (
    # Each event is noted.
    *guard_statement(
        "exports/create_completed_export",
        "audit/test_audit.py::test_a_small_export_is_noted_with_who_where_and_how_much",
        replace("AS entry (event, size)", "AS entry (event, size) WHERE FALSE"),
    ),
    *guard_statement(
        "exports/create_pending_export",
        "audit/test_audit.py::test_a_queued_export_its_link_and_its_download_are_noted",
        drop(", note('export.created', ...)"),
    ),
    *guard_statement(
        "jobs/finish_job",
        "audit/test_audit.py::test_a_queued_export_its_link_and_its_download_are_noted",
        drop(", note(done.type || '.completed', ...)"),
    ),
    *guard_statement(
        "jobs/fail_job",
        "audit/test_audit.py::test_cancelling_and_failing_are_noted",
        drop(", note(done.type || '.failed', ...)"),
    ),
    *guard_statement(
        "jobs/cancel_job",
        "audit/test_audit.py::test_cancelling_and_failing_are_noted",
        drop(", note(type || '.cancelled', ...)"),
    ),
    *guard_statement(
        "jobs/delete_job",
        "audit/test_audit.py::test_deleted_exports_and_memories_are_noted",
        drop(", note(type || '.deleted', ...)"),
    ),
    *guard_statement(
        "memories/delete_memories",
        "audit/test_audit.py::test_deleted_exports_and_memories_are_noted",
        drop(", note('memory.deleted', ...)"),
    ),
    *guard_statement(
        "tenants/create_token tenants/create_tenant_token",
        "audit/test_audit.py::test_tokens_made_and_revoked_are_noted",
        replace("' ') FROM created", "' ') FROM created WHERE FALSE"),
    ),
    *guard_statement(
        "tenants/revoke_token tenants/revoke_tenant_token",
        "audit/test_audit.py::test_a_revoked_token_and_what_it_had_queued_are_noted",
        replace("NULL FROM revoked", "NULL FROM revoked WHERE FALSE"),
        replace("'token revoked' FROM cancelled", "'token revoked' FROM cancelled WHERE FALSE"),
    ),
    *guard_function(
        "http/exports.py",
        "ExportEndpoints._answer_export",
        "audit/test_audit.py::test_a_queued_export_its_link_and_its_download_are_noted",
        drop_statement("record"),
    ),
    *guard_function(
        "http/audit.py",
        "AuditedDownload.__call__",
        "audit/test_audit.py::test_a_queued_export_its_link_and_its_download_are_noted",
        drop_statement("record_soon"),
    ),
    # So is each refusal; whose token is unknown stands in the log.
    *guard_function(
        "http/audit.py",
        "Refusals.__call__.note_and_send",
        "audit/test_audit.py::test_refusals_are_noted_with_the_pattern_and_the_id",
        drop_statement("record"),
    ),
    *guard_function(
        "http/auth.py",
        "Authentication.__call__",
        "audit/test_audit.py::test_an_unknown_token_is_in_the_log_and_in_no_audit",
        drop_statement("token.refused"),
    ),
    # With who and where, and without content.
    *guard_function(
        "database/pool.py",
        "_set_tenant",
        "audit/test_audit.py::test_a_small_export_is_noted_with_who_where_and_how_much",
        drop_statement("token_id"),
        drop_statement("address"),
    ),
    *guard_function(
        "http/audit.py",
        "_make_entry",
        "audit/test_audit.py::test_refusals_are_noted_with_the_pattern_and_the_id",
        replace('scope.get(PATTERN, "an unknown address")', 'scope["path"]'),
        make_true("_ID"),
    ),
    # Nobody changes it.
    *guard_schema(
        "views",
        "memferry_service.audit TO",
        "audit/test_audit.py::test_the_service_role_can_only_insert_and_read_audit_entries",
        replace(
            "INSERT (event, outcome, subject, filters_sha256, row_count, byte_count, detail, token_id, times)",
            "INSERT, UPDATE, DELETE",
        ),
    ),
    # Scopes.
    *guard_function(
        "http/audit.py",
        "ACCESS",
        "audit/test_audit.py::test_the_audit_is_closed_to_a_limited_token_whose_refusal_is_noted",
        drop_item("whole_tenant"),
    ),
)
