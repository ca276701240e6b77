"""Mending JSON text that decoders refuse, without decoding it: all other bytes stay as they are."""

import re

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|\bNaN\b|-?\bInfinity\b', re.DOTALL)
# An escape is read whole, so that the second of two backslashes starts none.
_UNFIT = re.compile(
    rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u[dD][89a-fA-F]..|\\u0000|\\."
    rb"|[\x00-\x1f]|(?:\xed[\xa0-\xbf][\x80-\xbf])++",
    re.DOTALL,
)
_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]..")

NUL = "NUL"
HALF_PAIR = "half a surrogate pair"
SURROGATE_BYTES = "surrogates as bytes"
CONTROL = "control character"
NOT_A_NUMBER = "NaN or Infinity"


def may_hold_nul(text: bytes) -> bool:
    """Whether a string of JSON text seems to hold an escaped NUL, which PostgreSQL refuses."""
    return rb"\u0000" in text


def mend(text: bytes) -> tuple[bytes, set[str]]:
    """JSON text without what decoders and PostgreSQL refuse, and the kinds of repairs.

    NUL goes, half a surrogate pair becomes U+FFFD, surrogates encoded as bytes are joined to
    characters (WTF-8), raw control characters are escaped, NaN and Infinity become null.
    """
    kinds = set[str]()

    def mend_part(match: re.Match[bytes]) -> bytes:
        part, kind = _mend_part(match[0])
        if kind is not None:
            kinds.add(kind)
        return part

    def mend_token(match: re.Match[bytes]) -> bytes:
        token = match[0]
        if token.startswith(b'"'):
            return _UNFIT.sub(mend_part, token)
        kinds.add(NOT_A_NUMBER)
        return b"null"

    return _TOKEN.sub(mend_token, text), kinds


def _mend_part(part: bytes) -> tuple[bytes, str | None]:
    if part in {b"\\u0000", b"\x00"}:
        return b"", NUL
    if part.startswith(b"\xed"):
        joined = part.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass")
        return joined.decode("utf-16-le", "replace").encode(), SURROGATE_BYTES
    if _HALF_PAIR.fullmatch(part):
        return rb"\ufffd", HALF_PAIR
    if part < b" ":
        return b"\\u%04x" % part[0], CONTROL
    return part, None
