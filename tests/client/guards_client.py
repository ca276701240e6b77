"""Guards of the client: nothing happens twice, and wrong bytes are never taken for an export."""

from guards import Guard, guard_function, make_false, make_true, replace

_MISTAKE = "client/test_mistakes.py::test_a_mistake_is_refused_by_name_and_nothing_is_saved"
_REPEATS = "client/test_retries.py::test_only_what_had_no_effect_is_sent_again"

GUARDS: tuple[Guard, ...] = (
    # A call that may have had its effect is not sent again.
    *guard_function("client/calls.py", "Retries._may_repeat", _REPEATS, make_true("_repeatable")),
    *guard_function("client/calls.py", "_refuses", _REPEATS, make_true("limited")),
    # No wait is longer than the deadline.
    *guard_function(
        "client/calls.py",
        "Retries.find_pause",
        "client/test_retries.py::test_the_client_does_not_wait_for_an_hour",
        make_false("_deadline"),
    ),
    # Rows of wrong bytes end with an error.
    *guard_function(
        "client/records.py",
        "iterate_records",
        "client/test_client.py::test_rows_of_wrong_bytes_end_with_an_error",
        make_false("hexdigest"),
    ),
    # The token follows no link to another host.
    *guard_function(
        "client/flows.py",
        "_find_next",
        "client/test_client.py::test_a_link_to_the_next_page_leads_to_no_other_host",
        replace("replace(call, params=_read_params(link))", "replace(call, path=link)"),
    ),
    # A time without a zone is no time.
    *guard_function(
        "client/options.py",
        "_encode",
        "client/test_client.py::test_a_time_without_a_zone_is_refused",
        make_false("tzinfo"),
    ),
    # What is handed over by mistake is not saved as something else.
    *guard_function("client/exact_json.py", "encode_exact", _MISTAKE, make_false("_find_fault")),
    *guard_function("client/options.py", "make_list", _MISTAKE, make_false("isinstance")),
    # Calls of one client wait for each other.
    *guard_function(
        "client/connection.py",
        "_leave_out_own_calls",
        "client/test_many_calls.py",
        replace("None", "timeout.pool"),
    ),
)
