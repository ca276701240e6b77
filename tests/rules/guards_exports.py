"""Guards of links, and of what is exported: formulas in it, encryption, erasure."""

from rules.guard import Guard, migration, module, statement

_PRIVATE = "exports/test_exports.py::test_a_link_is_private_and_cannot_be_changed"
_GUARDED = (
    "formats/test_csv_safe.py::test_every_text_column_is_guarded_where_a_spreadsheet_might_run_it"
)
_RECIPIENT = "exports/test_encryption.py::test_a_malformed_public_key_is_refused_and_not_repeated"
_LATE = (
    "erasure/test_tenant_deletion.py::test_deleting_a_tenant_removes_rows_saved_during_the_deletion"
)
_ADDED = "erasure/test_erasure.py::test_purging_waits_for_an_export_whose_row_is_being_inserted"

LINKS: tuple[Guard, ...] = (
    *module(
        "exports/links.py",
        "rules/test_foreign_links.py::test_a_link_with_any_byte_altered_opens_nothing",
        ("if not hmac.compare_digest(tag, self._tag(claims)):", "if False:"),
    ),
    *module(
        "exports/links.py",
        "rules/test_foreign_links.py::test_a_link_works_for_fifteen_minutes",
        ("if expires < time.time():", "if False:"),
        ("timedelta(minutes=15)", "timedelta(days=15)"),
    ),
    *module("http/downloads.py", _PRIVATE, ('"GET /downloads', '"GET|POST /downloads')),
    *module(
        "http/downloads.py",
        _PRIVATE,
        '"Cache-Control": "private, no-store",',
        '"X-Content-Type-Options": "nosniff",',
        '"Referrer-Policy": "no-referrer",',
        "attachment; ",
    ),
    *module("http/exports.py", _PRIVATE, ', "Cache-Control": "no-store"'),
    *module(
        "http/server.py",
        "exports/test_exports.py::test_no_link_is_ever_logged",
        ("access_log=False", "access_log=True"),
    ),
    # A link outlives no export.
    *module(
        "exports/service.py",
        "exports/test_export_life.py::test_an_export_past_its_lifetime_is_shown_expired_before_the_sweep",
        (', status="expired", object_key=None', ', status="expired"'),
        ('or row["lapsed"]', ""),
    ),
    *module(
        "exports/service.py",
        "exports/test_export_life.py",
        ('if values.get("lapsed"):', "if False:"),
    ),
    *module(
        "exports/service.py",
        "exports/test_export_life.py::test_a_deleted_export_takes_its_file_and_its_links_with_it",
        ("await self._remove_files(object_prefix(caller.tenant_id, export_id))", "pass"),
    ),
    # The token goes to the service alone, not to where a link leads.
    *module(
        "cli/client.py",
        "cli/test_download_resume.py::test_the_token_is_not_sent_to_the_host_of_a_link",
        ("self._files.stream(", "self._http.stream("),
        ("follow_redirects=False", "follow_redirects=True"),
    ),
    *module(
        "storage/local.py",
        "storage/test_storage_local.py::test_no_key_leaves_the_directory",
        ('if any(part in {"", ".", ".."} or "\\x00" in part for part in parts):', "if False:"),
    ),
)

CSV_SAFE: tuple[Guard, ...] = (
    *module(
        "formats/csv_safe.py",
        _GUARDED,
        *(
            (f"{{_guarded('{column}')}} AS", f"{column} AS")
            for column in ("content", "namespace", "to_json(tags)::text", "source")
        ),
        (
            "{_guarded('''coalesce(source_ref, '')''')} AS source_ref",
            "coalesce(source_ref, '') AS source_ref",
        ),
        ("|{_SEPARATORS}{_LATER}", ""),
        ("|(?<={_SEPARATORS})(?={_LATER})", ""),
    ),
    *module(
        "formats/csv_safe.py",
        "formats/test_csv_safe.py::test_every_sign_and_every_blank_of_unicode_is_known",
        r"\uFF05\uFF0B\uFF0D\uFF1D\uFF20\uFF5C\U00002A74-\U00002A76",
        r"\u205F-\u206F\u2800\u3000\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFC",
    ),
    *module(
        "formats/csv_safe.py",
        "formats/test_csv_safe.py::test_every_cell_of_text_is_quoted",
        '"content", "namespace", "tags", "source", "source_ref", ',
    ),
    *module(
        "exports/request.py",
        "formats/test_csv_safe.py::test_csv_safe_is_refused_with_another_format",
        ("if name not in SAFE_FORMATS:\n        raise", "if False:\n        raise"),
    ),
)

