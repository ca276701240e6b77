"""Parsers of environment variables; each raises ValueError with the fault."""

from pathlib import Path
from urllib.parse import urlsplit

_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_NICEST = 19


def parse_text(text: str) -> str:
    """Keep the text as it is."""
    return text


def parse_path(text: str) -> Path:
    """Parse a path and make it absolute; a leading ~ is the home directory."""
    return Path(text).expanduser().absolute()


def parse_flag(text: str) -> bool:
    """Parse true or false in one of the usual spellings."""
    if text.lower() not in _FLAGS:
        raise ValueError("expected true or false")
    return _FLAGS[text.lower()]


def parse_count(text: str) -> int:
    """Parse a whole number above 0, in ASCII digits without a sign."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ValueError("expected a whole number above 0")
    return int(text)


def parse_niceness(text: str) -> int:
    """Parse a nice value from 0 to 19, which lowers the priority: see nice(1)."""
    if not text.isascii() or not text.isdigit() or int(text) > _NICEST:
        raise ValueError(f"expected a whole number from 0 to {_NICEST}")
    return int(text)


def parse_encryption(text: str) -> str:
    """Parse a kind of server-side encryption of S3."""
    if text not in {"AES256", "aws:kms"}:
        raise ValueError("expected AES256 or aws:kms")
    return text


def parse_web_url(text: str) -> str:
    """Parse an HTTP address, and drop a slash at its end."""
    if urlsplit(text).scheme not in {"http", "https"} or not urlsplit(text).hostname:
        raise ValueError("expected an address that starts with http:// or https://")
    return text.rstrip("/")


def parse_postgres_url(text: str) -> str:
    """Parse an address of PostgreSQL, as libpq takes it."""
    if urlsplit(text).scheme not in {"postgres", "postgresql"}:
        raise ValueError("expected an address that starts with postgresql://")
    return text
