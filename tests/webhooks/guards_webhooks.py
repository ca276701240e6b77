"""Guards of webhooks: which addresses they reach, and what is kept of a delivery."""

from guards import (
    Guard,
    drop,
    drop_item,
    guard_function,
    guard_statement,
    make_false,
    make_true,
    replace,
)

_VERIFIED = "webhooks/test_outgoing.py::test_a_certificate_nobody_vouches_for_is_refused"
_PRIVATE = "webhooks/test_outgoing.py::test_an_address_of_somebodys_own_network_is_private"
_URL = "webhooks/test_outgoing.py::test_a_url_with_characters_outside_a_request_line_is_refused"
_HOOK = "webhooks/test_webhooks.py::test_a_wrong_webhook_is_refused_by_name"

GUARDS: tuple[Guard, ...] = (
    *guard_statement(
        "webhooks/settle_delivery",
        "webhooks/test_webhook_deliveries.py::test_a_message_is_kept_until_the_last_attempt_of_its_delivery",
        replace("CASE WHEN $6 IS NOT NULL THEN message_id END", "message_id"),
        replace("CASE WHEN $6 IS NOT NULL THEN message_id END", "NULL"),
    ),
    *guard_statement(
        "webhooks/drop_delivery",
        "webhooks/test_webhook_deliveries.py::test_messages_for_a_disabled_webhook_are_not_kept",
        drop("message_id = NULL,"),
    ),
    *guard_statement(
        "webhooks/delete_message",
        "webhooks/test_webhook_deliveries.py::test_a_message_is_kept_once_and_until_the_last_webhook_has_it",
        replace("AND NOT EXISTS (", "AND EXISTS ("),
    ),
    # What one tenant may take.
    *guard_statement(
        "webhooks/create_webhook",
        "webhooks/test_webhooks.py::test_a_tenant_may_have_fifty_webhooks",
        make_true("(SELECT count(*) FROM webhooks) < $5"),
    ),
    *guard_function(
        "webhooks/outgoing.py",
        "Sender.post",
        "webhooks/test_outgoing.py::test_deliveries_go_over_https_only",
        make_false("urlsplit", "_allow_private"),
    ),
    *guard_function(
        "webhooks/outgoing.py",
        "_PinnedBackend.connect_tcp",
        "webhooks/test_outgoing.py::test_a_name_with_any_private_address_is_connected_to_nowhere",
        make_false("is_private", "_allow_private"),
        replace("any(is_private(address) for address in addresses)", "is_private(addresses[0])"),
    ),
    *guard_function(
        "webhooks/outgoing.py",
        "_PinnedBackend.connect_tcp",
        "webhooks/test_outgoing.py::test_the_sender_connects_to_the_checked_address_without_a_second_look_up",
        replace("addresses[0]", "host"),
    ),
    *guard_function(
        "webhooks/outgoing.py",
        "Sender.__init__",
        _VERIFIED,
        replace("ssl.create_default_context", "ssl._create_unverified_context"),
    ),
    *guard_function(
        "model/address.py",
        "_is_public",
        _PRIVATE,
        make_false("_GLOBAL_UNICAST"),
        make_true("IPv4Address"),
        make_true("_is_public", "ipv4_mapped"),
        make_true("is_multicast"),
        make_true("is_special"),
    ),
    *guard_function("model/address.py", "is_private", _PRIVATE, make_false("endswith")),
    *guard_function(
        "model/address.py",
        "_parse_address",
        _PRIVATE,
        replace('IPv4Address(socket.inet_aton(host.rstrip(".")))', "None"),
    ),
    *guard_function("model/webhook.py", "check_url", _PRIVATE, make_false("is_private")),
    *guard_function("model/webhook.py", "check_url", _URL, make_false("_VISIBLE")),
    *guard_function(
        "model/webhook.py",
        "check_url",
        _HOOK,
        make_false("username", "password"),
        make_false("http", "host"),
    ),
    *guard_function(
        "model/webhook.py",
        "check_url",
        "webhooks/test_webhooks.py::test_private_addresses_are_refused_unless_allowed",
        replace('parts.scheme != "https"', "False"),
    ),
    *guard_function(
        "webhooks/delivery.py",
        "Deliverer._send",
        "webhooks/test_webhook_deliveries.py::test_deliveries_are_signed_over_the_raw_body",
        drop_item("X-Mnueron-Signature"),
    ),
)
