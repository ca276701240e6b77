"""Work on bytes beside the event loop: codecs and digests let go of the interpreter lock."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from memferry.cancellation import finish_uncancelled

# To hand over to a thread costs more than to hash or to compress this much.
_SMALL_BYTES = 256 * 1024
_T = TypeVar("_T")
_Parameters = ParamSpec("_Parameters")


async def run_in_thread(
    work: Callable[_Parameters, _T], *args: _Parameters.args, **kwargs: _Parameters.kwargs
) -> _T:
    """Work in a thread; a caller that is cancelled waits for its end, and nothing runs on."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await finish_uncancelled(task)
        raise


def run_in_thread_if_large(work: Callable[[bytes], _T], chunk: bytes) -> "asyncio.Future[_T]":
    """Work on a chunk in a thread; on a small one here, before this returns."""
    loop = asyncio.get_running_loop()
    if len(chunk) > _SMALL_BYTES:
        return loop.run_in_executor(None, work, chunk)
    done: asyncio.Future[_T] = loop.create_future()
    done.set_result(work(chunk))
    return done
