"""Connections to one service, which perform the steps of flows: one waits, the other awaits."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, closing, nullcontext
from typing import Any, Generic, NoReturn, TypeVar

import httpx

from memferry.client.flows import repeat_call
from memferry.client.steps import (
    Flow,
    Item,
    Listing,
    OpenFile,
    OpenStep,
    PauseStep,
    ReadStep,
    SendStep,
    Step,
    TryStep,
    UploadStep,
    WorkStep,
)
from memferry.errors import ServiceUnreachable

_T = TypeVar("_T")

TIMEOUT = httpx.Timeout(30, read=300)
"""Seconds to connect and to write, and to wait for bytes of an answer."""
# As many as httpx has connections. Its queue for more takes time with the square of its length.
_CALLS_AT_ONCE = 100


class _Course(Generic[_T]):
    """A flow under way: its next step, or its result once there is none."""

    result: _T

    def __init__(self, flow: Flow[_T] | Listing[Any]) -> None:
        self._flow = flow
        self.step: Step | Item[Any] | None = None
        self.proceed(None)

    def proceed(self, result: object) -> None:
        """Give the flow the result of its step."""
        try:
            self.step = self._flow.send(result)
        except StopIteration as end:
            self.step, self.result = None, end.value

    def fail(self, fault: Exception) -> None:
        """Give the flow the fault of its step; raises what the flow does not deal with."""
        try:
            self.step = self._flow.throw(fault)
        except StopIteration as end:
            self.step, self.result = None, end.value


class _Calls:
    """What both connections have: the address, and whether anybody has answered there yet."""

    def __init__(self, url: str, retry_seconds: float) -> None:
        self.url = url
        self.retry_seconds = retry_seconds
        self.answered = False

    def give_up(self, fault: httpx.TransportError) -> NoReturn:
        """Raise ServiceUnreachable."""
        reason = str(fault) or type(fault).__name__
        text = f"{self.url} does not answer: {reason}"
        raise ServiceUnreachable(text, answered_before=self.answered) from fault


class ServiceConnection(_Calls):
    """The connection of a program that waits."""

    def __init__(
        self, url: str, token: str | None, timeout: httpx.Timeout, retry_seconds: float
    ) -> None:
        super().__init__(url, retry_seconds)
        timeout = _leave_out_own_calls(timeout)
        authorities = httpx.create_ssl_context()  # reading them takes a while, so both share them
        self._api = httpx.Client(
            base_url=url, headers=_authorize(token), timeout=timeout, verify=authorities
        )
        # The token never travels to the object store.
        self._files = httpx.Client(timeout=timeout, follow_redirects=False, verify=authorities)

    def close(self) -> None:
        """Close all connections."""
        self._api.close()
        self._files.close()

    def run(self, flow: Flow[_T]) -> _T:
        """Run a flow to its result; what it opens is closed in the end, however it ends."""
        with ExitStack() as files, closing(flow):
            course = _Course[_T](flow)
            while course.step is not None:
                self._take_step(course, files)
            return course.result

    def iterate(self, listing: Listing[_T]) -> Iterator[_T]:
        """Hand out the items of a listing; what it opens is closed when the iterator is."""
        with ExitStack() as files, closing(listing):
            course = _Course[None](listing)
            while course.step is not None:
                if isinstance(course.step, Item):
                    yield course.step.value
                    course.proceed(None)
                else:
                    self._take_step(course, files)

    def _take_step(self, course: _Course[Any], files: ExitStack) -> None:
        try:
            result = self._perform(course.step, files)
        except Exception as fault:  # noqa: BLE001 - the flow knows what to do
            course.fail(fault)
        else:
            course.proceed(result)

    def _perform(self, step: object, files: ExitStack) -> Any:
        match step:
            case SendStep(call):
                return self.run(repeat_call(call, self.retry_seconds))
            case TryStep(call) | UploadStep(call):
                return self._send(_build(self._api, step))
            case PauseStep(seconds):
                return time.sleep(seconds)
            case OpenStep(url, start):
                answer = files.enter_context(
                    self._files.stream("GET", url, headers=_choose_range(start))
                )
                return OpenFile(answer.status_code, answer.iter_raw())
            case ReadStep(file):
                return next(file.chunks, b"")
            case WorkStep(function):
                return function()

    def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            answer = self._api.send(request)
        except httpx.TransportError as fault:
            self.give_up(fault)
        self.answered = True
        return answer


class AsyncServiceConnection(_Calls):
    """The connection of a program that awaits; files are read and written in threads."""

    def __init__(
        self,
        url: str,
        token: str | None,
        timeout: httpx.Timeout,
        retry_seconds: float,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Without a `transport`, requests go over the network."""
        super().__init__(url, retry_seconds)
        self._turns = asyncio.Semaphore(_CALLS_AT_ONCE) if transport is None else nullcontext()
        network: dict[str, Any] = {
            "timeout": _leave_out_own_calls(timeout),
            "transport": transport,
        }
        if transport is None:
            network["verify"] = httpx.create_ssl_context()
        self._api = httpx.AsyncClient(base_url=url, headers=_authorize(token), **network)
        # The token never travels to the object store.
        self._files = httpx.AsyncClient(follow_redirects=False, **network)

    async def close(self) -> None:
        """Close all connections."""
        await self._api.aclose()
        await self._files.aclose()

    async def run(self, flow: Flow[_T]) -> _T:
        """Run a flow to its result; what it opens is closed in the end, however it ends."""
        async with AsyncExitStack() as files:
            with closing(flow):
                course = _Course[_T](flow)
                while course.step is not None:
                    await self._take_step(course, files)
                return course.result

    async def iterate(self, listing: Listing[_T]) -> AsyncIterator[_T]:
        """Hand out the items of a listing; what it opens is closed when the iterator is."""
        async with AsyncExitStack() as files:
            with closing(listing):
                course = _Course[None](listing)
                while course.step is not None:
                    if isinstance(course.step, Item):
                        yield course.step.value
                        course.proceed(None)
                    else:
                        await self._take_step(course, files)

    async def _take_step(self, course: _Course[Any], files: AsyncExitStack) -> None:
        try:
            result = await self._perform(course.step, files)
        except Exception as fault:  # noqa: BLE001 - the flow knows what to do
            course.fail(fault)
        else:
            course.proceed(result)

    async def _perform(self, step: object, files: AsyncExitStack) -> Any:
        match step:
            case SendStep(call):
                return await self.run(repeat_call(call, self.retry_seconds))
            case TryStep(call) | UploadStep(call):
                return await self._send(_build(self._api, step))
            case PauseStep(seconds):
                return await asyncio.sleep(seconds)
            case OpenStep(url, start):
                answer = await files.enter_async_context(
                    self._files.stream("GET", url, headers=_choose_range(start))
                )
                return OpenFile(answer.status_code, answer.aiter_raw())
            case ReadStep(file):
                return await anext(file.chunks, b"")
            case WorkStep(function):
                return await asyncio.to_thread(function)

    async def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            async with self._turns:
                answer = await self._api.send(request)
        except httpx.TransportError as fault:
            self.give_up(fault)
        self.answered = True
        return answer


def _leave_out_own_calls(timeout: httpx.Timeout) -> httpx.Timeout:
    """Limit no wait for a connection that other calls of the same client use."""
    return httpx.Timeout(connect=timeout.connect, read=timeout.read, write=timeout.write, pool=None)


def _authorize(token: str | None) -> Mapping[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def _build(api: httpx.Client | httpx.AsyncClient, step: TryStep | UploadStep) -> httpx.Request:
    """Build the request of a call."""
    call = step.call
    content: Any = call.content
    if isinstance(step, UploadStep):
        content = step.chunks if isinstance(api, httpx.Client) else _await_chunks(step.chunks)
    return api.build_request(
        call.method, call.path, params=call.params or None, content=content, headers=call.headers
    )


async def _await_chunks(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks of a body, each made in a thread: files are read, and decrypted."""
    while chunk := await asyncio.to_thread(next, chunks, b""):
        yield chunk


def _choose_range(start: int) -> Mapping[str, str]:
    return {"Range": f"bytes={start}-"} if start else {}
