"""What protects the page, and the tests that fail without it."""

from guards import (
    Guard,
    drop_statement,
    guard_function,
    guard_statement,
    make_false,
    make_true,
    replace,
)

_SIGN_IN = "page/test_sign_in.py"
_IMPORTS = "page/test_import_screens.py"
_EXPORTS = "page/test_export_screens.py"

GUARDS: tuple[Guard, ...] = (
    *guard_function(
        "page/forms.py",
        "check_origin",
        f"{_SIGN_IN}::test_a_form_of_another_site_is_refused",
        make_false("sec-fetch-site"),
        make_false("partition"),
    ),
    *guard_function(
        "page/forms.py",
        "check_form",
        f"{_SIGN_IN}::test_a_form_without_the_token_of_its_sign_in_is_refused",
        make_false("compare_digest"),
    ),
    *guard_function(
        "page/twins.py",
        "_make_twin.show_json",
        f"{_SIGN_IN}::test_a_json_twin_answers_as_the_api_and_lets_no_other_site_read",
        drop_statement("check_origin"),
    ),
    *guard_function(
        "page/sign_in.py",
        "_read_next",
        f"{_SIGN_IN}::test_the_sign_in_leads_to_no_other_host",
        make_true("fullmatch"),
    ),
    *guard_function(
        "page/sign_in.py",
        "SignInScreens.sign_out",
        f"{_SIGN_IN}::test_signing_out_ends_the_sign_in_itself",
        drop_statement("close"),
    ),
    *guard_function(
        "page/cookies.py",
        "keep_sign_in",
        f"{_SIGN_IN}::test_a_token_signs_in_and_stands_in_no_address",
        replace("True", "False"),
        replace('"strict"', '"lax"'),
    ),
    *guard_function(
        "page/templates.py",
        "find_back",
        "page/test_fault_screens.py::test_a_fault_leads_back_within_the_service_alone",
        make_false("netloc"),
        make_false("match"),
    ),
    *guard_function(
        "http/fault_screens.py",
        "_is_opened_by_browser",
        "page/test_fault_screens.py::test_programs_get_the_error_of_the_api",
        make_false("is_api"),
    ),
    *guard_statement(
        "tenants/find_sign_in",
        f"{_SIGN_IN}::test_revoking_the_token_ends_its_sign_ins",
        make_true("revoked_at"),
    ),
    *guard_function(
        "page/memory.py",
        "MemoryScreens.change_memory",
        "page/test_one_memory.py::test_two_browsers_do_not_overwrite_each_other_unseen",
        make_false("updated_at"),
    ),
    *guard_function(
        "page/memory_form.py",
        "_keep_line_ends",
        "page/test_one_memory.py::test_a_change_keeps_the_line_ends",
        make_false("has_crlf"),
    ),
    *guard_function(
        "page/shown.py",
        "show_exact",
        "page/test_memory_list.py::test_hostile_text_is_shown_as_text",
        replace('"&#13;"', '"\\n"'),
    ),
    *guard_statement(
        "tenants/find_sign_in",
        f"{_SIGN_IN}::test_a_sign_in_ends_with_its_time",
        make_true("sign_in.expires_at"),
    ),
    *guard_function(
        "page/imports.py",
        "ImportScreens.receive",
        f"{_IMPORTS}::test_a_file_that_is_not_kept_must_be_sent_again",
        drop_statement("check_form"),
    ),
    *guard_function(
        "http/forms.py",
        "FormArchive._write",
        f"{_IMPORTS}::test_the_file_of_a_dry_run_is_kept_for_an_hour_and_no_longer",
        make_false("_FIELD_BYTES"),
    ),
    *guard_function(
        "imports/service.py",
        "Imports.run_kept",
        f"{_IMPORTS}::test_a_file_that_is_not_kept_must_be_sent_again",
        make_false("keep_file"),
    ),
    *guard_function(
        "page/export_code.py",
        "quote_word",
        "page/test_export_code.py::test_no_terminal_acts_on_what_is_copied",
        make_true("isprintable"),
    ),
    *guard_function(
        "page/exports.py",
        "ExportScreens.show_export",
        f"{_EXPORTS}::test_an_export_is_built_by_keyboard_alone_and_comes_at_once",
        make_true("AUDIT"),
    ),
)
