"""Guards of links, and of what is exported: formulas in it, encryption, erasure."""

from rules.guard import Guard, module, schema, statement

_TENANT = "tenant_id uuid NOT NULL DEFAULT current_setting('memferry.tenant')::uuid"
_NOTED = "id uuid NOT NULL DEFAULT gen_random_uuid(),\n    noted_at"

_PRIVATE = "exports/test_exports.py::test_a_link_is_private_and_cannot_be_changed"
_GUARDED = (
    "formats/test_csv_safe.py::test_every_text_column_is_guarded_where_a_spreadsheet_might_run_it"
)
_RECIPIENT = "exports/test_encryption.py::test_what_is_no_public_key_is_refused_and_not_repeated"
_LATE = "erasure/test_tenant_deletion.py::test_what_is_being_saved_meanwhile_goes_as_well"
_ADDED = (
    "erasure/test_erasure.py::test_an_export_that_was_added_before_the_deletion_came_is_found_by_it"
)

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
    *module("http/downloads.py", _PRIVATE, ('methods=["GET"]', 'methods=["GET", "POST"]')),
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
        "exports/test_export_life.py::test_what_is_past_its_time_is_expired_before_it_is_swept",
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
        "cli/test_download_resume.py::test_the_token_does_not_go_where_a_link_leads",
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
        "formats/test_csv_safe.py::test_it_goes_only_with_csv",
        ("if name not in SAFE_FORMATS:\n        raise", "if False:\n        raise"),
    ),
)

ENCRYPTION: tuple[Guard, ...] = (
    *module(
        "exports/request.py", _RECIPIENT, ("default=None, check=check_recipient", "default=None")
    ),
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
        "exports/test_encryption.py::test_a_key_to_which_everybody_could_read_is_refused",
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
        "exports/test_encryption.py::test_what_is_stored_cannot_be_read",
        "self._steps += [] if self._encryptor is None else [self._encryptor]",
    ),
    *schema(
        "0001",
        "exports/test_encryption.py::test_the_database_takes_no_payload_of_an_encrypted_export",
        (
            "request ->> 'encrypt_to' IS NULL OR status <> 'completed' OR object_key IS NOT NULL",
            "TRUE",
        ),
    ),
    *module(
        "cli/decrypt.py",
        "exports/test_encryption.py::test_what_was_encrypted_by_somebody_else_is_not_taken_for_the_export",
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
        "webhooks/test_webhooks.py::test_what_was_told_is_kept_until_its_last_attempt_and_no_longer",
        ("CASE WHEN $6 IS NOT NULL THEN message_id END", "message_id"),
        ("CASE WHEN $6 IS NOT NULL THEN message_id END", "NULL"),
    ),
    *statement(
        "webhooks/drop_delivery",
        "webhooks/test_webhooks.py::test_what_a_disabled_webhook_is_not_told_is_not_kept",
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
        "erasure/test_erasure.py::test_a_payload_that_holds_it_is_gone_and_says_so",
        ("WHERE payload.export_id = holding.id", "WHERE FALSE"),
    ),
    *module(
        "erasure/memories.py",
        "erasure/test_erasure.py::test_a_file_that_holds_it_is_gone_with_its_links",
        ("await self._remove([key for key in purged.values() if key is not None])", "pass"),
    ),
    *module(
        "erasure/memories.py",
        "erasure/test_erasure.py::test_the_setting_makes_it_the_rule",
        " or self._always_purge",
    ),
    *module(
        "app.py",
        "erasure/test_erasure.py::test_the_setting_makes_it_the_rule",
        ("always_purge=settings.purge_exports", "always_purge=False"),
    ),
    *module(
        "http/requests.py",
        "erasure/test_erasure.py::test_what_is_neither_true_nor_false_deletes_nothing",
        ('if text not in {"true", "false"}:', "if False:"),
    ),
    *module(
        "exports/purge.py",
        "erasure/test_erasure.py::test_a_limited_token_reaches_exports_beyond_its_limit",
        ('await connection.execute(sql("exports/see_all_namespaces"))', "pass"),
    ),
    *statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_a_memory_that_matched_before_it_was_changed_is_found",
        ("erased.updated_at >= coalesce(export.snapshot_at, export.created_at) - 3600000", "FALSE"),
    ),
    *statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_an_export_from_long_before_it_was_saved_stays",
        ("now_ms()) + 86400000)", "now_ms()))"),
    ),
    # Also those that are being made.
    *module(
        "erasure/memories.py",
        "erasure/test_erasure.py::test_an_export_that_is_being_answered_is_made_again_without_it",
        ("await begin_purge(connection)", "pass"),
    ),
    *(
        each
        for name in ("exports/create_completed_export", "exports/create_pending_export")
        for each in statement(name, _ADDED, " FOR SHARE")
    ),
    *statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_an_export_that_is_being_written_starts_again_without_it",
        "attempt = export.attempt + 1, ",
        ("CASE WHEN export.leased_until > now() THEN 1 ELSE 0 END", "0"),
    ),
    *statement(
        "exports/purge_exports",
        "erasure/test_erasure.py::test_an_export_that_is_being_published_is_taken_back",
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
        "erasure/test_tenant_deletion.py::test_the_store_keeps_no_file",
        ("await self._storage.delete(info.key)", "pass"),
        ("await self._storage.abort(upload)", "pass"),
    ),
    *module(
        "erasure/tenants.py",
        "erasure/test_tenant_deletion.py"
        "::test_while_the_store_is_away_the_tenant_stays_and_nobody_speaks_for_it",
        "await self._storage.ping()",
    ),
    *schema(
        "views",
        "erasure/test_tenant_deletion.py"
        "::test_while_the_store_is_away_the_tenant_stays_and_nobody_speaks_for_it",
        " AND leaving_at IS NULL",
    ),
    *statement(
        "tenants/create_tenant",
        "erasure/test_tenant_deletion.py"
        "::test_while_the_store_is_away_the_tenant_stays_and_nobody_speaks_for_it",
        " WHERE tenants.leaving_at IS NULL",
    ),
    *statement(
        "erasure/finish_tenant_deletion",
        "erasure/test_tenant_deletion.py::test_a_file_that_comes_late_is_swept",
        ("SELECT id FROM gone", "SELECT id FROM gone WHERE FALSE"),
    ),
    *schema(
        "0001",
        "erasure/test_tenant_deletion.py::test_what_is_noted_of_a_tenant_that_is_gone_is_refused",
        (
            f"{_TENANT} REFERENCES memferry.tenants (id),\n    {_NOTED}",
            f"{_TENANT},\n    {_NOTED}",
        ),
    ),
    *module(
        "cli/tenant.py",
        "erasure/test_tenant_deletion.py::test_the_command_needs_to_be_told_twice",
        ("if not yes:", "if False:"),
    ),
)

GUARDS: tuple[Guard, ...] = (*LINKS, *CSV_SAFE, *ENCRYPTION, *ERASURE)