ENCRYPTION: tuple[Guard, ...] = (
    *module("exports/request.py", _RECIPIENT, ('check_recipient("encrypt_to", recipient)', "pass")),
    *module(
        "files/encrypt.py",
        _RECIPIENT,
        ("if not _RECIPIENT.fullmatch(text):", "if False:"),
        (
            "except pyrage.RecipientError:\n        return False",
            "except pyrage.RecipientError:\n        pass",
        ),
    ),
    *module(
        "files/encrypt.py",
        "exports/test_encryption.py::test_a_public_key_of_low_order_is_refused",
        " or _point(text) in _SMALL_POINTS",
        " & (2**255 - 1)",
    ),
    *module(
        "exports/service.py",
        "exports/test_encryption.py::test_a_small_export_is_encrypted_too_and_never_a_payload",
        ("if request.recipient is None:", "if True:"),
    ),
    *module(
        "exports/file.py",
        "exports/test_encryption.py::test_an_encrypted_file_in_the_store_cannot_be_read",
        "self._steps += [] if self._encryptor is None else [self._encryptor]",
    ),
    *migration(
        "0010_encryption",
        "exports/test_encryption.py::test_the_database_takes_no_payload_of_an_encrypted_export",
        ("encrypt_to IS NULL OR status <> 'completed' OR object_key IS NOT NULL", "TRUE"),
    ),
    *module(
        "cli/decrypt.py",
        "exports/test_encryption.py::test_a_file_encrypted_by_somebody_else_is_not_taken_for_the_export",
        (
            'if (place.size_bytes, place.sha256) != (export["bytes_done"], export["sha256"]):',
            "if False:",
        ),
    ),
    *module(
        "cli/decrypt.py",
        "exports/test_encryption.py::test_the_wrong_key_leaves_the_encrypted_file_and_nothing_else",
        (
            (
                "raise ServiceRefused(f\"export {export['id']} is not for this key: {fault}\")"
                " from fault"
            ),
            "return",
        ),
    ),
)

