"""Guards between tenants, and of what a token may do."""

from rules.guard import Guard, migration, module, statement

_OWN = "WHERE tenant_id = current_setting('memferry.tenant')::uuid"
_BETWEEN = "rules/test_isolation_mutations.py::test_no_lost_condition_shows_alice_a_row_of_bob"
_WITHIN = "memories/test_namespaces.py::test_statements_without_a_where_reach_no_other_namespace"
_WRITER = "xmin = pg_current_xact_id_if_assigned()::xid"
_LIMITED = "memferry_service.namespaces() IS NULL OR namespaces <@ memferry_service.namespaces()"
_EVERYWHERE = "AND memferry_service.namespaces() IS NULL"

ISOLATION: tuple[Guard, ...] = (
    # The views carry the tenant, each where it is defined last.
    *migration(
        "0001_core",
        _BETWEEN,
        (f"FROM memferry.webhooks {_OWN}", "FROM memferry.webhooks"),
    ),
    *migration(
        "0002_export_life",
        _BETWEEN,
        (f"FROM memferry.idempotency_keys {_OWN}", "FROM memferry.idempotency_keys"),
    ),
    *migration(
        "0004_tokens",
        _BETWEEN,
        *(
            (f"FROM memferry.{table} {_OWN}", f"FROM memferry.{table} WHERE TRUE")
            for table in ("tokens", "export_payloads", "deliveries")
        ),
    ),
    *migration(
        "0019_metadata_text",
        _BETWEEN,
        (f"FROM memferry.memories {_OWN}", "FROM memferry.memories WHERE TRUE"),
    ),
    *migration(
        "0005_audit", _BETWEEN, (f"FROM memferry.audit {_OWN}", "FROM memferry.audit WHERE TRUE")
    ),
    *migration(
        "0017_numbered_starts",
        "jobs/test_limits.py::test_exports_per_hour_are_counted_and_the_next_tenant_is_free",
        _OWN,
    ),
    *migration(
        "0011_erasure",
        _BETWEEN,
        ("WHERE id = current_setting('memferry.tenant')::uuid", "WHERE TRUE"),
    ),
    *migration("0013_starts", _BETWEEN, (_OWN, "WHERE TRUE")),
    # Across tenants nobody reads a word of theirs.
    *migration(
        "0010_encryption",
        "rules/test_tenancy.py::"
        "test_only_the_transaction_that_writes_an_export_sees_its_words_in_the_queue",
        *(
            (f"CASE WHEN {_WRITER} THEN {column} END AS {column}", column)
            for column in ("filters", "row_count", "last_error")
        ),
    ),
    *migration(
        "0007_isolation",
        "rules/test_tenancy.py::test_every_table_of_tenants_is_protected",
        "REVOKE SELECT ON memferry_service.idempotency_queue FROM memferry_service;",
    ),
    # A session can do what the service's role can, and no more.
    *module(
        "database/sessions.py",
        "rules/test_isolation.py::test_a_connection_of_the_service_reads_no_table",
        '"role": role,',
    ),
)

