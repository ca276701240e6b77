"""A plant for all tests of a module, without the workers of the test before."""

from collections.abc import Iterator

import pytest

from support.faults import Plant, run_plant


@pytest.fixture(scope="module")
def standing(request: pytest.FixtureRequest) -> Iterator[Plant]:
    """A plant that is built once."""
    with run_plant(request) as plant:
        yield plant


@pytest.fixture
def plant(standing: Plant) -> Iterator[Plant]:
    """The plant, whose workers end with the test."""
    yield standing
    standing.end_workers()
