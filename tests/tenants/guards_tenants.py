"""Guards of tokens, of their scopes and namespaces, and of the deletion of a tenant."""

from guards import (
    Guard,
    drop,
    drop_item,
    drop_statement,
    guard_function,
    guard_schema,
    guard_statement,
    make_false,
    make_true,
    replace,
)

_LATE = (
    "tenants/test_tenant_deletion.py::test_deleting_a_tenant_removes_rows_saved_during_the_deletion"
)
_AWAY = "tenants/test_tenant_deletion.py::test_while_the_store_is_unavailable_the_tenant_stays_but_its_tokens_are_refused"

GUARDS: tuple[Guard, ...] = (
    # Each event is noted.
    *guard_statement(
        "jobs/get_job",
        "tenants/test_tokens.py::test_an_export_queued_while_its_token_is_revoked_ends_when_a_worker_takes_it",
        replace("token_id FROM cancelled", "token_id FROM cancelled WHERE FALSE"),
    ),
    # Who holds it is asked anew each time.
    *guard_statement(
        "tenants/find_token",
        "tenants/test_tokens.py",
        make_true("revoked_at IS NULL"),
        make_true("expires_at > now_ms()"),
    ),
    *guard_function(
        "tenants/tokens.py",
        "_SHOWN_CHARACTERS",
        "tenants/test_tokens.py::test_a_token_is_shown_once_and_works",
        replace("12", "100"),
    ),
    *guard_function(
        "http/tokens.py",
        "TokenEndpoints._create",
        "tenants/test_tokens.py::test_a_token_is_shown_once_and_works",
        replace(
            'answer_json({**row, field: token.text}, 201, {"Cache-Control": "no-store"})',
            "answer_json({**row, field: token.text})",
        ),
    ),
    *guard_function(
        "tenants/tokens.py",
        "make_token_row",
        "tenants/test_tokens.py::test_an_invalid_request_for_a_token_is_refused_by_its_field",
        make_false("time", "None"),
    ),
    *guard_function(
        "wire/tokens.py",
        "NewToken",
        "tenants/test_tokens.py::test_an_invalid_request_for_a_token_is_refused_by_its_field",
        drop_item("forbid_unknown_fields"),
    ),
    *guard_function(
        "model/strict_json.py",
        "decode",
        "tenants/test_tokens.py::test_namespaces_of_a_token_given_twice_are_refused",
        drop_statement("_refuse_repeated_members"),
    ),
    *guard_schema(
        "views",
        "",
        "tenants/test_tokens.py::test_the_service_can_store_a_digest_of_a_token_but_read_none_of_a_tenant",
        replace(
            "SELECT (id, name, prefix, scopes, namespaces, created_at, expires_at, revoked_at)",
            "SELECT",
        ),
    ),
    # What it has queued ends with it.
    *guard_statement(
        "tenants/revoke_token tenants/revoke_tenant_token",
        "tenants/test_tokens.py",
        replace("WHERE job.status IN", "WHERE FALSE AND job.status IN"),
    ),
    *guard_statement(
        "jobs/get_job", "tenants/test_tokens.py", make_false("tokens.revoked_at IS NOT NULL")
    ),
    # A limit to namespaces, which the database keeps.
    *guard_schema(
        "views",
        "VIEW memferry_service.tokens",
        "tenants/test_tokens.py::test_an_admin_token_within_namespaces_manages_no_other_namespace",
        replace(
            "AND (memferry.namespaces() IS NULL OR namespaces <@ memferry.namespaces()) WITH",
            "WITH",
        ),
    ),
    *guard_function(
        "tenants/tokens.py",
        "Tokens.create",
        "tenants/test_tokens.py",
        drop_statement("_check_reach"),
    ),
    *guard_schema(
        "views",
        "VIEW memferry_service.tokens",
        "tenants/test_tokens.py::test_the_database_stores_no_token_beyond_the_namespaces_of_its_creator",
        drop("WITH CASCADED CHECK OPTION"),
    ),
    # A tenant that is deleted leaves nothing.
    *guard_statement("tenants/lock_tenant", _LATE, drop("FOR UPDATE")),
    *guard_statement(
        "memories/save_memory",
        _LATE,
        drop("FOR KEY SHARE"),
    ),
    *guard_statement(
        "memories/save_memories",
        _LATE,
        replace("tenant FOR KEY SHARE", "tenant"),
    ),
    *guard_function(
        "tenants/deletion.py", "TenantDeletion.delete", _LATE, drop_statement("_remove_rows", "+=")
    ),
    *guard_function(
        "storage/base.py",
        "remove_prefix",
        "tenants/test_tenant_deletion.py::test_deleting_a_tenant_leaves_no_file_in_the_store",
        drop_statement("delete"),
        drop_statement("abort"),
    ),
    *guard_function(
        "storage/local.py", "LocalStorage._list_names", _AWAY, drop_statement("_check_root")
    ),
    *guard_schema(
        "views",
        "VIEW memferry_service.tenant",
        _AWAY,
        make_true("leaving_at IS NULL"),
    ),
    *guard_statement(
        "tenants/create_tenant",
        _AWAY,
        make_true("tenants.leaving_at IS NULL"),
    ),
    *guard_statement(
        "tenants/finish_tenant_deletion",
        "tenants/test_tenant_deletion.py::test_a_file_written_after_the_deletion_of_its_tenant_is_swept",
        replace("SELECT id FROM gone", "SELECT id FROM gone WHERE FALSE"),
    ),
    *guard_schema(
        "0001",
        "TABLE memferry.audit",
        "tenants/test_tenant_deletion.py::test_an_audit_entry_of_a_deleted_tenant_is_refused",
        drop("REFERENCES memferry.tenants (id)"),
    ),
    *guard_function(
        "cli/tenant.py",
        "delete",
        "tenants/test_tenant_deletion.py::test_tenant_delete_needs_a_confirmation",
        make_false("yes"),
    ),
    # Nothing of a tenant, not even its name, stays in a directory.
    *guard_function(
        "tenants/deletion.py",
        "TenantDeletion._remove_files",
        "tenants/test_tenant_deletion.py::test_deleting_a_tenant_removes_directories_of_a_killed_writer",
        drop_statement("prune"),
    ),
)
