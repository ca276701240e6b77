"""Guards against what anybody may send, and what would be left of it in logs and in the store."""

from guard import Guard, module

GUARDS: tuple[Guard, ...] = (
    # HEAD is GET without its body.
    *module(
        "http/app.py",
        "test_head.py::test_head_answers_the_status_and_headers_of_get_and_no_body",
        ("Cors(HeadAsGet(limited))", "Cors(limited)"),
    ),
    *module(
        "http/head.py",
        "test_head.py::test_the_body_is_kept_back_whatever_the_server_does",
        ('message = {**message, "body": b""}', "pass"),
    ),
    *module(
        "http/exports.py",
        "test_head.py::test_head_of_an_export_hands_no_link_out_and_notes_none",
        " and not loses_body(request)",
    ),
    *module(
        "http/errors.py",
        "test_head.py::test_a_405_names_every_method_of_the_address",
        ('answer.headers["allow"] = ", ".join(_find_methods(request))', "pass"),
    ),
)
