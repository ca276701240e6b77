"""Guards of formats: no text of a memory is taken for anything else."""

from guards import (
    Guard,
    drop_item,
    drop_text,
    guard_function,
    make_false,
    replace,
    replace_text,
)

_GUARDED = (
    "formats/test_csv_safe.py::test_every_text_column_is_guarded_where_a_spreadsheet_might_run_it"
)
_EVERY_SIGN = "formats/test_csv_safe.py::test_every_sign_and_every_blank_of_unicode_is_known"
_REFUSED_FIELDS = "formats/test_fields.py::test_fields_that_are_not_understood_are_refused"
_ENTRIES = "formats/test_paste.py::test_no_line_of_a_content_passes_for_an_entry"

_BUNDLE = "formats/test_okf.py::test_every_field_comes_back_from_any_text"
_FOLDERS = "formats/test_okf.py::test_a_folder_has_a_name_that_every_file_system_holds"
_ADDS_UP = "formats/test_parquet.py::test_a_frame_that_does_not_add_up_ends_the_file"
_MARKUP = "formats/test_markdown.py::test_no_text_is_markup_and_each_stands_where_it_belongs"
_PAGE = "formats/test_html.py::test_every_text_stands_where_it_belongs_and_is_exact"
_POLICY = "formats/test_html.py::test_nothing_is_loaded_and_only_the_named_script_and_style_run"
_PARQUET_PARTS = "formats/test_parquet.py::test_a_file_ends_before_it_has_more_bytes_than_asked_unless_one_row_has"
_OKF_PARTS = (
    "formats/test_okf.py::"
    "test_a_bundle_ends_before_it_has_more_bytes_than_asked_unless_one_memory_has"
)
_DOCUMENT_PARTS = (
    "formats/test_document_parts.py::"
    "test_each_part_is_a_document_and_shows_each_memory_where_it_belongs"
)

