"""Made-up values in the place of those that each run has anew, so that the pages stay the same."""

import base64
import hashlib
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_FIRST_MS = 1_767_344_400_000
_STEP_MS = 60_000
_KINDS = re.compile(
    r"(?P<migration>^\d{4}_\w+$)"
    r"|(?P<time>\b1[7-9]\d{11}\b)"
    r"|(?P<iso>\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z)"
    r"|(?P<uuid>\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)"
    r"|(?P<ulid>\b0[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}\b)"
    r"|(?P<link>(?<=/downloads/)[^/?\" ]+)"
    r"|(?P<secret>\b(mnu|whsec)_[\w-]{4,})"
    r"|(?P<hex>\b([0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{16}|[0-9a-f]{8})\b)"
    r"|(?P<base64>(?<![\w+/])[\w+/]{43,86}={1,2})"
)
_SECRET_LETTERS = 8
"""So many letters tell two secrets apart, or their prefixes."""
_SHORT = 24
"""The length of made-up links and secrets; one as long as a real one would alarm the scan."""
_HOUR_MS = 3_600_000
# What a release, a time within a place or the seconds since the first example change.
_BY_NAME = {
    "software": "1.0.0",
    "next_cursor": "WzEsIjlmMmMiXQ",
    "exports_per_hour": {"limit": 3600, "used": 1},
}
# Encryption adds some random bytes.
_ENCRYPTED = {"file_bytes": 1184}


class MadeUpValues:
    """Numbers each value in the order in which it appears, and makes one up from that number."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """`texts` are replaced as they stand: addresses and names of this run."""
        self._texts = texts
        self._numbers: dict[tuple[str, str], int] = {}
        # What was there before the examples, such as the token, came about in the minute before.
        self._starts = [_read_clock() - _STEP_MS]

    def begin_example(self) -> None:
        """Begin the next example: what happens from here on happens a minute later."""
        self._starts.append(_read_clock())

    def replace(self, value: Any) -> Any:
        """The JSON value, or the text, with made-up values."""
        match value:
            case str():
                for text, made_up in self._texts.items():
                    value = value.replace(text, made_up)
                return _KINDS.sub(self._make_up, value)
            case list():
                return [self.replace(item) for item in value]
            case dict():
                known = _BY_NAME | (_ENCRYPTED if value.get("encrypted") else {})
                return {
                    name: known[name] if name in known and item else self.replace(item)
                    for name, item in value.items()
                }
            case int() if not isinstance(value, bool):
                return self._move_time(value)
        return value

    def _make_up(self, found: re.Match[str]) -> str:
        kind, text = str(found.lastgroup), found.group()
        if kind == "time":
            return str(self._move_time(int(text)))
        if kind == "iso":
            return self._move_iso_time(text)
        name = text[:_SECRET_LETTERS] if kind == "secret" else text.upper()
        number = self._numbers.setdefault((kind, name), len(self._numbers) + 1)
        return _make_value(kind, text, number)

    def _move_time(self, ms: int) -> int:
        """A time of this run by the example in which it came about; earlier ones stay.

        A time to come is whole hours after what an example did: it belongs to the last example
        that had begun at that minute of the hour.
        """
        if ms < self._starts[0]:
            return ms
        later, place = min(
            ((ms - start) % _HOUR_MS, place) for place, start in enumerate(self._starts)
        )
        return _FIRST_MS + place * _STEP_MS + ms - self._starts[place] - later

    def _move_iso_time(self, text: str) -> str:
        moment = datetime.fromisoformat(text)
        moved = self._move_time(round(moment.timestamp() * 1000))
        return datetime.fromtimestamp(moved / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read_clock() -> int:
    return time.time_ns() // 1_000_000


def _make_value(kind: str, text: str, number: int) -> str:
    """A value of the same kind, and of the same length but for links and secrets."""
    digest = hashlib.sha256(f"made up {number}".encode()).digest()
    letters = base64.urlsafe_b64encode(digest).decode().replace("-", "a").replace("_", "b")
    ulid = f"01KDYG00000000000000000{number:03}"
    start, _, _ = text.partition("_")
    return {
        "migration": "0010_example",
        "uuid": f"019b7d00-0000-7000-8000-{number:012}",
        "ulid": ulid if text.isupper() else ulid.lower(),
        "link": letters[:_SHORT],
        "secret": f"{start}_{letters}"[: min(len(text), _SHORT)],
        "hex": digest.hex()[: len(text)],
        "base64": (letters[:-1] * 2)[: len(text.rstrip("="))] + "=" * text.count("="),
    }[kind]
