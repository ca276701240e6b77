"""Where the bytes of an upload come from, in a form that a cancelled writer can stop."""

from collections.abc import AsyncIterable


class StoppableSource:
    """A source of chunks that can be made to fail from outside, and remembers why it failed."""

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._chunks = aiter(chunks)
        self._stopped = False
        self.fault: BaseException | None = None

    def stop(self) -> None:
        """Fail at the next chunk."""
        self._stopped = True

    def __aiter__(self) -> "StoppableSource":
        return self

    async def __anext__(self) -> bytes:
        if self._stopped:
            raise InterruptedError("the upload was cancelled")
        try:
            return await anext(self._chunks)
        except StopAsyncIteration:
            raise
        except BaseException as fault:
            self.fault = fault
            raise
