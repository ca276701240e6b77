"""How much a tenant may do in a minute."""

import time
from collections.abc import Callable
from uuid import UUID

from memferry.errors import TooManyRequests

_KEPT = 10_000


class Pace:
    """A token bucket per tenant: it holds a minute's tokens, and fills evenly.

    It counts in one process, and is forgotten with it.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._seconds_each = 60 / per_minute
        self._clock = clock
        # When a bucket will be full again. One that is full already need not be kept.
        self._full_at: dict[UUID, float] = {}

    def count(self, tenant_id: UUID) -> None:
        """Take a request's token; raises TooManyRequests when the bucket is empty."""
        missing = self.take(tenant_id)
        if missing > 0:
            raise TooManyRequests(self._per_minute, missing)

    def take(self, tenant_id: UUID) -> float:
        """Take one token, if there is one; answers in how many seconds there will be, or 0."""
        now = self._clock()
        full_at = max(self._full_at.get(tenant_id, now), now) + self._seconds_each
        # Half a token of tolerance: times are floats.
        missing = full_at - now - 60 - self._seconds_each / 2
        if missing > 0:
            return missing
        if len(self._full_at) >= _KEPT:
            self._full_at = {each: time for each, time in self._full_at.items() if time > now}
        self._full_at[tenant_id] = full_at
        return 0.0
