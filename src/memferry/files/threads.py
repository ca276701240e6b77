"""Work on bytes beside the event loop: codecs and digests let go of the interpreter lock."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

# To hand over to a thread costs more than to hash or to compress this much.
_SMALL_BYTES = 256 * 1024
_T = TypeVar("_T")


def run_in_thread_if_large(work: Callable[[bytes], _T], chunk: bytes) -> "asyncio.Future[_T]":
    """Work on a chunk in a thread; on a small one here, before this returns."""
    loop = asyncio.get_running_loop()
    if len(chunk) > _SMALL_BYTES:
        return loop.run_in_executor(None, work, chunk)
    done: asyncio.Future[_T] = loop.create_future()
    done.set_result(work(chunk))
    return done
