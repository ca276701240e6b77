"""Retries of transactions that PostgreSQL ended in favour of another one."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from memferry.errors import TransactionConflict

_TRIES = 5
_PAUSE_SECONDS = 0.02
_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


def retry_conflicts(
    work: Callable[_Parameters, Coroutine[Any, Any, _Result]],
) -> Callable[_Parameters, Coroutine[Any, Any, _Result]]:
    """Retry after a deadlock or a serialization failure, up to five tries in all.

    For work that is one transaction, or that continues where it ended
    (https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html).
    """

    @wraps(work)
    async def repeat(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        for attempt in range(1, _TRIES):
            try:
                return await work(*args, **kwargs)
            except TransactionConflict:
                longest = _PAUSE_SECONDS * 2**attempt
                await asyncio.sleep(random.uniform(0, longest))  # noqa: S311 - spreads retries
        return await work(*args, **kwargs)

    return repeat
