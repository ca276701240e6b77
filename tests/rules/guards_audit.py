"""Guards of what the audit tells."""

from rules.guard import Guard, migration, module, statement

_ENTRY = "event, outcome, subject, filters_sha256, row_count, byte_count, detail, token_id"

GUARDS: tuple[Guard, ...] = (
    # Each event is noted.
    *statement(
        "exports/create_completed_export",
        "audit/test_audit.py::test_a_small_export_is_noted_with_who_where_and_how_much",
        ("AS entry (event, size)", "AS entry (event, size) WHERE FALSE"),
    ),
    *statement(
        "exports/create_pending_export",
        "audit/test_audit.py::test_a_queued_export_its_link_and_its_download_are_noted",
        ",\n    note('export.created', 'ok', made.id, made.filters, made.row_count, NULL,"
        " made.format)",
    ),
    *statement(
        "exports/complete_export",
        "audit/test_audit.py::test_a_queued_export_its_link_and_its_download_are_noted",
        ",\n    note('export.completed', 'ok', done.id, done.filters, done.row_count,"
        " done.bytes_done, done.format,\n        done.token_id)",
    ),
    *statement(
        "exports/fail_export",
        "audit/test_audit.py::test_cancelling_and_failing_are_noted",
        ",\n    note('export.failed', done.error_code, done.id, done.filters, NULL, NULL,"
        " done.format, done.token_id)",
    ),
    *statement(
        "exports/cancel_export",
        "audit/test_audit.py::test_cancelling_and_failing_are_noted",
        ", note('export.cancelled', 'ok', id, filters)",
    ),
    *statement(
        "exports/delete_export",
        "audit/test_audit.py::test_deleted_exports_and_memories_are_noted",
        ", note('export.deleted', 'ok', id, filters, row_count, bytes_done)",
    ),
    *statement(
        "memories/delete_memory",
        "audit/test_audit.py::test_deleted_exports_and_memories_are_noted",
        ",\n    note('memory.deleted', 'ok', id::text)",
    ),
    *statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_the_audit_names_the_purged_exports",
        ",\n    note('export.deleted', 'ok', purged.id, purged.filters, purged.row_count,"
        " purged.bytes_done, 'memory erased')",
    ),
    *statement(
        "tenants/create_token tenants/mint_token",
        "audit/test_audit.py::test_tokens_made_and_revoked_are_noted",
        ("' ') FROM made", "' ') FROM made WHERE FALSE"),
    ),
    *statement(
        "tenants/revoke_token tenants/revoke_tenant_token",
        "audit/test_audit.py::test_a_revoked_token_and_what_it_had_queued_are_noted",
        ("NULL FROM revoked", "NULL FROM revoked WHERE FALSE"),
        ("'token revoked' FROM cancelled", "'token revoked' FROM cancelled WHERE FALSE"),
    ),
    *statement(
        "exports/get_job",
        "tenants/test_tokens.py::"
        "test_an_export_queued_while_its_token_is_revoked_ends_when_a_worker_takes_it",
        ("token_id FROM cancelled", "token_id FROM cancelled WHERE FALSE"),
    ),
    *module(
        "http/exports.py",
        "audit/test_audit.py::test_a_queued_export_its_link_and_its_download_are_noted",
        ("await self._audit.note(get_caller(request), minted)", "pass"),
    ),
    *module(
        "http/audit.py",
        "audit/test_audit.py::test_a_queued_export_its_link_and_its_download_are_noted",
        ("self._audit.note_soon(self._reader, entry)", "pass"),
    ),
    # So is each refusal; whose token is unknown stands in the log.
    *module(
        "http/audit.py",
        "audit/test_audit.py::test_refusals_are_noted_with_the_pattern_and_the_id",
        ("await self._audit.note(scope[AUTHENTICATED], _make_entry(scope))", "pass"),
    ),
    *module(
        "http/auth.py",
        "audit/test_audit.py::test_an_unknown_token_is_in_the_log_and_in_no_audit",
        ('_log.warning("unknown token from %s", find_client_address(scope))', "pass"),
    ),
    # With who and where, and without content.
    *module(
        "database/pool.py",
        "audit/test_audit.py::test_a_small_export_is_noted_with_who_where_and_how_much",
        ('settings["caller"] = str(caller.token_id)', "pass"),
        ('settings["address"] = address', "pass"),
    ),
    *module(
        "http/audit.py",
        "audit/test_audit.py::test_refusals_are_noted_with_the_pattern_and_the_id",
        ('scope.get(PATTERN, "an unknown address")', 'scope["path"]'),
        " if _ID.fullmatch(value)",
    ),
    # Nobody changes it.
    *migration(
        "0005_audit",
        "audit/test_audit.py::test_the_service_role_can_only_insert_and_read_audit_entries",
        (f"INSERT ({_ENTRY})", "INSERT, UPDATE, DELETE"),
    ),
)