ERASURE: tuple[Guard, ...] = (
    *statement(
        "webhooks/settle_delivery",
        "webhooks/test_webhooks.py::test_a_message_is_kept_until_the_last_attempt_of_its_delivery",
        ("CASE WHEN $6 IS NOT NULL THEN message_id END", "message_id"),
        ("CASE WHEN $6 IS NOT NULL THEN message_id END", "NULL"),
    ),
    *statement(
        "webhooks/drop_delivery",
        "webhooks/test_webhooks.py::test_messages_for_a_disabled_webhook_are_not_kept",
        " message_id = NULL,",
    ),
    *statement(
        "webhooks/forget_message",
        "webhooks/test_webhooks.py::test_a_message_is_kept_once_and_until_the_last_webhook_has_it",
        (" AND NOT EXISTS (", " AND EXISTS ("),
    ),
    # A deletion reaches every export that may hold the memory.
    *statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_purging_removes_the_payload_that_holds_the_memory_and_says_so",
        ("WHERE payload.export_id = holding.id", "WHERE FALSE"),
    ),
    *module(
        "erasure/memories.py",
        "erasure/test_erasure.py::test_purging_removes_the_file_that_holds_the_memory_and_its_links",
        ("await self._remove([key for key in purged.values() if key is not None])", "pass"),
    ),
    *module(
        "erasure/memories.py",
        "erasure/test_erasure.py::test_the_setting_purges_with_every_deletion",
        " or self._always_purge",
    ),
    *module(
        "app.py",
        "erasure/test_erasure.py::test_the_setting_purges_with_every_deletion",
        ("MemoryErasure(database, store, settings.exports)", "MemoryErasure(database, store)"),
    ),
    *module(
        "http/reading.py",
        "erasure/test_erasure.py::test_a_purge_parameter_that_is_no_boolean_deletes_nothing",
        ('if text not in {"true", "false"}:', "if False:"),
    ),
    *module(
        "exports/purge.py",
        "erasure/test_erasure.py::test_purging_by_a_limited_token_reaches_exports_of_all_namespaces",
        ('await connection.execute(sql("exports/see_all_namespaces"))', "pass"),
    ),
    *statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_purging_finds_an_export_that_matched_the_memory_before_a_change",
        ("erased.updated_at >= coalesce(export.snapshot_at, export.created_at) - 3600000", "FALSE"),
    ),
    *statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_purging_leaves_an_export_from_long_before_the_memory_was_saved",
        ("now_ms()) + 86400000)", "now_ms()))"),
    ),
    # Also those that are being made.
    *module(
        "erasure/memories.py",
        "erasure/test_erasure.py::test_an_inline_export_during_a_purge_is_made_again_without_the_memory",
        ("await begin_purge(connection)", "pass"),
    ),
    *(
        each
        for name in ("exports/create_completed_export", "exports/create_pending_export")
        for each in statement(name, _ADDED, " FOR SHARE")
    ),
    *statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_purging_restarts_a_running_export_without_the_memory",
        "attempt = export.attempt + 1, ",
        ("CASE WHEN export.leased_until > now() THEN 1 ELSE 0 END", "0"),
    ),
    *statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_purging_removes_an_export_that_is_published_at_the_same_time",
        "FOR UPDATE OF export",
    ),
    # A tenant that is deleted leaves nothing.
    *statement("erasure/hold_tenant", _LATE, " FOR UPDATE"),
    *(
        each
        for name in ("memories/save_memory", "memories/save_memories")
        for each in statement(name, _LATE, " FOR KEY SHARE")
    ),
    *module(
        "erasure/tenants.py", _LATE, ("rows += await _remove_rows(connection, tenant_id)", "pass")
    ),
    *module(
        "erasure/tenants.py",
        "erasure/test_tenant_deletion.py::test_deleting_a_tenant_leaves_no_file_in_the_store",
        ("await self._storage.delete(info.key)", "pass"),
        ("await self._storage.abort(upload)", "pass"),
    ),
    *module(
        "erasure/tenants.py",
        "erasure/test_tenant_deletion.py"
        "::test_while_the_store_is_unavailable_the_tenant_stays_but_its_tokens_are_refused",
        "await self._storage.ping()",
    ),
    *migration(
        "0011_erasure",
        "erasure/test_tenant_deletion.py"
        "::test_while_the_store_is_unavailable_the_tenant_stays_but_its_tokens_are_refused",
        " AND leaving_at IS NULL",
    ),
    *statement(
        "tenants/create_tenant",
        "erasure/test_tenant_deletion.py"
        "::test_while_the_store_is_unavailable_the_tenant_stays_but_its_tokens_are_refused",
        " WHERE tenants.leaving_at IS NULL",
    ),
    *statement(
        "erasure/finish_tenant_deletion",
        "erasure/test_tenant_deletion.py::test_a_file_written_after_the_deletion_of_its_tenant_is_swept",
        ("SELECT id FROM gone", "SELECT id FROM gone WHERE FALSE"),
    ),
    *migration(
        "0011_erasure",
        "erasure/test_tenant_deletion.py::test_an_audit_entry_of_a_deleted_tenant_is_refused",
        ("FOREIGN KEY (tenant_id) REFERENCES memferry.tenants (id)", "CHECK (TRUE)"),
    ),
    *module(
        "cli/tenant.py",
        "erasure/test_tenant_deletion.py::test_tenant_delete_needs_a_confirmation",
        ("if not yes:", "if False:"),
    ),
)

GUARDS: tuple[Guard, ...] = (*LINKS, *CSV_SAFE, *ENCRYPTION, *ERASURE)
