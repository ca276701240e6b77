"""The synchronous client."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Self, TypeVar

import httpx

from memferry.client.calls import Call, Retries, read_answer
from memferry.errors import ServiceUnreachable

_T = TypeVar("_T")

TIMEOUT = httpx.Timeout(30, read=300)
"""Seconds to connect and to write, and to wait for bytes of an answer."""


class Client:
    """One service, and the token of a tenant; a context manager that closes its connections."""

    def __init__(self, url: str, token: str, *, timeout: httpx.Timeout = TIMEOUT) -> None:
        self.url = url
        authorities = httpx.create_ssl_context()  # reading them takes a while, so both share them
        self._api = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout,
            verify=authorities,
        )
        # The token never travels to the object store.
        self._files = httpx.Client(timeout=timeout, follow_redirects=False, verify=authorities)
        self._reached = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self._api.close()
        self._files.close()

    def call(self, call: Call, answer_type: type[_T]) -> _T:
        """Send a call and answer its JSON; raises ServiceRefused with the error of the service.

        A repeatable call is sent again for up to a minute while the service is busy or away. Raises
        ServiceUnreachable if it does not answer, at once if it never answered this client.
        """
        request = self._api.build_request(
            call.method, call.path, content=call.content, headers=call.headers
        )
        retries = Retries(call)
        while True:
            retries.begin()
            answer = self._try_once(request, retries)
            if isinstance(answer, httpx.Response):
                return read_answer(answer, answer_type)
            time.sleep(answer)

    def upload(
        self,
        path: str,
        chunks: Iterator[bytes],
        answer_type: type[_T],
        *,
        params: Mapping[str, str | Sequence[str]],
        size_bytes: int | None = None,
    ) -> _T:
        """Send a body as it comes, once, and answer the JSON; raises as `call`.

        With its size the service can refuse it before it comes.
        """
        headers = {"Content-Type": "application/octet-stream"}
        if size_bytes is not None:
            headers["Content-Length"] = str(size_bytes)
        try:
            answer = self._api.post(path, params=params, content=chunks, headers=headers)
        except httpx.TransportError as fault:
            raise ServiceUnreachable(f"{self.url} does not take the file: {fault}") from fault
        return read_answer(answer, answer_type)

    def _try_once(self, request: httpx.Request, retries: Retries) -> httpx.Response | float:
        """Send the call once; answers the result, or the seconds until the next try."""
        try:
            answer = self._api.send(request)
        except httpx.TransportError as fault:
            pause = retries.find_pause(None) if self._reached else None
            if pause is None:
                raise ServiceUnreachable(f"{self.url} does not answer: {fault}") from fault
            return pause
        self._reached = True
        pause = retries.find_pause(answer)
        return answer if pause is None else pause

    def open_file(self, url: str, start: int) -> AbstractContextManager[httpx.Response]:
        """Open a file by its download link, from byte `start` on, as a streamed answer."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        return self._files.stream("GET", url, headers=headers)
