"""The local tenant: callers on this machine without a token, if the operator allows them.

A web page in a browser here reaches loopback as well. It must not speak for the tenant, neither by
a request across sites nor by a name of its own that leads to 127.0.0.1 (DNS rebinding).
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit
from uuid import UUID

from starlette.types import Scope

from memferry.model.token import USUAL_SCOPES, Caller

PROXIED = frozenset({"forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"})
_OWN_SITES = frozenset({"none", "same-origin"})
"""What Sec-Fetch-Site says of a person's own request and of a page of ours
(https://www.w3.org/TR/fetch-metadata/)."""


def find_local_caller(scope: Scope, tenant_id: UUID) -> Caller | None:
    """Find the caller of the local tenant, if a program on this machine sent the request."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    address = (scope.get("client") or ("",))[0]
    if not _is_loopback(address) or PROXIED & headers.keys() or not _is_own(headers):
        return None
    return Caller(tenant_id=tenant_id, scopes=frozenset(USUAL_SCOPES), address=address)


def _is_own(headers: Mapping[str, str]) -> bool:
    """Whether no web page sent the request; browser extensions and programs may."""
    host = headers.get("host", "")
    try:
        named = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if not _is_loopback(named):
        return False
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") in _OWN_SITES
    # No page can have the scheme of an extension; "null" is what a page in a sandbox sends.
    scheme, _, rest = origin.partition("://")
    if scheme in {"http", "https"}:
        return rest == host
    return scheme.endswith("-extension") or scheme == "vscode-webview"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
