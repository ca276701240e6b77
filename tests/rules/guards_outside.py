"""Guards toward the outside: requests that are sent, the machine, S3, and the scan for secrets."""

from rules.guard import Guard, check, module

_PRIVATE = "webhooks/test_outgoing.py::test_an_address_of_somebodys_own_network_is_private"
_URL = "webhooks/test_outgoing.py::test_a_url_with_characters_outside_a_request_line_is_refused"
_HOOK = "webhooks/test_webhooks.py::test_a_wrong_webhook_is_refused_by_name"
_VERIFIED = "webhooks/test_outgoing.py::test_a_certificate_nobody_vouches_for_is_refused"
_MADE = (
    "whole/test_defaults.py::test_a_store_and_a_data_directory_that_are_missing_are_made_private"
)
_HANDED_OVER = "whole/test_first_minute.py::test_a_directory_with_other_files_is_refused_with_advice_that_helps"
_EMBEDDED = "database/test_embedded.py::test_writes_are_durable_and_nothing_listens_on_the_network"
_KEPT = "storage/test_storage_s3_safety.py::test_the_store_is_asked_to_encrypt_with_a_key_of_ours"
_TRUST = (
    "storage/test_storage_s3_safety.py::test_a_server_whose_authority_is_known_is_used_in_every_way"
)
_STRANGER = (
    "storage/test_storage_s3_safety.py::test_a_server_whose_authority_is_unknown_is_not_talked_to"
)

OUTGOING: tuple[Guard, ...] = (
    *module(
        "webhooks/outgoing.py",
        "webhooks/test_outgoing.py::test_deliveries_go_over_https_only",
        ('urlsplit(url).scheme != "https"', "False"),
    ),
    *module(
        "webhooks/outgoing.py",
        "webhooks/test_outgoing.py::test_a_name_with_any_private_address_is_connected_to_nowhere",
        ("any(is_private(each) for each in addresses)", "False"),
        ("any(is_private(each) for each in addresses)", "is_private(addresses[0])"),
    ),
    *module(
        "webhooks/outgoing.py",
        "webhooks/test_outgoing.py::test_the_sender_connects_to_the_checked_address_without_a_second_look_up",
        ("addresses[0], port, timeout", "host, port, timeout"),
    ),
    *module(
        "webhooks/outgoing.py",
        _VERIFIED,
        ("ssl.create_default_context()", "ssl._create_unverified_context()"),
    ),
    *module(
        "model/address.py",
        _PRIVATE,
        ("if address not in _GLOBAL_UNICAST:", "if False:"),
        ("return _is_public(IPv4Address(address.packed[-4:]))", "return True"),
        ("return _is_public(address.ipv4_mapped)", "return True"),
        " and not address.is_multicast",
        " and not special",
        ('return f".{host.lower().rstrip(\'.\')}".endswith(".localhost")', "return False"),
        ('return IPv4Address(socket.inet_aton(host.rstrip(".")))', "return None"),
    ),
    *module(
        "model/webhook.py",
        _PRIVATE,
        ("if is_private(host):", "if False:"),
    ),
    *module("model/webhook.py", _URL, ("if not _VISIBLE.fullmatch(value):", "if False:")),
    *module(
        "model/webhook.py",
        _HOOK,
        ("if parts.username is not None or parts.password is not None:", "if False:"),
        ('if parts.scheme not in {"http", "https"} or not host:', "if False:"),
    ),
    *module(
        "model/webhook.py",
        "webhooks/test_webhooks.py::test_private_addresses_are_refused_unless_allowed",
        ('if parts.scheme != "https":', "if False:"),
    ),
    *module(
        "webhooks/delivery.py",
        "webhooks/test_webhooks.py::test_deliveries_are_signed_over_the_raw_body",
        '"X-Mnueron-Signature": signature(row["secret"], body),',
    ),
)

