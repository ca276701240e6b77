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
        "exports/purge_exports tenants/revoke_tenant_token tenants/revoke_token tenants/begin_tenant_deletion",
        "rules/test_lock_order.py::test_several_exports_are_locked_by_their_ids",
        drop("ORDER BY export.id"),
    ),
    *guard_statement(
        "memories/save_memories",
        "rules/test_lock_order.py::test_a_message_waits_for_the_deletion_of_its_webhook",
        replace("FOR KEY SHARE ), room", "), room"),
    ),
    *guard_schema(
        "0024_messages",
        "",
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
    # The views carry the tenant, each where it is defined last.
    *guard_schema(
        "0001_core",
        "",
        _BETWEEN,
        replace(
            "FROM memferry.webhooks WHERE tenant_id = current_setting('memferry.tenant')::uuid",
            "FROM memferry.webhooks",
        ),
    ),
    *guard_schema(
        "0002_export_life",
        "",
        _BETWEEN,
        replace(
            "FROM memferry.idempotency_keys WHERE tenant_id = current_setting('memferry.tenant')::uuid",
            "FROM memferry.idempotency_keys",
        ),
    ),
    *guard_schema(
        "0004_tokens",
        "",
        _BETWEEN,
        replace(
            "FROM memferry.tokens WHERE tenant_id = current_setting('memferry.tenant')::uuid",
            "FROM memferry.tokens WHERE TRUE",
        ),
        replace(
            "FROM memferry.export_payloads WHERE tenant_id = current_setting('memferry.tenant')::uuid",
            "FROM memferry.export_payloads WHERE TRUE",
        ),
        replace(
            "FROM memferry.deliveries WHERE tenant_id = current_setting('memferry.tenant')::uuid",
            "FROM memferry.deliveries WHERE TRUE",
        ),
    ),
    *guard_schema(
        "0019_metadata_text",
        "",
        _BETWEEN,
        replace(
            "FROM memferry.memories WHERE tenant_id = current_setting('memferry.tenant')::uuid",
            "FROM memferry.memories WHERE TRUE",
        ),
    ),
    *guard_schema(
        "0005_audit",
        "",
        _BETWEEN,
        replace(
            "FROM memferry.audit WHERE tenant_id = current_setting('memferry.tenant')::uuid",
            "FROM memferry.audit WHERE TRUE",
        ),
    ),
    *guard_schema(
        "0011_erasure", "", _BETWEEN, make_true("id = current_setting('memferry.tenant')::uuid")
    ),
    *guard_schema(
        "0013_starts",
        "",
        _BETWEEN,
        make_true("tenant_id = current_setting('memferry.tenant')::uuid"),
    ),
    # Across tenants nobody reads a word of theirs.
    *guard_schema(
        "0010_encryption",
        "",
        "rules/test_tenancy.py::test_only_the_transaction_that_writes_an_export_sees_its_words_in_the_queue",
        replace(
            "CASE WHEN xmin = pg_current_xact_id_if_assigned()::xid THEN filters END AS filters",
            "filters",
        ),
        replace(
            "CASE WHEN xmin = pg_current_xact_id_if_assigned()::xid THEN row_count END AS row_count",
            "row_count",
        ),
        replace(
            "CASE WHEN xmin = pg_current_xact_id_if_assigned()::xid THEN last_error END AS last_error",
            "last_error",
        ),
    ),
    *guard_schema(
        "0007_isolation",
        "",
        "rules/test_tenancy.py::test_every_table_of_tenants_is_protected",
        drop("REVOKE SELECT ON memferry_service.idempotency_queue FROM memferry_service;"),
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
