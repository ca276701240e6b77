"""Talking to the service: what the client commands share."""

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

import httpx
import msgspec

from memferry.errors import MemferryError, Misconfigured
from memferry.settings import ClientSettings

_TIMEOUT = httpx.Timeout(30, read=300)
_PATIENCE_SECONDS = 60
_PAUSE_SECONDS = 0.5
_AGAIN = (httpx.codes.CONFLICT, httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)


class ServiceRefused(MemferryError):
    """The service refused the request."""

    code = "refused"


class Client:
    """The service as a client command sees it."""

    def __init__(self, settings: ClientSettings) -> None:
        if settings.token is None:
            raise Misconfigured("MEMFERRY_TOKEN is not set; make one with: memferry token create")
        self.url = settings.url
        authorities = httpx.create_ssl_context()  # takes a while, so both share it
        self._http = httpx.Client(
            base_url=settings.url,
            headers={"Authorization": f"Bearer {settings.token}"},
            timeout=_TIMEOUT,
            verify=authorities,
        )
        self._reached = False
        # The token never travels to the object store.
        self._files = httpx.Client(timeout=_TIMEOUT, follow_redirects=False, verify=authorities)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self._http.close()
        self._files.close()

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """One request; the answer's JSON. Raises ServiceRefused with the service's own words.

        What can be asked twice is asked again for up to a minute when the service, once reached,
        is away: GET, and whatever has an Idempotency-Key.
        """
        request = self._http.build_request(
            method,
            path,
            content=None if body is None else msgspec.json.encode(body),
            headers={"Content-Type": "application/json"} | dict(headers or {}),
        )
        again = method == "GET" or "Idempotency-Key" in request.headers
        deadline = time.monotonic() + (_PATIENCE_SECONDS if again else 0)
        while isinstance(answer := self._answer(request, deadline), float):
            time.sleep(answer)
        if answer.is_error:
            raise ServiceRefused(_reason(answer))
        return msgspec.json.decode(answer.content) if answer.content else None

    def _answer(self, request: httpx.Request, deadline: float) -> httpx.Response | float:
        """The answer, or after how many seconds it is worth asking again."""
        late = time.monotonic() >= deadline
        try:
            answer = self._http.send(request)
        except httpx.TransportError as fault:
            if late or not self._reached:
                raise ServiceRefused(f"{self.url} does not answer: {fault}") from fault
            return _PAUSE_SECONDS
        self._reached = True
        pause = _pause(answer)
        if answer.status_code not in _AGAIN or late or time.monotonic() + pause > deadline:
            return answer
        return pause

    def download(self, url: str, start: int) -> "Any":
        """A streamed GET of a file from byte `start` on, as httpx's context manager."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        return self._files.stream("GET", url, headers=headers)


def _pause(answer: httpx.Response) -> float:
    """How long to wait: a limit says exactly when it will be over, a fault does not."""
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        with suppress(KeyError, ValueError):
            return max(float(answer.headers["Retry-After"]), _PAUSE_SECONDS)
    return _PAUSE_SECONDS


def _reason(answer: httpx.Response) -> str:
    try:
        return str(msgspec.json.decode(answer.content)["error"])
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError):
        return f"the service answered {answer.status_code} {answer.reason_phrase}"
