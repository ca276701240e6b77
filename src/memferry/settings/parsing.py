"""Functions from the text of an environment variable to a value; a ValueError tells the fault."""

from pathlib import Path
from urllib.parse import urlsplit

_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_NICEST = 19


def parse_text(text: str) -> str:
    """The text as it is."""
    return text


def parse_path(text: str) -> Path:
    """An absolute path; a leading ~ is the home directory."""
    return Path(text).expanduser().absolute()


def parse_flag(text: str) -> bool:
    """True or false, in one of the usual spellings."""
    if text.lower() not in _FLAGS:
        raise ValueError("expected true or false")
    return _FLAGS[text.lower()]


def parse_count(text: str) -> int:
    """A whole number above 0, in ASCII digits without a sign."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ValueError("expected a whole number above 0")
    return int(text)


def parse_niceness(text: str) -> int:
    """A nice value that takes priority away, from 0 to 19: see nice(1)."""
    if not text.isascii() or not text.isdigit() or int(text) > _NICEST:
        raise ValueError(f"expected a whole number from 0 to {_NICEST}")
    return int(text)


def parse_encryption(text: str) -> str:
    """What S3 calls server-side encryption."""
    if text not in {"AES256", "aws:kms"}:
        raise ValueError("expected AES256 or aws:kms")
    return text


def parse_web_url(text: str) -> str:
    """An address of HTTP, without a slash at its end."""
    if urlsplit(text).scheme not in {"http", "https"} or not urlsplit(text).hostname:
        raise ValueError("expected an address that starts with http:// or https://")
    return text.rstrip("/")


def parse_postgres_url(text: str) -> str:
    """An address of PostgreSQL, as libpq takes it."""
    if urlsplit(text).scheme not in {"postgres", "postgresql"}:
        raise ValueError("expected an address that starts with postgresql://")
    return text
