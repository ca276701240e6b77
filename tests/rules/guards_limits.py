"""Guards of the turns that tenants take, of what each may take, and against hostile requests."""

from rules.guard import Guard, migration, module, statement

_DEEP = "http/test_hostile_json.py::test_ten_thousand_levels_are_refused_at_once_with_the_field"
_WRONG = (
    "memories/test_memories.py::test_wrong_input_is_refused_quickly_by_name_and_nothing_is_stored"
)

_PREPARE = "prepared = await connection.prepare(statement)"
_TURN = "async with _committed(connection):\n                await connection.execute(_TAKE_TURN)\n"

GUARDS: tuple[Guard, ...] = (
    # Whose turn it is.
    *module(
        "database/pool.py",
        "jobs/test_fairness.py",
        "SELECT pg_advisory_xact_lock(hashtextextended('memferry turn', 0));",
        "SET LOCAL idle_in_transaction_session_timeout = '5s';",
        (f"{_PREPARE}\n            {_TURN}", f"{_TURN}                {_PREPARE}\n"),
    ),
    *statement(
        "exports/claim_export",
        "jobs/test_fairness.py",
        ("coalesce(at_work.exports, 0) < $4", "$4::bigint > 0"),
        ("ORDER BY coalesce(at_work.exports, 0), turn", "ORDER BY turn"),
        "turn.claimed_at NULLS FIRST, ",
        "AND leased_until >= statement_timestamp()",
    ),
    # Who waits for an answer comes first.
    *module(
        "worker_process.py",
        "worker/test_priority.py",
        ("    give_way(settings.worker.nice)\n", ""),
        ("ours = partial(give_way, settings.worker.nice)", "ours = None"),
        (" if settings.database.url is None else None\n    # Different", "\n    # Different"),
    ),
    *module(
        "worker/priority.py",
        "worker/test_priority.py::test_a_nice_worker_is_preempted_by_waking_processes",
        ("_let_others_interrupt(nicer, process)\n", "pass\n"),
        "        if nice > 0:\n    ",
    ),
    # What one tenant may take.
    *migration(
        "0017_numbered_starts",
        "jobs/test_starts.py::test_starts_of_a_tenant_are_counted_one_after_the_other",
        ("hashtextextended('memferry starts ' || tenant, 0)", "txid_current()"),
    ),
    *migration(
        "0017_numbered_starts",
        "jobs/test_limits.py::test_repeats_by_idempotency_key_count_as_one_export",
        ("IF FOUND THEN", "IF FALSE THEN"),
    ),
    *migration(
        "0017_numbered_starts",
        "jobs/test_limits.py::test_exports_per_hour_are_counted_and_the_next_tenant_is_free",
        "INSERT INTO memferry_service.export_starts (number) VALUES (coalesce(last, 0) + 1);",
    ),
    *migration(
        "0017_numbered_starts",
        "jobs/test_limits.py::test_an_export_beyond_the_quota_of_unfinished_exports_is_refused",
        ("HAVING count(*) >= unfinished", "HAVING FALSE"),
    ),
    *migration(
        "0017_numbered_starts",
        "jobs/test_limits.py::test_stored_bytes_count_toward_the_quota_until_they_are_deleted",
        ("HAVING sum(coalesce(file_bytes, bytes_done)) >= stored_bytes", "HAVING FALSE"),
    ),
    *module(
        "exports/service.py", "jobs/test_limits.py", ("self._limits.check_rows(count)", "pass")
    ),
    *module("http/auth.py", "jobs/test_limits.py", ("self._pace.count(caller.tenant_id)", "pass")),
    *module(
        "worker/lease.py",
        "jobs/test_limits.py::test_an_export_of_too_many_bytes_fails_at_once_with_the_number",
        ("if run.bytes_done > self._most_bytes:", "if False:"),
    ),
    *module(
        "database/sessions.py",
        "jobs/test_limits.py::test_a_statement_of_a_request_times_out_before_one_of_an_export",
        ('"statement_timeout": str(statement_ms)', '"statement_timeout": "0"'),
    ),
    *module(
        "database/pool.py",
        "jobs/test_limits.py::test_a_statement_of_a_request_times_out_before_one_of_an_export",
        "SET LOCAL statement_timeout = {ms}; ",
    ),
    *statement(
        "webhooks/create_webhook",
        "webhooks/test_webhooks.py::test_a_tenant_may_have_fifty_webhooks",
        " WHERE (SELECT count(*) FROM webhooks) < $5",
    ),
    # How large and how deep what is sent may be.
    *module(
        "http/bodies.py",
        "memories/test_memories.py::test_a_body_over_the_limit_is_refused_while_it_arrives",
        ("if size > limit_bytes:", "if False:"),
    ),
    *module(
        "http/bodies.py",
        "memories/test_memories.py::test_a_body_that_says_it_is_too_large_is_refused_before_it_arrives",
        ("if announced.isdigit() and int(announced) > limit_bytes:", "if False:"),
    ),
    *module("model/strict_json.py", _DEEP, ("\n    refuse_deep(body)\n", "\n")),
    *module(
        "model/strict_json.py",
        "http/test_hostile_json.py::test_a_filter_may_be_32_levels_deep_and_no_deeper",
        ("if shape.is_deeper_than(depth):", "if False:"),
    ),
    *module(
        "model/strict_json.py",
        "http/test_hostile_json.py::test_the_keys_of_a_filter_are_counted_in_all_its_objects",
        ("if keys is not None and shape.members > keys:", "if False:"),
    ),
    *module(
        "filters/tags.py",
        "http/test_hostile_json.py::test_a_filter_may_have_a_hundred_tags_and_a_memory_more",
        ", most=rules.FILTER_TAGS",
    ),
    *module(
        "model/rules.py",
        "http/test_hostile_json.py::test_every_filter_has_a_limit",
        ("if len(value) > most:", "if False:"),
        ("if value > latest:", "if False:"),
    ),
    *module(
        "model/rules.py",
        "memories/test_memories.py::test_content_may_have_one_mebibyte_of_utf8",
        ("if len(value.encode()) > CONTENT_BYTES:", "if False:"),
    ),
    *module(
        "model/rules.py",
        "memories/test_memories.py::test_metadata_may_have_one_mebibyte",
        ("if len(given) > most_bytes:", "if False:"),
    ),
    *module("model/rules.py", _WRONG, ('if "\\x00" in value:', "if False:")),
    *module(
        "model/strict_json.py",
        _WRONG,
        ("if shape.holds_nul:", "if False:"),
        ("if shape.holds_wild_number:", "if False:"),
    ),
    *module(
        "http/search.py",
        "memories/test_search.py::test_bulk_search_takes_1_to_25_queries",
        ("if not 1 <= len(body.queries) <= BULK_QUERIES:", "if False:"),
    ),
    *module(
        "http/bulk.py",
        "memories/test_memories.py::test_bulk_save_takes_ten_thousand_rows",
        ("    forbid_unknown_fields=True,", ""),
    ),
    *module(
        "http/reading.py",
        "memories/test_search.py::test_junk_numbers_fall_back_and_others_are_clamped",
        ("min(max(int(text), least), most)", "int(text)"),
    ),
    # A filter that is dropped would hand out too much.
    *module(
        "wire/exports.py",
        "exports/test_exports.py::test_a_wrong_request_is_refused_by_name",
        ", forbid_unknown_fields=True",
    ),
    *module(
        "exports/request.py",
        "exports/test_exports.py::test_a_wrong_request_is_refused_by_name",
        ("_check_order(values)", "pass"),
    ),
    # No request shows the inside, or leaves a trace where it is no fault.
    *module(
        "http/app.py",
        "http/test_hostile.py::test_a_client_that_hangs_up_in_mid_body_leaves_no_trace",
        "ClientDisconnect: answer_client_gone,",
    ),
    *module(
        "http/connections.py",
        "http/test_transport.py::test_a_malformed_request_is_answered_in_json",
        ("def send_400_response(", "def send_nothing("),
    ),
    # What one tenant stores has its limits.
    *statement(
        "memories/save_memory",
        "memories/test_store_limits.py",
        ("used.rows < $8::bigint AND ", ""),
        ("SELECT 1, text_bytes", "SELECT 0, text_bytes"),
    ),
    *statement(
        "memories/save_memories",
        "memories/test_store_limits.py",
        (" + (SELECT count(*) FROM saved)", ""),
    ),
    *statement(
        "memories/change_memory",
        "memories/test_store_limits.py",
        ("old.new_bytes <= old.bytes OR ", ""),
        (" OR used.bytes < $6::bigint", ""),
        ("SELECT 0, old.new_bytes - old.bytes", "SELECT 0, 0"),
    ),
    *statement(
        "memories/delete_memory",
        "memories/test_store_limits.py",
        ("SELECT -1, -text_bytes", "SELECT 0, -text_bytes"),
    ),
    *module(
        "audit/service.py",
        "memories/test_store_limits.py::test_refusals_beyond_a_rate_are_counted_and_not_noted_one_by_one",
        ("self._pace is None or", "True or"),
        ("        self._start(self._write_counted())\n        await", "        await"),
    ),
    # A connection keeps little, and not for long; a tenant leaves something to the others.
    *module(
        "http/connections.py",
        "http/test_connections.py",
        ("and len(self.conn.trailing_data[0]) > HEAD_BYTES", "and False"),
        ("if self._chunks > _TINY_CHUNKS + self._bytes // _CHUNK_BYTES:", "if False:"),
        ("+ self._bytes // _CHUNK_BYTES", ""),
        ("elif now - self.since > _LONGEST[stage[0]]:", "elif False:"),
        ("(self.waits_for(), self.cycle)", "(WaitsFor.REQUEST, now)"),
        ("or moved - self._moved >= _PACE_BYTES", ""),
    ),
    *module(
        "http/server.py",
        "http/test_connections.py",
        ("victim.transport.abort()", "pass"),
        ("if len(headers) > HEADERS:", "if False:"),
        ('if {b"content-length", b"transfer-encoding"} <=', 'if {b"nothing"} <='),
        ("if connection is not newest and", "if"),
    ),
    *module(
        "http/connections.py",
        "http/test_lifetime.py",
        ("            task.cancel()", "            pass"),
    ),
    *module(
        "http/lifetime.py",
        "http/test_lifetime.py",
        ("                request.start_clock()", "                pass"),
        ('        if not message.get("more_body") and not self.answered:', "        if False:"),
        ("            self.limit.reschedule(None)", "            pass"),
    ),
    *module(
        "database/connection_shares.py",
        "operation/test_shares.py",
        ("            self._heavy.take(tenant_id) if heavy else nullcontext(),\n", ""),
        ("pool_size - _KEPT_CONNECTIONS", "pool_size"),
    ),
    *module(
        "shares.py",
        "operation/test_shares.py",
        ("if tenant_id not in self._queues and self._fits", "if self._fits"),
        ("min(ready, key=self._held.__getitem__)", "ready[0]"),
        (" and self._held[tenant_id] + amount <= self._tenant_most", ""),
        ("if waiting.granted.done() and not waiting.granted.cancelled():", "if False:"),
        ("if not waiting.granted.done():", "if True:"),
    ),
    *module(
        "http/app.py",
        "http/test_transport.py::test_an_internal_error_shows_no_detail",
        "Exception: answer_anything_else,",
    ),
    *module(
        "http/reading.py",
        "http/test_hostile.py::test_no_address_is_a_fault_of_the_service",
        ("if (value := parse_uuid(text)) is None:", "if (value := UUID(text)) is None:"),
    ),
)
