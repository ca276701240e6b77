"""Sign-ins of browsers: secrets that stand for a token, and links that make one once."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Literal

from memferry.database.pool import Database
from memferry.database.retry import retry_conflicts
from memferry.database.sql import sql
from memferry.errors import Denied, UnknownLink, UnknownSignIn, UnknownToken
from memferry.model.token import Caller
from memferry.tenants.tokens import make_caller

SIGN_IN_SECONDS = 7 * 24 * 3600
"""How long a browser stays signed in."""
LINK_SECONDS = 15 * 60
"""How long a link can be used."""
LINK_PREFIX = "mfl_"

Kind = Literal["browser", "link"]
_FAULTS: dict[Kind, type[Denied]] = {"browser": UnknownSignIn, "link": UnknownLink}
_PREFIXES: dict[Kind, str] = {"browser": "mfb_", "link": LINK_PREFIX}


@dataclass(frozen=True)
class SignInSecret:
    """The text that a browser or a link holds; the database keeps its digest alone."""

    text: str

    @classmethod
    def make(cls, kind: Kind) -> "SignInSecret":
        """Make a secret: a prefix and 32 random bytes in base64url (RFC 4648, section 5)."""
        return cls(_PREFIXES[kind] + secrets.token_urlsafe(32))

    @property
    def path(self) -> str:
        """The address of a link on the service; no browser sends what stands behind the #."""
        return f"/sign-in#{self.text}"

    @property
    def sha256(self) -> bytes:
        """The digest that the database keeps."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogateescape")).digest()


class SignIns:
    """Signs browsers in and out, and finds whom they speak for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_caller(self, secret: SignInSecret, address: str | None = None) -> Caller:
        """Whom a signed-in browser speaks for; raises UnknownSignIn.

        The token is looked up each time, so its revocation takes effect at once.
        """
        return await self._find(secret, "browser", address)

    @retry_conflicts
    async def open(self, caller: Caller) -> SignInSecret:
        """Sign a browser in with the token of the caller; raises UnknownToken if it has none."""
        if caller.token_id is None:
            raise UnknownToken
        secret = SignInSecret.make("browser")
        async with self._database.tenant(caller) as connection:
            await connection.execute(
                sql("tenants/create_sign_in"),
                *(secret.sha256, caller.token_id, SIGN_IN_SECONDS * 1000),
            )
        return secret

    @retry_conflicts
    async def spend_link(self, link: SignInSecret, address: str | None = None) -> SignInSecret:
        """Sign a browser in by a link, which is gone then; raises UnknownLink."""
        caller = await self._find(link, "link", address)
        secret = SignInSecret.make("browser")
        async with self._database.tenant(caller) as connection:
            if not await connection.fetchval(sql("tenants/spend_sign_in_link"), link.sha256):
                raise UnknownLink
            await connection.execute(
                sql("tenants/create_sign_in"),
                *(secret.sha256, caller.token_id, SIGN_IN_SECONDS * 1000),
            )
        return secret

    @retry_conflicts
    async def close(self, caller: Caller, secret: SignInSecret) -> None:
        """Sign a browser out; its secret is unknown from then on."""
        async with self._database.tenant(caller) as connection:
            await connection.execute(sql("tenants/delete_sign_in"), secret.sha256)

    async def _find(self, secret: SignInSecret, kind: Kind, address: str | None) -> Caller:
        sha256 = secret.sha256
        async with self._database.connection() as connection:
            row = await connection.fetchrow(sql("tenants/find_sign_in"), sha256, kind == "link")
        # As for tokens, the digest is compared once more.
        if row is None or not hmac.compare_digest(row["sha256"], sha256):
            raise _FAULTS[kind]
        try:
            return await make_caller(self._database, row, address)
        except UnknownToken as fault:
            raise _FAULTS[kind] from fault
