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
        "read_form",
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
    *guard_statement(
        "tenants/find_sign_in",
        f"{_SIGN_IN}::test_revoking_the_token_ends_its_sign_ins",
        make_true("revoked_at"),
    ),
    *guard_statement(
        "tenants/find_sign_in",
        f"{_SIGN_IN}::test_a_sign_in_ends_with_its_time",
        make_true("sign_in.expires_at"),
    ),
)
