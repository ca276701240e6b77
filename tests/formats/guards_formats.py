"""Guards of CSV that a spreadsheet runs no cell of."""

from guards import Guard, drop_text, guard_function, replace, replace_text

_GUARDED = (
    "formats/test_csv_safe.py::test_every_text_column_is_guarded_where_a_spreadsheet_might_run_it"
)

GUARDS: tuple[Guard, ...] = (
    *guard_function(
        "formats/csv_safe.py",
        "CSV_SAFE",
        _GUARDED,
        replace_text("{_guard('content')} AS", "content AS"),
        replace_text("{_guard('namespace')} AS", "namespace AS"),
        replace_text("{_guard('to_json(tags)::text')} AS", "to_json(tags)::text AS"),
        replace_text("{_guard('source')} AS", "source AS"),
        replace_text(
            "{_guard('''coalesce(source_ref, '')''')} AS source_ref",
            "coalesce(source_ref, '') AS source_ref",
        ),
    ),
    *guard_function("formats/csv_safe.py", "_RISKY", _GUARDED, drop_text("|{_SEPARATORS}{_LATER}")),
    *guard_function(
        "formats/csv_safe.py", "_PLACES", _GUARDED, drop_text("|(?<={_SEPARATORS})(?={_LATER})")
    ),
    *guard_function(
        "formats/csv_safe.py",
        "_STARTS",
        "formats/test_csv_safe.py::test_every_sign_and_every_blank_of_unicode_is_known",
        drop_text("\\uFF05\\uFF0B\\uFF0D\\uFF1D\\uFF20\\uFF5C\\U00002A74-\\U00002A76"),
    ),
    *guard_function(
        "formats/csv_safe.py",
        "_PASSED_OVER",
        "formats/test_csv_safe.py::test_every_sign_and_every_blank_of_unicode_is_known",
        drop_text(
            "\\u205F-\\u206F\\u2800\\u3000\\u3164\\uFE00-\\uFE0F\\uFEFF\\uFFA0\\uFFF0-\\uFFFC"
        ),
    ),
    *guard_function(
        "formats/csv_safe.py",
        "CSV_SAFE",
        "formats/test_csv_safe.py::test_every_cell_of_text_is_quoted",
        replace(
            '("content", "namespace", "tags", "source", "source_ref", "record_end")',
            '("record_end")',
        ),
    ),
    *guard_function(
        "exports/request.py",
        "_find_format",
        "formats/test_csv_safe.py::test_csv_safe_is_refused_with_another_format",
        replace("name not in SAFE_FORMATS", "False"),
    ),
)
