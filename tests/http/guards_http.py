"""Guards of the API: what a request may send, and how long a connection may last."""

from guards import (
    Guard,
    drop_definition,
    drop_item,
    drop_statement,
    guard_function,
    make_false,
    make_true,
    replace,
)

_DEEP = "http/test_hostile_json.py::test_ten_thousand_levels_are_refused_at_once_with_the_field"

GUARDS: tuple[Guard, ...] = (
    # HEAD is GET without its body.
    *guard_function(
        "http/app.py",
        "web_app",
        "http/test_head.py::test_head_of_an_export_hands_no_link_out_and_notes_none",
        replace(
            "HeadAsGet(make_router(services, page.routes))", "make_router(services, page.routes)"
        ),
    ),
    *guard_function(
        "http/head.py",
        "_keep_body_back.send_headers",
        "http/test_head.py::test_the_body_of_a_head_request_is_kept_back",
        drop_statement("b''"),
    ),
    *guard_function(
        "http/exports.py",
        "ExportEndpoints._answer_export",
        "http/test_head.py::test_head_of_an_export_hands_no_link_out_and_notes_none",
        make_true("drops_body"),
    ),
    *guard_function(
        "http/errors.py",
        "answer_http_exception",
        "http/test_head.py::test_a_405_names_every_method_of_the_address",
        drop_statement("_find_methods"),
    ),
    # Nothing that was sent is dropped without a word.
    *guard_function(
        "model/strict_json.py",
        "decode",
        "http/test_repeated_keys.py",
        drop_statement("_refuse_repeated_members"),
    ),
    *guard_function(
        "model/strict_json.py",
        "_refuse_repeated_members",
        "http/test_repeated_keys.py",
        make_true("_END"),
        make_false("decode"),
        make_true("decode", "name"),
    ),
    *guard_function(
        "model/strict_json.py",
        "_refuse_repeated_members",
        "http/test_repeated_keys.py::test_a_body_with_many_long_fields_is_answered_quickly",
        make_false("_MOST_MEMBERS"),
    ),
    # Nobody fills the log.
    *guard_function(
        "cli/__init__.py",
        "_set_up_log",
        "http/test_log_rate.py::test_a_flood_of_nonsense_leaves_a_few_lines",
        drop_statement("addFilter"),
    ),
    *guard_function(
        "log_rate.py",
        "LogRate._count",
        "http/test_log_rate.py::test_the_log_rate_remembers_a_bounded_number_of_kinds",
        make_false("_kinds"),
    ),
    *guard_function(
        "log_rate.py",
        "LogRate.filter",
        "http/test_log_rate.py::test_log_lines_of_workers_and_of_the_audit_all_pass",
        make_false("_LOGGERS"),
    ),
    *guard_function(
        "http/errors.py",
        "answer_memferry_error",
        "http/test_log_rate.py::test_an_unreachable_database_is_one_log_line_for_many_requests",
        replace(
            'log_event("request.failed", fault=fault, cause=describe_cause(fault))',
            'log_event("request.failed", fault=fault, cause="", raised=fault)',
        ),
    ),
    # How large and how deep what is sent may be.
    *guard_function("model/strict_json.py", "decode", _DEEP, drop_statement("refuse_deep")),
    *guard_function(
        "model/strict_json.py",
        "compact",
        "http/test_hostile_json.py::test_a_filter_may_be_32_levels_deep_and_no_deeper",
        make_false("is_deeper_than"),
    ),
    *guard_function(
        "model/strict_json.py",
        "compact",
        "http/test_hostile_json.py::test_the_keys_of_a_filter_are_counted_in_all_its_objects",
        make_false("members", "None"),
    ),
    *guard_function(
        "filters/tags.py",
        "Tags.check",
        "http/test_hostile_json.py::test_a_filter_may_have_a_hundred_tags_and_a_memory_more",
        drop_item("most"),
    ),
    *guard_function(
        "model/rules.py",
        "check_text",
        "http/test_hostile_json.py::test_every_filter_has_a_limit",
        make_false("most"),
    ),
    *guard_function(
        "model/rules.py",
        "check_tags",
        "http/test_hostile_json.py::test_every_filter_has_a_limit",
        make_false("len"),
    ),
    *guard_function(
        "model/rules.py",
        "check_time_ms",
        "http/test_hostile_json.py::test_every_filter_has_a_limit",
        make_false("latest"),
    ),
    # No request shows the inside, or leaves a trace where it is no fault.
    *guard_function(
        "http/app.py",
        "make_router",
        "http/test_hostile.py::test_a_client_that_hangs_up_in_mid_body_leaves_no_trace",
        drop_statement("ClientDisconnect"),
    ),
    *guard_function(
        "http/connections.py",
        "Connection.send_400_response",
        "http/test_transport.py::test_a_malformed_request_is_answered_in_json",
        drop_definition(),
    ),
    # A connection keeps little, and not for long; a tenant leaves something to the others.
    *guard_function(
        "http/connections.py",
        "Connection.data_received",
        "http/test_connections.py",
        make_false("their_state", "trailing_data"),
    ),
    *guard_function(
        "http/connections.py",
        "_Parser.next_event",
        "http/test_connections.py",
        make_false("_chunks"),
        replace("_TINY_CHUNKS + self._bytes // _CHUNK_BYTES", "_TINY_CHUNKS"),
    ),
    *guard_function(
        "http/connections.py",
        "Connection.look",
        "http/test_connections.py",
        make_false("since"),
        replace("(self.waits_for(), self.cycle)", "(WaitsFor.REQUEST, now)"),
        make_false("_moved"),
    ),
    *guard_function(
        "http/server.py",
        "Server._make_room",
        "http/test_connections.py",
        drop_statement("abort"),
        make_true("newest"),
    ),
    *guard_function(
        "http/server.py",
        "_find_fault",
        "http/test_connections.py",
        make_false("HEADERS", "headers"),
        replace('{b"content-length", b"transfer-encoding"}', '{b"nothing"}'),
    ),
    *guard_function(
        "http/connections.py",
        "Connection.connection_lost",
        "http/test_lifetime.py",
        drop_statement("cancel"),
    ),
    *guard_function(
        "http/lifetime.py",
        "Lifetime.__call__",
        "http/test_lifetime.py",
        drop_statement("start_clock"),
    ),
    *guard_function(
        "http/lifetime.py",
        "_Request.receive",
        "http/test_lifetime.py",
        make_false("more_body", "answered"),
    ),
    *guard_function(
        "http/lifetime.py", "_Request.send", "http/test_lifetime.py", drop_statement("reschedule")
    ),
    *guard_function(
        "http/app.py",
        "make_router",
        "http/test_transport.py::test_an_internal_error_shows_no_detail",
        drop_statement("Exception"),
    ),
    *guard_function(
        "http/reading.py",
        "require_uuid",
        "http/test_hostile.py::test_no_address_is_a_fault_of_the_service",
        replace("parse_uuid", "UUID"),
    ),
    # Scopes.
    *guard_function("http/auth.py", "Access.check", "http/test_scopes.py", make_false("scope")),
)
