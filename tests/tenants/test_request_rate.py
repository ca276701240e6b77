"""A token bucket per tenant counts the requests of a minute."""

from uuid import UUID, uuid4

import pytest

from memferry.errors import TooManyRequests
from memferry.request_rate import RequestRate


class Clock:
    """Shows what it is told."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def passed(rate: RequestRate, tenant: UUID, number: int) -> int:
    """How many of that many requests pass at this moment."""
    count = 0
    for _ in range(number):
        try:
            rate.admit(tenant)
        except TooManyRequests:
            continue
        count += 1
    return count


@pytest.mark.parametrize("per_minute", [1, 7, 60, 6_000])
def test_a_bucket_holds_a_minute_of_requests_and_fills_evenly(per_minute: int) -> None:
    clock, tenant = Clock(), uuid4()
    rate = RequestRate(per_minute, clock)
    burst = passed(rate, tenant, 2 * per_minute)
    clock.now += 60 / per_minute
    after_one = passed(rate, tenant, 10)
    clock.now += 1e6
    much_later = passed(rate, tenant, 2 * per_minute)

    assert (burst, after_one, much_later) == (per_minute, 1, per_minute)


def test_a_refusal_says_when_the_next_request_passes() -> None:
    clock, tenant = Clock(), uuid4()
    rate = RequestRate(6, clock)
    passed(rate, tenant, 6)
    clock.now += 3
    with pytest.raises(TooManyRequests) as refused:
        rate.admit(tenant)
    clock.now += refused.value.again_in_seconds + 0.001

    assert passed(rate, tenant, 2) == 1
