"""Guards of memories: valid input, limits of a tenant, namespaces of a token."""

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
    replace_text,
)

_WRONG = (
    "memories/test_memories.py::test_wrong_input_is_refused_quickly_by_name_and_nothing_is_stored"
)
_HISTORY = "memories/test_history.py"
_WITHIN = "memories/test_namespaces.py::test_statements_without_a_where_reach_no_other_namespace"

GUARDS: tuple[Guard, ...] = (
    # No time is so late that a change of its row fails.
    *guard_function(
        "model/rules.py",
        "check_stored_time_ms",
        "memories/test_latest_times.py::test_no_memory_has_a_time_that_cannot_be_counted_on_from memories/test_latest_times.py::test_an_expiry_of_a_token_beyond_the_latest_time_is_refused",
        replace("LATEST_STORED_MS", "LATEST_MS"),
    ),
    # How large and how deep what is sent may be.
    *guard_function(
        "http/bodies.py",
        "_read_within",
        "memories/test_memories.py::test_a_body_over_the_limit_is_refused_while_it_arrives",
        make_false("size", "limit_bytes"),
    ),
    *guard_function(
        "http/bodies.py",
        "_read_within",
        "memories/test_memories.py::test_a_body_that_says_it_is_too_large_is_refused_before_it_arrives",
        make_false("isdigit", "int"),
    ),
    *guard_function(
        "model/rules.py",
        "check_content",
        "memories/test_memories.py::test_content_may_have_one_mebibyte_of_utf8",
        make_false("encode"),
    ),
    *guard_function(
        "model/rules.py",
        "check_json_object",
        "memories/test_memories.py::test_metadata_may_have_one_mebibyte",
        make_false("most_bytes"),
    ),
    *guard_function("model/rules.py", "check_text", _WRONG, make_false("\x00")),
    *guard_function(
        "model/strict_json.py",
        "compact",
        _WRONG,
        make_false("holds_nul"),
        make_false("holds_wild_number"),
    ),
    *guard_function(
        "http/search.py",
        "_check_queries",
        "memories/test_search.py::test_bulk_search_takes_1_to_25_queries",
        make_false("queries"),
    ),
    *guard_function(
        "http/items.py",
        "_make_array",
        "memories/test_memories.py::test_bulk_save_takes_ten_thousand_rows",
        drop_item("forbid_unknown_fields"),
    ),
    *guard_function(
        "http/reading.py",
        "read_number",
        "memories/test_search.py::test_junk_numbers_fall_back_and_others_are_clamped",
        replace("min(max(int(text), least), most)", "int(text)"),
    ),
    # What one tenant stores has its limits.
    *guard_statement(
        "memories/save_memory",
        "memories/test_store_limits.py",
        make_true("used.rows < $8::bigint"),
        replace("SELECT 1, text_bytes", "SELECT 0, text_bytes"),
    ),
    *guard_schema(
        "views",
        "FUNCTION memferry_service.tell",
        "memories/test_store_limits.py",
        drop("+ cardinality(tell.data)"),
    ),
    *guard_statement(
        "memories/change_memory",
        "memories/test_store_limits.py",
        make_false("old.new_bytes <= old.bytes"),
        make_false("used.bytes < $6::bigint"),
        replace("SELECT 0, old.new_bytes - old.bytes", "SELECT 0, 0"),
    ),
    *guard_statement(
        "memories/delete_memories",
        "memories/test_store_limits.py",
        replace("SELECT -count(*), -sum", "SELECT 0, -sum"),
    ),
    *guard_function(
        "projects/service.py",
        "Projects.create",
        "memories/test_store_limits.py::test_a_tenant_creates_no_more_projects_than_it_may_have",
        make_false("too_many"),
    ),
    *guard_function(
        "audit/service.py",
        "Audit.record",
        "memories/test_store_limits.py::test_refusals_beyond_a_rate_are_counted_and_not_noted_one_by_one",
        make_true("take", "None"),
    ),
    *guard_function(
        "audit/service.py",
        "Audit.aclose",
        "memories/test_store_limits.py::test_refusals_beyond_a_rate_are_counted_and_not_noted_one_by_one",
        drop_statement("_start"),
    ),
    # Scopes.
    *guard_function(
        "http/auth.py",
        "Access.check",
        "memories/test_namespaces.py::test_webhooks_are_closed_to_a_limited_token",
        make_false("namespaces", "whole_tenant"),
    ),
    *guard_function(
        "http/webhooks.py",
        "WRITE",
        "memories/test_namespaces.py::test_webhooks_are_closed_to_a_limited_token",
        drop_item("whole_tenant"),
    ),
    # Pages of a search agree with each other, and tell nothing of other namespaces.
    *guard_function(
        "memories/search.py",
        "_check",
        "memories/test_word_search.py::test_a_changed_cursor_of_a_search_is_refused",
        make_false("fits"),
    ),
    *guard_statement(
        "memories/weigh_words",
        "memories/test_word_search.py::test_scores_know_nothing_of_namespaces_beyond_the_token",
        replace("$4::boolean", "false"),
    ),
    *guard_function(
        "memories/search.py",
        "BY_READING",
        "memories/test_word_search.py::test_pages_lead_to_every_row_once_with_falling_scores",
        replace_text("(created_at, id) >= ($8", "(created_at, id) <> ($8"),
    ),
    *guard_statement(
        "memories/list_newest_hits",
        "memories/test_word_search.py::test_the_newest_of_many_hits_are_those_among_all",
        make_true("(created_at, id) >= ($8::bigint, $9::uuid)"),
    ),
    *guard_function(
        "memories/ranking.py",
        "match_others",
        "memories/test_word_search.py::test_pages_lead_to_every_row_once_with_falling_scores",
        replace_text(" & !(", " | ("),
    ),
    # A limit to namespaces, which the database keeps.
    *guard_function(
        "tenants/tokens.py",
        "make_caller",
        "memories/test_namespaces.py::test_a_limited_token_finds_only_memories_of_its_namespaces",
        make_false("limited"),
    ),
    *guard_function("database/pool.py", "_set_tenant", _WITHIN, drop_statement("hex")),
    *guard_schema(
        "views",
        "VIEW memferry_service.stored_memories",
        _WITHIN,
        drop("WITH LOCAL CHECK OPTION"),
    ),
    *guard_schema(
        "views",
        "VIEW memferry_service.stored_memories",
        "memories/test_namespaces.py tenants/test_tokens.py",
        replace("namespace = ANY ((SELECT", "true OR namespace = ANY ((SELECT"),
    ),
    *guard_schema(
        "views",
        "VIEW memferry_service.export_payloads",
        _WITHIN,
        replace("namespaces() IS NULL OR EXISTS (", "namespaces() IS NULL OR TRUE OR EXISTS ("),
    ),
    *(
        guard
        for view in ("messages", "deliveries", "audit")
        for guard in guard_schema(
            "views",
            f"VIEW memferry_service.{view}",
            _WITHIN,
            make_true("memferry.namespaces() IS NULL"),
        )
    ),
    *guard_schema(
        "views",
        "VIEW memferry_service.jobs",
        "memories/test_namespaces.py::test_a_limited_token_sees_only_exports_within_its_namespaces",
        replace("OR namespaces <@ (SELECT memferry.namespaces())::text[]", "OR TRUE"),
    ),
    *guard_function(
        "exports/request.py",
        "ExportRequest.read",
        "memories/test_namespaces.py",
        replace("{**request.values, TokenNamespaces: list(namespaces)}", "request.values"),
    ),
    *guard_function(
        "exports/request.py",
        "ExportRequest.digest",
        "memories/test_namespaces.py::test_an_idempotency_key_never_answers_an_export_of_other_namespaces",
        make_true("None"),
    ),
    # The change log: every change is in it, no word of a deleted memory, nothing beyond a limit.
    *guard_schema(
        "0007_changes",
        "CREATE FUNCTION memferry.log_changes",
        f"{_HISTORY}::test_every_way_to_change_memories_is_in_their_history",
        make_false("after.version > before.version"),
    ),
    *guard_schema(
        "0007_changes",
        "FUNCTION memferry.log_deletions",
        f"{_HISTORY}::test_a_deleted_memory_has_a_history_without_words",
        replace("change.former IS NOT NULL", "false"),
    ),
    *guard_schema(
        "0007_changes",
        "FUNCTION memferry.number_change",
        "memories/test_change_order.py::test_a_follower_misses_nothing_and_repeats_nothing",
        drop("NEW.changed_in := pg_current_xact_id();"),
    ),
    *guard_schema(
        "0007_changes",
        "FUNCTION memferry.forget_versions",
        f"{_HISTORY}::test_of_each_memory_the_newest_versions_are_kept",
        make_false("place > most_versions OR (place > 1 AND bytes > most_bytes)"),
    ),
    *guard_schema(
        "views",
        "VIEW memferry_service.changes",
        f"{_HISTORY}::test_a_limited_token_sees_only_changes_within_its_namespaces",
        replace("OR namespaces <@", "OR TRUE OR namespaces <@"),
    ),
    # The planner knows whoever has many memories.
    *(
        guard
        for trigger in ("show_first_rows", "show_more_rows")
        for guard in guard_schema(
            "0011_statistics",
            f"TRIGGER {trigger}",
            "memories/test_statistics.py",
            make_false(
                "NEW.rows >= 128" if "first" in trigger else "NEW.rows / 128 > OLD.rows / 128"
            ),
        )
    ),
    # Nobody sees what has expired; what is deleted for that has expired still.
    *(
        guard
        for view in ("memories", "searched_memories")
        for guard in guard_schema(
            "views",
            f"VIEW memferry_service.{view}",
            "memories/test_expiry.py::test_an_expired_memory_is_gone_from_every_read_at_once",
            make_true(
                "(CASE WHEN expires_at < (SELECT memferry.moment()) THEN NULL ELSE true END) IS NOT NULL"
            ),
        )
    ),
    *guard_statement(
        "erasure/lock_expired",
        "memories/test_expiry.py::test_a_memory_whose_time_was_extended_meanwhile_is_not_swept",
        make_true("expires_at < now_ms()"),
    ),
    *guard_function(
        "model/rules.py",
        "check_expiry",
        "memories/test_expiry.py::test_an_expiry_that_cannot_be_is_refused_by_name",
        make_false("time"),
    ),
    *guard_function(
        "imports/reading.py",
        "Reading._make_line",
        "memories/test_expiry.py::test_an_import_leaves_out_what_has_expired",
        make_false("has_expired"),
    ),
    *guard_statement(
        "memories/list_history",
        f"{_HISTORY}::test_an_answer_holds_so_many_bytes_of_former_states_and_all_can_be_had",
        make_true("entry.sum_bytes <= $4"),
    ),
)
