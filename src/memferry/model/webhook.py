"""Which events there are, and what the address and the note of a webhook must be like."""

import re
from urllib.parse import urlsplit

from memferry.errors import Invalid
from memferry.model import rules
from memferry.model.address import is_private

EVENTS = (
    "memory.saved",
    "memory.updated",
    "memory.deleted",
    "export.completed",
    "export.failed",
    "import.completed",
    "import.failed",
    # Never sent: accepted for a published client that lists it.
    "summary.created",
)
_URL_CHARACTERS = 2048
_DESCRIPTION_CHARACTERS = 1000
# The characters that a request line can hold (RFC 9112, section 3.2).
_VISIBLE = re.compile(r"[!-~]+")


def check_url(value: str, *, allow_private: bool) -> str:
    """Check the address of a webhook: https and public, unless private ones are allowed."""
    rules.check_text("url", value, most=_URL_CHARACTERS, least=1)
    if not _VISIBLE.fullmatch(value):
        raise Invalid("url", "expected visible ASCII only; write the rest percent-encoded")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError as fault:
        raise Invalid("url", f"is not an address: {fault}") from fault
    if parts.scheme not in {"http", "https"} or not host:
        raise Invalid("url", "expected an address that starts with https://")
    if parts.username is not None or parts.password is not None:
        raise Invalid("url", "must not hold credentials")
    if allow_private:
        return value
    if parts.scheme != "https":
        raise Invalid("url", "must start with https://")
    if is_private(host):
        raise Invalid("url", "must not be a private address")
    return value


def check_events(value: list[str] | None) -> list[str]:
    """Check the events of a webhook, and sort them; an empty list means all events."""
    for index, event in enumerate(value or []):
        if event not in EVENTS:
            raise Invalid(f"events[{index}]", f"unknown; expected one of {', '.join(EVENTS)}")
    return sorted(set(value or []))


def check_description(value: str | None) -> str | None:
    """Check the description of a webhook."""
    if value is None:
        return None
    return rules.check_text("description", value, most=_DESCRIPTION_CHARACTERS)
