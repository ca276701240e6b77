"""Guards of exports: their links, their bytes, their encryption, what a request may ask for."""

from guards import (
    Guard,
    drop_item,
    drop_statement,
    drop_text,
    guard_function,
    guard_schema,
    guard_statement,
    make_false,
    make_true,
    replace,
    set_item,
)

_PRIVATE = "exports/test_exports.py::test_a_link_is_private_and_cannot_be_changed"
_RECIPIENT = "exports/test_encryption.py::test_a_malformed_public_key_is_refused_and_not_repeated"

GUARDS: tuple[Guard, ...] = (
    # Beside an encrypted file nothing tells what is in it.
    *guard_function(
        "exports/attempt_files.py",
        "AttemptFiles.put_manifest",
        "exports/test_encryption.py::test_an_encrypted_file_in_the_store_cannot_be_read",
        make_false("recipient"),
    ),
    *guard_function(
        "exports/service.py",
        "Exports._find_manifest",
        "exports/test_manifests.py::test_a_manifest_is_refused_before_its_export_is_completed_and_after_it_is_gone",
        make_false("UNFINISHED"),
        make_false("lapsed"),
    ),
    *guard_function(
        "exports/request.py",
        "_check_part_bytes",
        "exports/test_parts.py::test_parts_that_cannot_be_made_are_refused_with_the_field",
        make_false("LEAST_PART_BYTES"),
    ),
    *guard_function(
        "exports/hand_out/downloads.py",
        "_find_digest",
        "exports/test_parts.py::test_a_link_of_a_part_serves_ranges_and_its_own_name",
        replace("export.parts is not None", "False"),
    ),
    *guard_function(
        "http/downloads.py",
        "DownloadEndpoints.operations",
        _PRIVATE,
        replace('"GET /downloads/{link}"', '"GET|POST /downloads/{link}"'),
    ),
    *guard_function(
        "http/downloads.py",
        "_make_headers",
        _PRIVATE,
        drop_item("Cache-Control"),
        drop_item("X-Content-Type-Options"),
        drop_item("Referrer-Policy"),
        drop_text("attachment; "),
    ),
    *guard_function(
        "http/exports.py", "ExportEndpoints._answer_export", _PRIVATE, drop_item("Cache-Control")
    ),
    *guard_function(
        "http/server.py",
        "Server.__init__",
        "exports/test_exports.py::test_no_link_is_ever_logged",
        set_item("access_log", "True"),
    ),
    # A link outlives no export.
    *guard_function(
        "exports/records.py",
        "make_export",
        "exports/test_export_life.py::test_an_export_past_its_lifetime_is_shown_expired_before_the_sweep",
        drop_item("object_key"),
    ),
    *guard_function(
        "exports/records.py",
        "read_export",
        "exports/test_export_life.py::test_an_export_past_its_lifetime_is_shown_expired_before_the_sweep",
        make_false("lapsed"),
    ),
    *guard_function(
        "exports/records.py", "make_export", "exports/test_export_life.py", make_false("lapsed")
    ),
    *guard_function(
        "exports/service.py",
        "Exports.delete",
        "exports/test_export_life.py::test_a_deleted_export_takes_its_file_and_its_links_with_it",
        drop_statement("_remove_files"),
    ),
    *guard_function("exports/request.py", "_check_options", _RECIPIENT, drop_statement("check")),
    *guard_function(
        "files/encrypt.py",
        "_is_recipient",
        _RECIPIENT,
        make_false("_RECIPIENT"),
        drop_statement("from_str"),
    ),
    *guard_function(
        "files/encrypt.py",
        "check_recipient",
        "exports/test_encryption.py::test_a_public_key_of_low_order_is_refused",
        make_false("_point"),
    ),
    *guard_function(
        "files/encrypt.py",
        "_point",
        "exports/test_encryption.py::test_a_public_key_of_low_order_is_refused",
        replace('int.from_bytes(key, "little") & (2**255 - 1)', 'int.from_bytes(key, "little")'),
    ),
    *guard_function(
        "exports/estimate.py",
        "Estimation._measure",
        "exports/test_estimate.py",
        make_true("may_be_payload"),
    ),
    *guard_function(
        "exports/estimate.py",
        "_read",
        "exports/test_estimate.py::test_few_rows_with_too_many_bytes_are_queued",
        make_false("most_bytes"),
    ),
    *guard_function(
        "exports/creation.py",
        "may_be_payload",
        "exports/test_encryption.py::test_a_small_export_is_encrypted_too_and_never_a_payload",
        make_true("recipient"),
    ),
    *guard_function(
        "exports/pack/packed.py",
        "PackedFile.__init__",
        "exports/test_encryption.py::test_an_encrypted_file_in_the_store_cannot_be_read",
        drop_statement("_steps", "_encryptor"),
    ),
    *guard_schema(
        "0001",
        "TABLE memferry.jobs",
        "exports/test_encryption.py::test_the_database_takes_no_payload_of_an_encrypted_export",
        make_true(
            "request ->> 'encrypt_to' IS NULL OR status <> 'completed' OR object_key IS NOT NULL"
        ),
    ),
    # Nothing of a tenant, not even its name, stays in a directory.
    *guard_function(
        "exports/service.py",
        "Exports._remove_files",
        "exports/test_export_life.py::test_a_deleted_export_takes_its_file_and_its_links_with_it",
        drop_statement("prune"),
    ),
    # What can be cancelled and what can be removed.
    *guard_statement(
        "jobs/cancel_job",
        "exports/test_export_life.py",
        make_true("status IN ('pending', 'running')"),
    ),
    *guard_statement(
        "jobs/delete_job",
        "exports/test_export_life.py",
        replace("AND status NOT IN ('pending', 'running')", "AND FALSE"),
    ),
    # A key answers one request, one at a time.
    *guard_function(
        "exports/creation.py",
        "_find_known",
        "exports/test_export_life.py",
        make_false("free"),
        make_false("request_sha256"),
    ),
    # A frame of many rows is small, and frames come in order.
    *guard_statement(
        "exports/export_frames",
        "exports/read/test_ranges.py::test_a_frame_of_many_rows_is_small_however_large_rows_are",
        replace(
            "count(*) FILTER (WHERE octet_length(record) <= $6::integer) AS small_rows",
            "count(*) AS small_rows",
        ),
        replace("whole.small_rows < whole.rows AND", "FALSE AND"),
    ),
    *guard_statement(
        "exports/export_frames",
        "exports/read/test_ranges.py::test_every_way_gives_the_same_bytes",
        make_true("whole.rows > 0"),
        replace(
            "FROM memories AS memory WHERE {filters} AND (created_at, id) > (step.created_at, step.id)",
            "FROM memories AS memory WHERE {filters}",
        ),
        replace(
            "whole.rows AND {filters} AND (created_at, id) > (step.created_at, step.id)",
            "whole.rows AND {filters}",
        ),
    ),
    # A span of time bounds the first range and the last one.
    *guard_function(
        "exports/read/queries.py",
        "Range.whole",
        "exports/read/test_ranges.py::test_any_number_of_readers_gives_the_same_bytes",
        replace("selection.first_ms - 1", "selection.first_ms"),
        make_true("last_ms"),
    ),
    *guard_function(
        "filters/selection.py",
        "Selection.for_range",
        "exports/read/test_ranges.py::test_a_range_within_a_span_of_time_is_read_from_its_own_first_row_to_its_last",
        make_true("filter_"),
    ),
    *guard_statement(
        "exports/probe_rows",
        "exports/read/test_inline.py::test_the_probe_brings_no_large_records",
        make_true("sample.bytes <= $3::bigint"),
        make_true("octet_length(record) <= $4::integer"),
    ),
    *guard_function(
        "exports/read/probe.py",
        "probe",
        "exports/read/test_inline.py::test_few_rows_need_no_copy_and_more_come_many_in_a_frame",
        make_true("selection"),
        make_true("namespaces"),
    ),
    *guard_function(
        "exports/read/probe.py",
        "_probe_records",
        "exports/read/test_inline.py::test_the_probe_brings_no_large_records",
        make_true("ready_rows"),
    ),
    *guard_function(
        "exports/read/stream.py",
        "open_inline_rows",
        "exports/read/test_inline.py::test_blocks_of_small_rows_are_small",
        drop_item("block_bytes"),
    ),
    # A filter that is dropped would hand out too much.
    *guard_function(
        "wire/exports.py",
        "ExportOptions",
        "exports/test_exports.py::test_a_wrong_request_is_refused_by_name",
        drop_item("forbid_unknown_fields"),
    ),
    *guard_function(
        "exports/request.py",
        "ExportRequest.parse",
        "exports/test_exports.py::test_a_wrong_request_is_refused_by_name",
        drop_statement("_check_order"),
    ),
)
