"""What a token may do: its scopes, its namespaces, how long; and the caller that holds one."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

from memferry.errors import Invalid, NamespaceForbidden
from memferry.model import rules

Scope = Literal["memories:read", "memories:write", "exports:read", "exports:create", "admin"]

SCOPES: tuple[Scope, ...] = get_args(Scope)
USUAL_SCOPES: tuple[Scope, ...] = tuple(each for each in SCOPES if each != "admin")
"""What a token holds when nobody chose: everything but the management of tokens, and the audit."""

NAMESPACES = 100


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a token may do, checked; no `namespaces` means all, no `expires_at` never."""

    scopes: tuple[Scope, ...] = USUAL_SCOPES
    namespaces: tuple[str, ...] | None = None
    expires_at: int | None = None
    """Epoch ms; from then on the token is unknown."""

    def __post_init__(self) -> None:
        """Raise Invalid with the field that breaks a rule."""
        if not self.scopes:
            raise Invalid("scopes", "must not be empty")
        if not set(self.scopes) <= set(SCOPES):
            raise Invalid("scopes", f"one is unknown; known are {', '.join(SCOPES)}")
        if self.expires_at is not None:
            rules.stored_time_ms("expires_at", self.expires_at)
        if self.namespaces is not None:
            _check_namespaces(self.namespaces)


def _check_namespaces(names: Sequence[str]) -> None:
    if not 1 <= len(names) <= NAMESPACES:
        raise Invalid("namespaces", f"expected 1 to {NAMESPACES}")
    for index, each in enumerate(names):
        rules.text(f"namespaces[{index}]", each, most=rules.NAMESPACE_CHARACTERS, least=1)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """For whom something is done; the database shows what this caller may see, and nothing else."""

    tenant_id: UUID
    token_id: UUID | None = None
    scopes: frozenset[str] = frozenset()
    namespaces: tuple[str, ...] | None = None
    """The only ones this caller can touch; None: all of the tenant."""
    address: str | None = None
    """Where the request came from, an IP address."""

    @property
    def own_exports_of(self) -> UUID | None:
        """The token whose exports are all it may read; None: those of the whole tenant.

        Whoever may create exports reads what the same token has created.
        """
        return None if self.token_id is None or "exports:read" in self.scopes else self.token_id

    def check_namespace(self, name: str, field: str = "namespace") -> None:
        """Raise NamespaceForbidden that names the field, unless it is one of the caller's."""
        if self.namespaces is not None and name not in self.namespaces:
            raise NamespaceForbidden(field)


def ip_address(text: str | None) -> str | None:
    """An IP address as digits, dots and colons only, without a zone; None for anything else."""
    try:
        return str(ipaddress.ip_address((text or "").partition("%")[0]))
    except ValueError:
        return None
