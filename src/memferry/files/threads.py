"""Work on bytes beside the event loop: codecs and digests let go of the interpreter lock."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from memferry.cancellation import wait_until_done

# To hand over to a thread costs more than to hash or to compress this much.
_SMALL_BYTES = 256 * 1024
_T = TypeVar("_T")
_Parameters = ParamSpec("_Parameters")


class OneThread:
    """Always the same thread: malloc keeps memory apart for each thread that has asked for some."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1)

    def start(
        self,
        work: Callable[_Parameters, _T],
        *args: _Parameters.args,
        **kwargs: _Parameters.kwargs,
    ) -> "asyncio.Future[_T]":
        """Start to work there."""
        call = partial(work, *args, **kwargs)
        return asyncio.get_running_loop().run_in_executor(self._executor, call)

    async def run(
        self,
        work: Callable[_Parameters, _T],
        *args: _Parameters.args,
        **kwargs: _Parameters.kwargs,
    ) -> _T:
        """Work there; a caller that is cancelled waits for its end, and nothing runs on."""
        return await wait_until_done(self.start(work, *args, **kwargs))

    def close(self) -> None:
        """End the thread, which must be idle."""
        self._executor.shutdown()


def run_in_thread_if_large(work: Callable[[bytes], _T], chunk: bytes) -> "asyncio.Future[_T]":
    """Work on a chunk in a thread; on a small one here, before this returns."""
    loop = asyncio.get_running_loop()
    if len(chunk) > _SMALL_BYTES:
        return loop.run_in_executor(None, work, chunk)
    done: asyncio.Future[_T] = loop.create_future()
    done.set_result(work(chunk))
    return done
