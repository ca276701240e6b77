"""Guards of files: what a signature covers, and what is refused before it is looked at."""

from guards import Guard, drop_statement, guard_function, make_false, make_true

_CHANGED = "files/test_signed_manifests.py::test_a_manifest_with_any_byte_changed_does_not_open"
_TWO_READERS = (
    "files/test_signed_manifests.py::test_json_that_two_readers_could_see_differently_is_refused"
)

GUARDS: tuple[Guard, ...] = (
    # A manifest that was changed does not open.
    *guard_function("files/manifest.py", "open_manifest", _CHANGED, make_true("verifies")),
    *guard_function(
        "files/canonical_json.py", "_refuse_repeated_keys", _TWO_READERS, make_false("pairs")
    ),
    *guard_function(
        "files/canonical_json.py",
        "encode_canonical",
        "files/test_signed_manifests.py::test_a_value_without_a_canonical_form_is_refused",
        drop_statement("_check"),
    ),
)