DEFAULTS: tuple[Guard, ...] = (
    *module(
        "cli/serve.py",
        "whole/test_defaults.py::test_the_service_listens_on_loopback_by_default",
        ('= "127.0.0.1"', '= "0.0.0.0"'),
    ),
    *module(
        "supervisor.py",
        "whole/test_defaults.py::test_a_public_address_is_refused_while_no_token_exists",
        ("not ip_address(host).is_loopback", "False"),
    ),
    *module(
        "supervisor.py",
        "whole/test_defaults.py::test_a_revoked_token_opens_no_public_address",
        ('all(each["revoked_at"] is not None for each in tokens)', "not tokens"),
    ),
    # Files and directories are their owner's alone, by the umask of every command and without it.
    *module("cli/__init__.py", _MADE, ("os.umask(0o077)", "pass")),
    *module(
        "storage/local.py",
        "storage/test_storage_local.py::test_files_are_private",
        ("os.O_EXCL, 0o600", "os.O_EXCL, 0o644"),
        ("root.mkdir(mode=0o700, parents", "root.mkdir(parents"),
        ("path.mkdir(mode=0o700)", "path.mkdir()"),
    ),
    *module("database/owner_lock.py", _EMBEDDED, ("flags, 0o600", "flags, 0o644")),
    # Only root hands directories over: for everybody else this test is skipped.
    *module("database/directory.py", _HANDED_OVER, ("if others:", "if False:")),
    *module("database/embedded.py", _EMBEDDED, '"listen_addresses": "",'),
    *module(
        "database/embedded.py",
        "database/test_embedded.py::test_a_socket_directory_that_others_can_enter_is_refused",
        " or found.st_mode & 0o077",
    ),
    # A secret may come from a file, so that no environment need hold it.
    *module(
        "settings/environment.py",
        "whole/test_defaults.py::test_a_secret_can_come_from_a_file",
        ('if environment.get(f"{name}_FILE"):', "if False:"),
        ("if environment.get(name):\n", "if False:\n"),
    ),
)

S3: tuple[Guard, ...] = (
    *module(
        "storage/s3.py",
        _KEPT,
        '"server_side_encryption": options.encryption,',
        '"sse_kms_key_id": options.kms_key,',
    ),
    *module(
        "storage/s3.py",
        "storage/test_storage_s3_safety.py::test_a_key_without_its_kind_of_encryption_is_a_fault",
        ('if options.kms_key is not None and options.encryption != "aws:kms":', "if False:"),
    ),
    *module(
        "settings/parsing.py",
        "storage/test_storage_s3_safety.py::test_an_unknown_encryption_stops_the_start",
        ('if text not in {"AES256", "aws:kms"}:', "if False:"),
    ),
    *module("storage/s3.py", _TRUST, '"root_certificate": read_authorities(options),'),
    *module(
        "storage/s3_uploads.py",
        _TRUST,
        ("trust.load_verify_locations(cadata=authorities)", "pass"),
    ),
    *module(
        "storage/s3_uploads.py", _STRANGER, ("transport=SlowLinkTransport(trust)", "verify=False")
    ),
    *module(
        "settings/places.py",
        "storage/test_storage_s3_safety.py::test_the_settings_of_s3_reach_the_store",
        ('"MEMFERRY_S3_SSE",', '"MEMFERRY_S3_NONE",'),
        ('"MEMFERRY_S3_SSE_KMS_KEY_ID",', '"MEMFERRY_S3_NONE",'),
        ('"MEMFERRY_S3_CA_FILE",', '"MEMFERRY_S3_NONE",'),
    ),
)

SECRETS: tuple[Guard, ...] = (
    *check(
        "secret_scan",
        "rules/test_supply_chain.py::test_a_planted_secret_is_found_and_not_repeated",
        ", _OUR_OWN",
        '"AWSKeyDetector", ',
        '"PrivateKeyDetector", ',
        ("{each.type}", "{each.type} {each.secret_value}"),
    ),
)

GUARDS: tuple[Guard, ...] = (*OUTGOING, *DEFAULTS, *S3, *SECRETS)
