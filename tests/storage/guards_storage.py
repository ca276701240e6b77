"""Guards of the stores: no key leaves its directory, no byte is written twice."""

from guards import Guard, drop_item, drop_statement, guard_function, make_false, replace

_KEPT = "storage/test_storage_s3_safety.py::test_the_store_is_asked_to_encrypt_with_a_key_of_ours"
_TRUST = (
    "storage/test_storage_s3_safety.py::test_a_server_whose_authority_is_known_is_used_in_every_way"
)
_STRANGER = (
    "storage/test_storage_s3_safety.py::test_a_server_whose_authority_is_unknown_is_not_talked_to"
)

GUARDS: tuple[Guard, ...] = (
    # The token goes to the service alone, not to where a link leads.
    *guard_function(
        "storage/local.py",
        "LocalStorage._path",
        "storage/test_storage_local.py::test_no_key_leaves_the_directory",
        make_false("any"),
    ),
    # Nothing of a tenant, not even its name, stays in a directory.
    *guard_function(
        "storage/local.py",
        "LocalStorage.put",
        "storage/test_storage_local.py::test_a_write_that_fails_leaves_no_directory",
        drop_statement("_remove_empty"),
    ),
    # Bytes are what was written, and are never written twice.
    *guard_function(
        "storage/local.py",
        "_write",
        "storage/test_storage_local.py::test_a_file_that_somebody_else_writes_to_is_given_up",
        make_false("pread"),
    ),
    *guard_function(
        "storage/s3.py",
        "S3Storage.put",
        "storage/test_storage.py",
        drop_statement("_refuse_existing"),
    ),
    # Files and directories are their owner's alone, by the umask of every command and without it.
    *guard_function(
        "storage/local.py",
        "LocalStorage._create",
        "storage/test_storage_local.py::test_files_are_private",
        replace("0o600", "0o644"),
    ),
    *guard_function(
        "storage/local.py",
        "_make_root",
        "storage/test_storage_local.py::test_files_are_private",
        drop_item("mode"),
    ),
    *guard_function(
        "storage/local.py",
        "_make_directories",
        "storage/test_storage_local.py::test_files_are_private",
        drop_item("mode"),
    ),
    *guard_function(
        "storage/s3_options.py",
        "make_config",
        _KEPT,
        drop_item("server_side_encryption"),
        drop_item("sse_kms_key_id"),
    ),
    *guard_function(
        "storage/s3.py",
        "S3Storage.__init__",
        "storage/test_storage_s3_safety.py::test_a_key_without_its_kind_of_encryption_is_a_fault",
        make_false("aws:kms", "kms_key"),
    ),
    *guard_function(
        "settings/parsing.py",
        "parse_encryption",
        "storage/test_storage_s3_safety.py::test_an_unknown_encryption_stops_the_start",
        make_false("AES256"),
    ),
    *guard_function(
        "storage/s3_options.py", "make_client_options", _TRUST, drop_item("root_certificate")
    ),
    *guard_function(
        "storage/s3_uploads.py",
        "Uploads.__init__",
        _KEPT,
        drop_item("x-amz-server-side-encryption"),
        drop_item("x-amz-server-side-encryption-aws-kms-key-id"),
    ),
    *guard_function(
        "storage/s3_uploads.py", "Uploads.__init__", _TRUST, drop_statement("load_verify_locations")
    ),
    *guard_function(
        "storage/s3_uploads.py",
        "Uploads.__init__",
        _STRANGER,
        replace("SlowLinkTransport(trust)", "httpx.AsyncHTTPTransport(verify=False)"),
    ),
    *guard_function(
        "settings/places.py",
        "S3Settings",
        "storage/test_storage_s3_safety.py::test_the_settings_of_s3_reach_the_store",
        replace('"MEMFERRY_S3_SSE"', '"MEMFERRY_S3_NONE"'),
        replace('"MEMFERRY_S3_SSE_KMS_KEY_ID"', '"MEMFERRY_S3_NONE"'),
        replace('"MEMFERRY_S3_CA_FILE"', '"MEMFERRY_S3_NONE"'),
    ),
)
