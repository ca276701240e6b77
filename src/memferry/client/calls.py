"""One call of the API, without I/O: the request, the rule of its retries, and reading the answer.

A client that waits and one that awaits differ only in how they send and how they sleep.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import msgspec

from memferry.errors import ServiceRefused

_T = TypeVar("_T")

_RETRY_SECONDS = 60
_PAUSE_SECONDS = 0.5
# The service answers these when it is busy or away: the same call may succeed later.
_PASSING = (httpx.codes.CONFLICT, httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)


@dataclass(frozen=True)
class Call:
    """A request to the API: method, path, and a body that is sent as JSON."""

    method: str
    path: str
    body: Any = None
    idempotency_key: str | None = None

    @property
    def repeatable(self) -> bool:
        """Whether sending the call twice has the effect of sending it once."""
        return self.method == "GET" or self.idempotency_key is not None

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of this call; the client adds the token."""
        headers = {"Content-Type": "application/json"}
        if self.idempotency_key is not None:
            headers["Idempotency-Key"] = self.idempotency_key
        return headers

    @property
    def content(self) -> bytes | None:
        """The body as bytes."""
        return None if self.body is None else msgspec.json.encode(self.body)


class Retries:
    """Decides after each try of a call whether to send it again, and after how many seconds.

    Only a repeatable call is sent again, and no try begins later than a minute after the first.
    """

    def __init__(self, call: Call) -> None:
        self._deadline = time.monotonic() + (_RETRY_SECONDS if call.repeatable else 0)
        self._last = False

    def begin(self) -> None:
        """Begin one more try."""
        self._last = time.monotonic() >= self._deadline

    def find_pause(self, answer: httpx.Response | None) -> float | None:
        """Find the seconds until the next try; None if the result is final."""
        if self._last or (answer is not None and answer.status_code not in _PASSING):
            return None
        pause = _PAUSE_SECONDS if answer is None else _read_pause(answer)
        # Only an answer says when the next try is worth while: not after the deadline, not at all.
        if answer is not None and time.monotonic() + pause > self._deadline:
            return None
        return pause


def _read_pause(answer: httpx.Response) -> float:
    """Read the seconds to wait: exact for a limit, a minimum for other answers."""
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        with suppress(KeyError, ValueError):
            return max(float(answer.headers["Retry-After"]), _PAUSE_SECONDS)
    return _PAUSE_SECONDS


def read_answer(answer: httpx.Response, answer_type: type[_T]) -> _T:
    """Read the JSON of an answer; raises ServiceRefused with the error of the service.

    Also raises ServiceRefused if the JSON has another shape: then something else answers there.
    """
    if answer.is_error:
        raise ServiceRefused(_read_reason(answer))
    try:
        # What has no content (RFC 9110, section 15.3.5) is nothing.
        return msgspec.json.decode(answer.content or b"null", type=answer_type)
    except (msgspec.MsgspecError, ValueError) as fault:
        raise ServiceRefused(f"{answer.url} answers, but not as memferry does: {fault}") from fault


def _read_reason(answer: httpx.Response) -> str:
    try:
        return str(msgspec.json.decode(answer.content)["error"])
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError):
        return f"the service answered {answer.status_code} {answer.reason_phrase}"
