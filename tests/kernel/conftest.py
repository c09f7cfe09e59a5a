"""What tests of the kernel share: a router, and drivers that clean up after themselves."""

from collections.abc import Iterator

import pytest

from tests.support.kernel.drivers import KERNEL_DRIVERS, new_driver
from tests.support.kernel.router import Router, running_router
from venturi.adapters.drivers.protocol import Driver


@pytest.fixture(scope="module")
def router() -> Iterator[Router]:
    """A router for all tests of a module, which leave it as it was."""
    with running_router() as router:
        yield router


@pytest.fixture
def own_router() -> Iterator[Router]:
    """A router that the test may take apart."""
    with running_router() as router:
        yield router


@pytest.fixture(params=KERNEL_DRIVERS)
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    """Each driver in turn, with names of its own in the kernel, where nothing is left of it."""
    driver = new_driver(request.param)
    yield driver
    driver.purge()
    driver.stop()
