"""Guards of the command line: the token goes to the service alone, the bytes are those promised."""

from guards import Guard, guard_function, make_false, replace, set_item

GUARDS: tuple[Guard, ...] = (
    # The token goes to the service alone, not to where a link leads.
    *guard_function(
        "client/connection.py",
        "ServiceConnection._perform",
        "cli/test_download_resume.py::test_the_token_is_not_sent_to_the_host_of_a_link",
        replace("self._files", "self._api"),
    ),
    *guard_function(
        "client/connection.py",
        "ServiceConnection.__init__",
        "cli/test_download_resume.py::test_the_token_is_not_sent_to_the_host_of_a_link",
        set_item("follow_redirects", "True"),
    ),
    # Bytes are what was written, and are never written twice.
    *guard_function(
        "client/download.py", "Download._fetch", "cli/test_download_resume.py", make_false("sha256")
    ),
)
