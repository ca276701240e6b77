"""Tells addresses of the public internet from private ones.

`is_global` of the standard library does not suffice: its tables differ between versions of Python,
and it ignores IPv4 addresses inside IPv6 addresses.
https://www.iana.org/assignments/iana-ipv6-special-registry
"""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

_GLOBAL_UNICAST = IPv6Network("2000::/3")
# NAT64 gives public IPv4 hosts these addresses on networks without IPv4 (RFC 6052).
_NAT64 = IPv6Network("64:ff9b::/96")
_SPECIAL = tuple(
    ip_network(network)
    for network in (
        "192.0.0.0/24",  # RFC 6890
        "192.88.99.0/24",  # 6to4 relays, RFC 7526
        "2001::/23",  # Teredo, ORCHID and other protocols, RFC 2928
        "2001:db8::/32",  # documentation, RFC 3849
        "2002::/16",  # 6to4: leads to the IPv4 address inside it, RFC 3056
        "3fff::/20",  # documentation, RFC 9637
    )
)


def is_private(host: str) -> bool:
    """Whether a host is a private address, or a name below `localhost`."""
    address = _parse_address(host)
    if address is None:
        return f".{host.lower().rstrip('.')}".endswith(".localhost")
    return not _is_public(address)


def _parse_address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host spells, also in octal, hex or as one number; None for a name."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        # getaddrinfo reads these too (inet_aton(3)): 2130706433, 0x7f.1, 0177.0.0.1.
        return IPv4Address(socket.inet_aton(host.rstrip(".")))
    except (OSError, ValueError):
        return None


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address in _NAT64:
            return _is_public(IPv4Address(address.packed[-4:]))
        if address not in _GLOBAL_UNICAST:
            return False
    networks = (network for network in _SPECIAL if network.version == address.version)
    is_special = any(address in network for network in networks)
    return address.is_global and not address.is_multicast and not is_special
