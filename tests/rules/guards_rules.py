"""Guards of what holds everywhere: tenants, download links, the order of locks, no secrets."""

from guards import (
    Guard,
    drop,
    drop_item,
    drop_statement,
    guard_function,
    guard_schema,
    guard_statement,
    guard_tool,
    make_false,
    make_true,
    replace,
    replace_text,
)

_BETWEEN = "rules/test_isolation_mutations.py::test_no_lost_condition_shows_alice_a_row_of_bob"

GUARDS: tuple[Guard, ...] = (
    *guard_function(
        "exports/hand_out/links.py",
        "Links.open",
        "rules/test_foreign_links.py::test_a_link_with_any_byte_altered_opens_nothing",
        make_false("compare_digest"),
    ),
    *guard_function(
        "exports/hand_out/links.py",
        "Links.open",
        "rules/test_foreign_links.py::test_a_link_works_for_fifteen_minutes",
        make_false("expires"),
    ),
    *guard_function(
        "exports/hand_out/links.py",
        "LIFETIME",
        "rules/test_foreign_links.py::test_a_link_works_for_fifteen_minutes",
        replace("timedelta(minutes=15)", "timedelta(days=15)"),
    ),
    # Who locks several rows does so in one order; a deletion is waited for.
    *guard_statement(
        "exports/purge_exports",
        "rules/test_lock_order.py::test_several_exports_are_locked_by_their_ids",
        drop("ORDER BY export.id"),
    ),
    *guard_statement(
        "tenants/revoke_tenant_token tenants/revoke_token tenants/begin_tenant_deletion",
        "rules/test_lock_order.py::test_several_exports_are_locked_by_their_ids",
        drop("ORDER BY job.id"),
    ),
    *guard_schema(
        "views",
        "FUNCTION memferry_service.tell",
        "rules/test_lock_order.py::test_a_message_waits_for_the_deletion_of_its_webhook",
        drop("FOR KEY SHARE"),
    ),
    *guard_function(
        "webhooks/delivery.py",
        "Deliverer._settle",
        "rules/test_lock_order.py::test_a_delivery_is_settled_after_its_webhook_is_locked",
        drop_statement("webhooks/lock_webhook"),
    ),
    *guard_tool(
        "secret_scan.py",
        "_SETTINGS",
        "rules/test_supply_chain.py::test_a_planted_secret_is_found_and_not_repeated",
        drop_item("_OUR_OWN"),
    ),
    *guard_tool(
        "secret_scan.py",
        "_SHAPES",
        "rules/test_supply_chain.py::test_a_planted_secret_is_found_and_not_repeated",
        drop_item("AWSKeyDetector"),
        drop_item("PrivateKeyDetector"),
    ),
    *guard_tool(
        "secret_scan.py",
        "find_secrets",
        "rules/test_supply_chain.py::test_a_planted_secret_is_found_and_not_repeated",
        replace_text("{each.type}", "{each.type} {each.secret_value}"),
    ),
    # The views carry the tenant.
    *(
        guard
        for view in (
            *("tokens", "stored_memories", "jobs", "export_payloads", "idempotency_keys"),
            *("webhooks", "deliveries", "audit"),
        )
        for guard in guard_schema(
            "views",
            f"VIEW memferry_service.{view}",
            _BETWEEN,
            make_true("tenant_id = current_setting('memferry.tenant')::uuid"),
        )
    ),
    *guard_schema(
        "views",
        "VIEW memferry_service.tenant",
        _BETWEEN,
        make_true("id = current_setting('memferry.tenant')::uuid"),
    ),
    # Across tenants nobody reads a word of theirs.
    *guard_schema(
        "views",
        "idempotency_queue TO",
        "rules/test_tenancy.py::test_every_table_of_tenants_is_protected",
        replace("SELECT (tenant_id, created_at), DELETE", "SELECT, DELETE"),
    ),
    # A session can do what the service's role can, and no more.
    *guard_function(
        "database/sessions.py",
        "service_settings",
        "rules/test_isolation.py::test_a_connection_of_the_service_reads_no_table",
        drop_item("role"),
    ),
    # Who holds it is asked anew each time.
    *guard_function(
        "tenants/tokens.py",
        "Tokens.find_caller",
        "rules/test_isolation_mutations.py",
        make_false("compare_digest"),
    ),
)