TOKENS: tuple[Guard, ...] = (
    # Who holds it is asked anew each time.
    *statement(
        "tenants/find_token",
        "tenants/test_tokens.py",
        " AND revoked_at IS NULL",
        ("expires_at > now_ms()", "TRUE"),
    ),
    *module(
        "tenants/tokens.py",
        "rules/test_isolation_mutations.py",
        ' or not hmac.compare_digest(row["sha256"], sought)',
    ),
    *module(
        "tenants/tokens.py",
        "tenants/test_tokens.py::test_a_token_is_shown_once_and_works",
        ("_SHOWN_CHARACTERS = 12", "_SHOWN_CHARACTERS = 100"),
    ),
    *module(
        "http/tokens.py",
        "tenants/test_tokens.py::test_a_token_is_shown_once_and_works",
        ', 201, {"Cache-Control": "no-store"}',
    ),
    *module(
        "tenants/tokens.py",
        "tenants/test_tokens.py::test_an_invalid_request_for_a_token_is_refused_by_its_field",
        ("grant.expires_at <= time.time() * 1000", "False"),
    ),
    *module(
        "wire/tokens.py",
        "tenants/test_tokens.py::test_an_invalid_request_for_a_token_is_refused_by_its_field",
        ", forbid_unknown_fields=True",
    ),
    *module(
        "model/strict_json.py",
        "tenants/test_tokens.py::test_namespaces_of_a_token_given_twice_are_refused",
        "        _refuse_repeated_members(body)\n",
    ),
    *migration(
        "0004_tokens",
        "tenants/test_tokens.py::test_the_service_can_store_a_digest_of_a_token_but_read_none_of_a_tenant",
        (
            "SELECT (id, name, prefix, scopes, namespaces, created_at, expires_at, revoked_at)",
            "SELECT",
        ),
    ),
    *migration(
        "0004_tokens",
        "tenants/test_tokens.py::test_the_version_before_is_shown_no_limited_token",
        (
            "namespaces IS NULL AND (expires_at IS NULL OR expires_at > memferry_service.now_ms())",
            "TRUE",
        ),
        "AND scopes @> '{memories:read,memories:write,exports:read,exports:create}'",
    ),
    # What it has queued ends with it.
    *statement(
        "tenants/revoke_token tenants/revoke_tenant_token",
        "tenants/test_tokens.py",
        ("WHERE export.status IN", "WHERE FALSE AND export.status IN"),
    ),
    *statement(
        "exports/get_job", "tenants/test_tokens.py", ("tokens.revoked_at IS NOT NULL", "FALSE")
    ),
    # Scopes.
    *module("http/auth.py", "http/test_scopes.py", ("if scope not in holder.scopes:", "if False:")),
    *module(
        "http/auth.py",
        "memories/test_namespaces.py::test_webhooks_are_closed_to_a_limited_token",
        ("if self.whole_tenant and holder.namespaces is not None:", "if False:"),
    ),
    *module(
        "http/webhooks.py",
        "memories/test_namespaces.py::test_webhooks_are_closed_to_a_limited_token",
        ", whole_tenant=True",
    ),
    *module(
        "http/audit.py",
        "audit/test_audit.py::test_the_audit_is_closed_to_a_limited_token_whose_refusal_is_noted",
        ", whole_tenant=True",
    ),
    # A limit to namespaces, which the database keeps.
    *module(
        "tenants/tokens.py",
        "memories/test_namespaces.py::test_a_limited_token_finds_only_memories_of_its_namespaces",
        ('await self._limited(holder) if row["limited"] else holder', "holder"),
    ),
    *module(
        "database/pool.py",
        _WITHIN,
        ('settings["namespaces"] = array(caller.namespaces).encode().hex()', "pass"),
    ),
    *migration(
        "0004_tokens",
        "memories/test_namespaces.py tenants/test_tokens.py",
        "WITH CASCADED CHECK OPTION",
        ("namespace = ANY ((SELECT", "true OR namespace = ANY ((SELECT"),
    ),
    *migration(
        "0010_encryption",
        "memories/test_namespaces.py::test_a_worker_of_the_version_before_is_offered_no_limited_export",
        "\n        || CASE WHEN namespaces IS NULL THEN '' ELSE ' of namespaces' END",
    ),
    *migration(
        "0004_tokens",
        "tenants/test_tokens.py::test_an_admin_token_within_namespaces_manages_no_other_namespace",
        (f"AND ({_LIMITED})\nWITH", "WITH"),
    ),
    *migration(
        "0004_tokens",
        _WITHIN,
        ("namespaces() IS NULL OR EXISTS (", "namespaces() IS NULL OR TRUE OR EXISTS ("),
        f"\n    {_EVERYWHERE}",
    ),
    *migration("0005_audit", _WITHIN, _EVERYWHERE),
    *migration(
        "0013_starts",
        "memories/test_namespaces.py::test_a_limited_token_sees_only_exports_within_its_namespaces",
        ("OR namespaces <@ (SELECT memferry_service.namespaces())::text[]", "OR TRUE"),
    ),
    *module(
        "exports/request.py",
        "memories/test_namespaces.py",
        ("values=request.values | {Within: within}", "values=request.values"),
    ),
    *module(
        "exports/request.py",
        "memories/test_namespaces.py::test_an_idempotency_key_never_answers_an_export_of_other_namespaces",
        ("if namespaces is None:", "if True:"),
    ),
    *module("tenants/tokens.py", "tenants/test_tokens.py", ("_check_reach(caller, grant)", "pass")),
)

GUARDS: tuple[Guard, ...] = (*ISOLATION, *TOKENS)
