"""Calls of the API within the process, for whoever sent the request that makes them."""

import httpx
from starlette.requests import Request

from memferry.http.bodies import hold_memory
from memferry.http.local import PROXIED

# What tells who is calling and under which address; a call brings all else by itself.
_OF_THE_CALLER = PROXIED | {"authorization", "host", "origin", "sec-fetch-site"}


class InProcessTransport(httpx.AsyncBaseTransport):
    """Takes calls to the application that serves a request, with the rights of its sender.

    Each is authenticated, limited, counted and audited like one that comes over the network.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        client = request.client
        address = ("", 0) if client is None else (client.host, client.port)
        self._transport = httpx.ASGITransport(request.app, client=address)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Call the application; raises TooMuchAtOnce or Busy where its answer has no room."""
        for name in _OF_THE_CALLER:
            request.headers.pop(name, None)
        identity = [
            (name, value)
            for name, value in self._request.headers.raw
            if name.decode("latin-1") in _OF_THE_CALLER
        ]
        request.headers = httpx.Headers([*request.headers.raw, *identity])
        answer = await self._transport.handle_async_request(request)
        await hold_memory(self._request, int(answer.headers.get("content-length", "0")))
        return answer
