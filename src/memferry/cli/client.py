"""Talking to the service: what the client commands share."""

from collections.abc import Mapping
from typing import Any, Self

import httpx
import msgspec

from memferry.errors import MemferryError, Misconfigured
from memferry.settings import Settings

_TIMEOUT = httpx.Timeout(30, read=300)


class ServiceRefused(MemferryError):
    """The service refused the request."""

    code = "refused"


class Client:
    """The service as a client command sees it."""

    def __init__(self, settings: Settings) -> None:
        if settings.token is None:
            raise Misconfigured("MEMFERRY_TOKEN is not set; make one with: memferry token create")
        self.url = settings.url
        self._http = httpx.Client(
            base_url=settings.url,
            headers={"Authorization": f"Bearer {settings.token}"},
            timeout=_TIMEOUT,
        )
        # The token never travels to the object store.
        self._files = httpx.Client(timeout=_TIMEOUT, follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self._http.close()
        self._files.close()

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request; the answer's JSON. Raises ServiceRefused with the service's own words."""
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            answer = self._http.request(method, path, content=content, headers=headers)
        except httpx.TransportError as fault:
            raise ServiceRefused(f"{self.url} does not answer: {fault}") from fault
        if answer.is_error:
            raise ServiceRefused(_reason(answer))
        return msgspec.json.decode(answer.content) if answer.content else None

    def download(self, url: str, start: int) -> "Any":
        """A streamed GET of a file from byte `start` on, as httpx's context manager."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        return self._files.stream("GET", url, headers=headers)


def _reason(answer: httpx.Response) -> str:
    try:
        return str(msgspec.json.decode(answer.content)["error"])
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError):
        return f"the service answered {answer.status_code} {answer.reason_phrase}"