GUARDS: tuple[Guard, ...] = (
    *guard_function(
        "formats/csv.py", "_render_cell", _GUARDED, replace("safe and name in _TEXTS", "False")
    ),
    *guard_function(
        "formats/csv.py",
        "_TEXTS",
        _GUARDED,
        *map(drop_item, ("content", "namespace", "tags", "source", "source_ref")),
    ),
    *guard_function(
        "formats/csv.py",
        "_TEXTS",
        "formats/test_fields.py::test_metadata_are_guarded_as_well",
        drop_item("metadata"),
    ),
    *guard_function(
        "formats/csv.py",
        "_choose_quoted",
        "formats/test_csv_safe.py::test_every_cell_of_text_is_quoted",
        make_false("safe"),
    ),
    *guard_function(
        "formats/csv.py",
        "_choose_quoted",
        "formats/test_fields.py::test_an_empty_cell_that_is_alone_in_its_line_is_a_record",
        replace("len(columns) == 1", "False"),
    ),
    *guard_function(
        "formats/csv.py",
        "_choose_columns",
        "formats/test_fields.py::test_fields_without_metadata_contradict_csv_metadata",
        replace('"metadata" not in names', "False"),
    ),
    *guard_function(
        "formats/__init__.py",
        "find_format",
        "formats/test_fields.py::test_an_option_that_a_format_does_not_have_is_refused",
        replace("option not in format_.variants", "False"),
    ),
    *guard_function(
        "formats/variant.py",
        "check_fields",
        _REFUSED_FIELDS,
        replace("not names", "False"),
        replace("not set(names) <= set(ALL_FIELDS)", "False"),
        make_false("len"),
    ),
    *guard_function("model/csv_guards.py", "RISKY", _GUARDED, drop_text("|{SEPARATORS}{LATER}")),
    *guard_function(
        "model/csv_guards.py", "PLACES", _GUARDED, drop_text("|(?<={SEPARATORS})(?={LATER})")
    ),
    *guard_function(
        "model/csv_guards.py",
        "STARTS",
        _EVERY_SIGN,
        drop_text("\\uFF05\\uFF0B\\uFF0D\\uFF1D\\uFF20\\uFF5C\\U00002A74-\\U00002A76"),
    ),
    *guard_function(
        "model/csv_guards.py",
        "PASSED_OVER",
        _EVERY_SIGN,
        drop_text(
            "\\u205F-\\u206F\\u2800\\u3000\\u3164\\uFE00-\\uFE0F\\uFEFF\\uFFA0\\uFFF0-\\uFFFC"
        ),
    ),
    # A line of a content is no entry.
    *guard_function(
        "formats/paste.py",
        "_BREAKS",
        _ENTRIES,
        drop_text(r"\n"),
        drop_text(r"\r"),
        drop_text(r"\u0085"),
        drop_text(r"\u2028"),
    ),
    *guard_function("formats/paste.py", "_CONTENT", _ENTRIES, replace_text(r"\1  ", r"\1 ")),
    # No text is markup, and no page loads anything.
    *guard_function(
        "formats/html.py",
        "_escape",
        _PAGE,
        replace_text("&amp;", "&"),
        replace_text("&lt;", "<"),
        replace_text("&#13;", ""),
    ),
    *guard_function(
        "formats/html.py",
        "_make_head",
        _POLICY,
        drop_text("default-src 'none'; "),
        drop_text("base-uri 'none'; "),
    ),
    *guard_function("formats/html.py", "_allow", _POLICY, replace_text("'sha256-", "'unsafe-")),
    *guard_function(
        "formats/markdown.py",
        "_MARKS",
        _MARKUP,
        *map(drop_text, ("`", "*", "_", "<", "&", "#")),
    ),
    *guard_function("formats/markdown.py", "_FENCE", _MARKUP, replace_text("1 + ", "")),
    *guard_function("formats/markdown.py", "_CONTENT", _MARKUP, drop_text("^ |")),
    # What is not installed is refused, and offered by nobody.
    *guard_function(
        "formats/__init__.py",
        "find_format",
        "formats/test_parquet.py::test_a_format_that_is_not_installed_is_refused_and_no_worker_offers_it",
        make_false("installed"),
    ),
    *guard_function(
        "exports/request.py",
        "list_needs",
        "formats/test_parquet.py::test_a_format_that_is_not_installed_is_refused_and_no_worker_offers_it",
        replace("not format_.installed", "False"),
    ),
    # Frames by columns add up, and cells of one row stay together.
    *guard_function("formats/column_frames.py", "_split_values", _ADDS_UP, make_false("count")),
    *guard_function(
        "formats/parquet_encoder.py",
        "_make_texts",
        _ADDS_UP,
        make_false("as_py"),
    ),
    *guard_function("formats/parquet_encoder.py", "_parse_tags", _ADDS_UP, make_false("num_rows")),
    *guard_function(
        "formats/parquet_encoder.py",
        "_make_ids",
        "formats/test_parquet.py::test_ids_of_another_length_end_the_file",
        make_false("byte_width"),
    ),
    # No text of a memory is front matter, and no name leaves its folder.
    *guard_function(
        "formats/okf_files.py", "_ESCAPED", _BUNDLE, drop_text(r"\x7f-\x9f"), drop_text(r"\u2028")
    ),
    *guard_function(
        "formats/okf_files.py",
        "find_folder",
        _FOLDERS,
        make_false("_DEVICES"),
        replace("part.lower()", "part"),
    ),
    *guard_function(
        "formats/okf_files.py", "_OTHERS", _FOLDERS, replace_text(r"[^\w-]+", r"[^\w.-]+")
    ),
    # A part is no larger than asked, and shows what its first memory stands below.
    *guard_function(
        "formats/parquet_encoder.py",
        "ParquetEncoder._write_group",
        _PARQUET_PARTS,
        make_false("_fits"),
    ),
    *guard_function(
        "formats/parquet_encoder.py",
        "ParquetEncoder._fits",
        _PARQUET_PARTS,
        replace("self._groups == 0", "False"),
        replace("self._group.size_bytes * 17 // 16", "0"),
    ),
    *guard_function(
        "formats/okf.py",
        "OkfEncoder._fits",
        _OKF_PARTS,
        replace("self._zip.members == 0", "False"),
        replace("self._zip.measure_with(member)", "0"),
    ),
    *guard_function(
        "formats/document_parts.py", "DocumentEncoder.encode", _DOCUMENT_PARTS, make_false("_room")
    ),
    *guard_function(
        "formats/document_parts.py",
        "DocumentEncoder._begin",
        _DOCUMENT_PARTS,
        replace("self._outline.reopen(record)", 'b""'),
    ),
    *guard_function(
        "formats/document_parts.py",
        "DocumentEncoder._end",
        _DOCUMENT_PARTS,
        replace("self._outline.close()", 'b""'),
    ),
    *guard_function(
        "formats/markdown.py",
        "MarkdownOutline.enter",
        _DOCUMENT_PARTS,
        replace("thread or self._thread", "thread"),
    ),
    *guard_function(
        "formats/html.py",
        "HtmlOutline.enter",
        _DOCUMENT_PARTS,
        replace("len(self._open) - closed", "len(self._open)"),
    ),
)
