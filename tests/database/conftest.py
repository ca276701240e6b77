"""A site with a primary, for the tests of standbys of a module."""

from collections.abc import Iterator

import pytest

from support.sites import Site, run_site, visit_site


@pytest.fixture(scope="module")
def standing(request: pytest.FixtureRequest) -> Iterator[Site]:
    with run_site(request) as site:
        yield site


@pytest.fixture
def site(standing: Site) -> Iterator[Site]:
    """The site of the module, as a test finds it."""
    with visit_site(standing) as visited:
        yield visited
