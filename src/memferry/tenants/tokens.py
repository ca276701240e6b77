"""Tokens: how they are made, and whom one speaks for."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.errors import UnknownToken

_PREFIX = "mnu_"
_SHOWN_CHARACTERS = 12


@dataclass(frozen=True)
class Caller:
    """Who sent a request."""

    tenant_id: UUID
    token_id: UUID


@dataclass(frozen=True)
class NewToken:
    """A token that was just made; only its digest and its first characters are kept."""

    text: str

    @classmethod
    def make(cls) -> "NewToken":
        """32 random bytes, base64url (RFC 4648, section 5) after the prefix."""
        return cls(_PREFIX + secrets.token_urlsafe(32))

    @property
    def shown(self) -> str:
        """What a list may show."""
        return self.text[:_SHOWN_CHARACTERS]

    @property
    def sha256(self) -> bytes:
        """What is stored."""
        return digest(self.text)


def digest(token: str) -> bytes:
    """SHA-256 of a token. Its 256 random bits make a slow hash pointless."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


class Tokens:
    """Finds out who is calling."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def caller(self, token: str) -> Caller:
        """The holder of a token, asked anew each time so that revoking takes effect at once.

        Raises UnknownToken. The look-up is by digest: its timing says nothing about the token.
        """
        sought = digest(token)
        async with self._database.connection() as connection:
            row = await connection.fetchrow(sql("find_token"), sought)
        # No view can hold this look-up to one tenant, so its condition is checked once more.
        if row is None or not hmac.compare_digest(row["sha256"], sought):
            raise UnknownToken
        return Caller(row["tenant_id"], row["id"])
