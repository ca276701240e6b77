"""A limit on how often a tenant may do something in a minute."""

import time
from collections.abc import Callable
from uuid import UUID

from memferry.errors import TooManyRequests

_MOST_BUCKETS = 10_000


class RequestRate:
    """A token bucket per tenant: it holds the requests of a minute, and refills evenly.

    The buckets are those of one process, and end with it.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._seconds_each = 60 / per_minute
        self._clock = clock
        # When each bucket will be full again; a full bucket needs no entry.
        self._full_at: dict[UUID, float] = {}

    def admit(self, tenant_id: UUID) -> None:
        """Take one request from the bucket; raises TooManyRequests if it is empty."""
        wait_seconds = self.take(tenant_id)
        if wait_seconds > 0:
            raise TooManyRequests(self._per_minute, wait_seconds)

    def take(self, tenant_id: UUID) -> float:
        """Take one request from the bucket; answers 0, or the seconds until it holds one again."""
        now = self._clock()
        full_at = max(self._full_at.get(tenant_id, now), now) + self._seconds_each
        # Half a request of tolerance, since times are floats.
        wait_seconds = full_at - now - 60 - self._seconds_each / 2
        if wait_seconds > 0:
            return wait_seconds
        if len(self._full_at) >= _MOST_BUCKETS:
            self._full_at = {tenant: time for tenant, time in self._full_at.items() if time > now}
        self._full_at[tenant_id] = full_at
        return 0.0
