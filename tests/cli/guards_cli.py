"""Guards of the command line: the token goes to the service alone, the bytes are those promised."""

from guards import Guard, drop_statement, guard_function, make_false, replace, set_item

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
    # A file is what was exported, and is opened with its own key alone.
    *guard_function(
        "client/decrypt.py",
        "decrypt",
        "cli/test_encrypted_exports.py::test_a_file_encrypted_by_somebody_else_is_not_taken_for_the_export",
        make_false("bytes_done"),
    ),
    *guard_function(
        "client/decrypt.py",
        "decrypt",
        "cli/test_encrypted_exports.py::test_the_wrong_key_leaves_the_encrypted_file_and_nothing_else",
        drop_statement("WrongKey"),
    ),
    # Nobody else on the machine reads the tokens that login keeps.
    *guard_function(
        "cli/servers.py",
        "_open_private",
        "cli/test_client_commands.py::test_the_file_of_servers_is_private_whatever_the_umask",
        replace("0o600", "0o644"),
    ),
    *guard_function(
        "cli/servers.py",
        "Servers.load",
        "cli/test_client_commands.py::test_login_keeps_a_good_token_for_its_owner_alone",
        drop_statement("_check_mode"),
    ),
    # Bytes are what was written, and are never written twice.
    *guard_function(
        "client/download.py", "Download._fetch", "cli/test_download_resume.py", make_false("sha256")
    ),
)
