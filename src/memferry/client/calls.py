"""One call of the API as a value: the request, and the rule of its retries."""

import random
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from memferry.client.exact_json import encode_exact
from memferry.client.faults import may_pass, rebuild_error
from memferry.errors import Busy, LimitReached, MemferryError

RETRY_SECONDS = 60
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.25, 4
_JITTER = 0.25
_chance = random.SystemRandom()


@dataclass(frozen=True)
class Call:
    """A request to the API: method, path, query string, and a body that is sent as JSON."""

    method: str
    path: str
    body: Any = None
    params: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    idempotency_key: str | None = None
    reads: bool = False
    """Whether a POST changes nothing: its body holds filters."""
    more_headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def repeatable(self) -> bool:
        """Whether sending the call twice has the effect of sending it once."""
        return self.method == "GET" or self.reads or self.idempotency_key is not None

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of this call; the connection adds the token."""
        headers = {"Content-Type": "application/json", **self.more_headers}
        if self.idempotency_key is not None:
            headers["Idempotency-Key"] = self.idempotency_key
        return headers

    @property
    def content(self) -> bytes | None:
        """The body as bytes."""
        return None if self.body is None else encode_exact(self.body)


def make_path(*parts: object) -> str:
    """Make a path below /api of parts; what they hold is never taken for a part of the address."""
    return "/".join(["/api", *(quote(str(part), safe="") for part in parts)])


class Retries:
    """Decides after each try of a call whether to send it again, and after how many seconds.

    A call that is not repeatable is sent again only after an answer that refused it before it had
    any effect. No try begins later than `seconds` after the first.
    """

    def __init__(self, call: Call, seconds: float) -> None:
        self._repeatable = call.repeatable
        self._deadline = time.monotonic() + seconds
        self._tries = 0
        self._last = False

    def begin(self) -> None:
        """Begin one more try."""
        self._tries += 1
        self._last = time.monotonic() >= self._deadline

    def find_pause(self, answer: httpx.Response | None) -> float | None:
        """Find the seconds until the next try; None if the result is final.

        Without an answer nobody knows whether the call had its effect.
        """
        if self._last or not (self._repeatable if answer is None else self._may_repeat(answer)):
            return None
        pause = max(self._choose_pause(), 0 if answer is None else _read_pause(answer))
        pause *= 1 + _JITTER * _chance.random()
        # Only an answer says when the next try is worth while: not after the deadline, not at all.
        if answer is not None and time.monotonic() + pause > self._deadline:
            return None
        return pause

    def _may_repeat(self, answer: httpx.Response) -> bool:
        if not answer.is_error:
            return False
        fault = rebuild_error(answer)
        return may_pass(fault) and (self._repeatable or _refuses(fault, answer))

    def _choose_pause(self) -> float:
        doubled: float = _FIRST_PAUSE_SECONDS * 2 ** min(self._tries - 1, 10)
        return min(doubled, _LONGEST_PAUSE_SECONDS)


def _refuses(fault: MemferryError, answer: httpx.Response) -> bool:
    """Whether an answer says that the call was not begun, so that it had no effect."""
    limited = answer.status_code == httpx.codes.TOO_MANY_REQUESTS
    return limited or isinstance(fault, LimitReached | Busy)


def _read_pause(answer: httpx.Response) -> float:
    """Read the seconds that an answer says to wait, at least."""
    with suppress(KeyError, ValueError):
        return max(float(answer.headers["Retry-After"]), 0)
    return 0
