"""Guards against what anybody may send, and what would be left of it in logs and in the store."""

from rules.guard import Guard, module

GUARDS: tuple[Guard, ...] = (
    # HEAD is GET without its body.
    *module(
        "http/app.py",
        "http/test_head.py::test_head_answers_the_status_and_headers_of_get_and_no_body",
        ("HeadAsGet(routed_app(services))", "routed_app(services)"),
    ),
    *module(
        "http/head.py",
        "http/test_head.py::test_the_body_of_a_head_request_is_kept_back",
        ('message = {**message, "body": b""}', "pass"),
    ),
    *module(
        "http/exports.py",
        "http/test_head.py::test_head_of_an_export_hands_no_link_out_and_notes_none",
        " and not drops_body(request)",
    ),
    *module(
        "http/errors.py",
        "http/test_head.py::test_a_405_names_every_method_of_the_address",
        ('answer.headers["allow"] = ", ".join(_find_methods(request))', "pass"),
    ),
    # Nothing that was sent is dropped without a word.
    *module(
        "model/strict_json.py",
        "http/test_repeated_keys.py",
        "        _refuse_repeated_members(body)\n",
        ("        if _END.match(text, at):\n", "        if True:\n"),
        ("key is None or msgspec.json.decode(key[1]) != name", "key is None"),
        ("        key = _NEXT_KEY.match(text, at)\n", "        key = None\n"),
    ),
    *module(
        "model/strict_json.py",
        "http/test_repeated_keys.py::test_a_body_with_many_long_fields_is_answered_quickly",
        ("len(members) > _MOST_MEMBERS or ", ""),
    ),
    # No time is so late that a change of its row fails.
    *module(
        "model/rules.py",
        "memories/test_latest_times.py::test_no_memory_has_a_time_that_cannot_be_counted_on_from "
        "memories/test_latest_times.py::test_an_expiry_of_a_token_beyond_the_latest_time_is_refused",
        ("latest=LATEST_STORED_MS", "latest=LATEST_MS"),
    ),
    # A killed service starts again while what it left behind still ends.
    *module(
        "database/embedded.py",
        "whole/test_service.py::test_a_killed_service_starts_while_the_old_postgresql_shuts_down",
        ("if not waiting or time", "if True or time"),
    ),
    # As many connections as the system allows.
    *module(
        "cli/serve.py",
        "operation/test_open_files.py::test_more_connections_than_the_soft_limit_of_files_are_served",
        "        raise_open_files_limit()\n",
    ),
    *module(
        "cli/worker.py",
        "operation/test_open_files.py::test_a_worker_raises_its_limit_of_files_to_the_hard_limit",
        "        raise_open_files_limit()\n",
    ),
    # Nothing of a tenant, not even its name, stays in a directory.
    *module(
        "erasure/tenants.py",
        "erasure/test_tenant_deletion.py::test_deleting_a_tenant_removes_directories_of_a_killed_writer",
        ("await self._storage.prune(prefix)", "pass"),
    ),
    *module(
        "exports/service.py",
        "exports/test_export_life.py::test_a_deleted_export_takes_its_file_and_its_links_with_it",
        "\n        await self._storage.prune(prefix)",
    ),
    *module(
        "storage/local.py",
        "storage/test_storage_local.py::test_a_write_that_fails_leaves_no_directory",
        ("self._remove_empty(target.parent)", "pass"),
    ),
    # No log of PostgreSQL repeats what an export asks for.
    *module(
        "database/embedded.py",
        "database/test_embedded.py::test_the_log_of_postgresql_holds_no_statement_however_it_ends",
        '    "log_min_error_statement": "panic",\n',
        '    "log_error_verbosity": "terse",\n',
    ),
    # Nobody fills the log.
    *module(
        "cli/__init__.py",
        "http/test_log_rate.py::test_a_flood_of_nonsense_leaves_a_few_lines",
        ("log.addFilter(LogRate())", "pass"),
    ),
    *module(
        "log_rate.py",
        "http/test_log_rate.py::test_the_log_rate_remembers_a_bounded_number_of_kinds",
        ("if len(self._kinds) >= _KEPT:", "if False:"),
    ),
    *module(
        "log_rate.py",
        "http/test_log_rate.py::test_log_lines_of_workers_and_of_the_audit_all_pass",
        (" or record.name not in _LOGGERS", ""),
    ),
    *module(
        "http/errors.py",
        "http/test_log_rate.py::test_an_unreachable_database_is_one_log_line_for_many_requests",
        ("fault, _describe_cause(fault))", "fault, _describe_cause(fault), exc_info=True)"),
    ),
)
