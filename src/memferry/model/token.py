"""Grants of tokens (scopes, namespaces, expiry), and the callers that hold them."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

from memferry.errors import Invalid, NamespaceForbidden
from memferry.model import rules

Scope = Literal["memories:read", "memories:write", "exports:read", "exports:create", "admin"]

SCOPES: tuple[Scope, ...] = get_args(Scope)
USUAL_SCOPES: tuple[Scope, ...] = tuple(scope for scope in SCOPES if scope != "admin")
"""The scopes of a token unless others are chosen: all but `admin`."""

NAMESPACES = 100


@dataclass(frozen=True, kw_only=True)
class Grant:
    """The rights of a token; `namespaces` None means all, `expires_at` None never."""

    scopes: tuple[Scope, ...] = USUAL_SCOPES
    namespaces: tuple[str, ...] | None = None
    expires_at: int | None = None
    """Epoch ms; from this time on the token is unknown."""

    def __post_init__(self) -> None:
        """Raise Invalid with the field that breaks a rule."""
        if not self.scopes:
            raise Invalid("scopes", "must not be empty")
        if not set(self.scopes) <= set(SCOPES):
            raise Invalid("scopes", f"one is unknown; known are {', '.join(SCOPES)}")
        if self.expires_at is not None:
            rules.check_stored_time_ms("expires_at", self.expires_at)
        if self.namespaces is not None:
            _check_namespaces(self.namespaces)


def _check_namespaces(names: Sequence[str]) -> None:
    if not 1 <= len(names) <= NAMESPACES:
        raise Invalid("namespaces", f"expected 1 to {NAMESPACES}")
    for index, name in enumerate(names):
        rules.check_text(f"namespaces[{index}]", name, most=rules.NAMESPACE_CHARACTERS, least=1)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The holder of a token, or a whole tenant; the database shows the rows it may see alone."""

    tenant_id: UUID
    token_id: UUID | None = None
    scopes: frozenset[str] = frozenset()
    namespaces: tuple[str, ...] | None = None
    """The only namespaces that this caller can read and write; None: all of the tenant."""
    address: str | None = None
    """The IP address that the request came from."""

    @property
    def own_exports_of(self) -> UUID | None:
        """The token whose exports alone the caller may read; None: all exports of the tenant.

        Without `exports:read` a token reads the exports that it has created itself.
        """
        return None if self.token_id is None or "exports:read" in self.scopes else self.token_id

    def check_namespace(self, name: str, field: str = "namespace") -> None:
        """Raise NamespaceForbidden with the field, unless the caller may use the namespace."""
        if self.namespaces is not None and name not in self.namespaces:
            raise NamespaceForbidden(field)


def normalize_ip_address(text: str | None) -> str | None:
    """Write an IP address in digits, dots and colons alone, without a zone; None for other text."""
    try:
        return str(ipaddress.ip_address((text or "").partition("%")[0]))
    except ValueError:
        return None
