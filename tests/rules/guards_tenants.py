"""Guards between tenants, and of what a token may do."""

from rules.guard import Guard, module, schema, statement

_OWN = "WHERE tenant_id = current_setting('memferry.tenant')::uuid"
_BETWEEN = "rules/test_isolation_mutations.py::test_no_condition_holds_bob_back_from_alice"
_WITHIN = "memories/test_namespaces.py::test_forgotten_wheres_and_checks_reach_nothing_else"
_LIMITED = "memferry.namespaces() IS NULL OR namespaces <@ memferry.namespaces()"
_EVERYWHERE = "AND memferry.namespaces() IS NULL"

ISOLATION: tuple[Guard, ...] = (
    # The views carry the tenant.
    *schema(
        "views",
        _BETWEEN,
        *(
            (f"FROM memferry.{table} {_OWN}", f"FROM memferry.{table} WHERE TRUE")
            for table in (
                *("tokens", "memories", "jobs", "export_payloads", "idempotency_keys"),
                *("webhooks", "deliveries", "audit"),
            )
        ),
        ("WHERE id = current_setting('memferry.tenant')::uuid", "WHERE TRUE"),
    ),
    *schema(
        "views",
        "jobs/test_limits.py::test_exports_per_hour_are_counted_and_the_next_tenant_is_free",
        (f"FROM memferry.export_buckets\n{_OWN}", "FROM memferry.export_buckets\nWHERE TRUE"),
    ),
    # Across tenants nobody reads a word of theirs.
    *schema(
        "views",
        "rules/test_tenancy.py::test_every_table_of_tenants_is_protected",
        ("SELECT (tenant_id, created_at), DELETE ON", "SELECT, DELETE ON"),
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
        "tenants/test_tokens.py::test_a_mistake_makes_no_token_and_is_named",
        ("grant.expires_at <= time.time() * 1000", "False"),
    ),
    *module(
        "http/tokens.py",
        "tenants/test_tokens.py::test_a_mistake_makes_no_token_and_is_named",
        ", forbid_unknown_fields=True",
    ),
    *module(
        "model/json.py",
        "tenants/test_tokens.py::test_a_limit_that_is_given_twice_is_refused",
        "        _refuse_repeated_members(body)\n",
    ),
    *schema(
        "views",
        "tenants/test_tokens.py::test_the_service_can_store_a_digest_but_read_none_of_a_tenant",
        (
            "SELECT (id, name, prefix, scopes, namespaces, created_at, expires_at, revoked_at)",
            "SELECT",
        ),
    ),
    # What it has queued ends with it.
    *statement(
        "tenants/revoke_token tenants/revoke_tenant_token",
        "tenants/test_tokens.py",
        ("WHERE job.status IN", "WHERE FALSE AND job.status IN"),
    ),
    *statement(
        "exports/get_job", "tenants/test_tokens.py", ("tokens.revoked_at IS NOT NULL", "FALSE")
    ),
    # Scopes.
    *module("http/auth.py", "http/test_scopes.py", ("if scope not in holder.scopes:", "if False:")),
    *module(
        "http/auth.py",
        "memories/test_namespaces.py::test_webhooks_which_reach_further_are_closed_to_it",
        ("if whole_tenant and holder.namespaces is not None:", "if False:"),
    ),
    *module(
        "http/webhooks.py",
        "memories/test_namespaces.py::test_webhooks_which_reach_further_are_closed_to_it",
        ', "whole_tenant": True',
    ),
    *module(
        "http/audit.py",
        "audit/test_audit.py::test_it_is_closed_to_a_limited_token_which_is_noted_all_the_same",
        ", whole_tenant=True",
    ),
    # A limit to namespaces, which the database keeps.
    *module(
        "tenants/tokens.py",
        "memories/test_namespaces.py::test_it_finds_only_its_own",
        ('await self._limited(holder) if row["limited"] else holder', "holder"),
    ),
    *module(
        "database/pool.py",
        _WITHIN,
        ('settings["namespaces"] = array(caller.namespaces).encode().hex()', "pass"),
    ),
    *schema(
        "views",
        "memories/test_namespaces.py tenants/test_tokens.py",
        "WITH CASCADED CHECK OPTION",
        ("namespace = ANY ((SELECT", "true OR namespace = ANY ((SELECT"),
    ),
    *schema(
        "views",
        "tenants/test_tokens.py::test_an_admin_within_namespaces_reaches_no_further",
        (f"AND ({_LIMITED})\nWITH", "WITH"),
    ),
    *schema(
        "views",
        _WITHIN,
        ("namespaces() IS NULL OR EXISTS (", "namespaces() IS NULL OR TRUE OR EXISTS ("),
        _EVERYWHERE,
    ),
    *schema(
        "views",
        "memories/test_namespaces.py::test_it_sees_only_exports_under_its_own_limit_or_a_part_of_it",
        ("OR namespaces <@ (SELECT memferry.namespaces())::text[]", "OR TRUE"),
    ),
    *module(
        "exports/request.py",
        "memories/test_namespaces.py",
        ("{**request.values, Within: list(namespaces)}", "request.values"),
    ),
    *module(
        "exports/request.py",
        "memories/test_namespaces.py::test_a_key_never_answers_an_export_of_another_limit",
        ("if namespaces is None:", "if True:"),
    ),
    *module("tenants/tokens.py", "tenants/test_tokens.py", ("_check_reach(caller, grant)", "pass")),
)

GUARDS: tuple[Guard, ...] = (*ISOLATION, *TOKENS)
