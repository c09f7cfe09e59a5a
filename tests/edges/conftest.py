"""What every test of edges is held to: it leaves nothing open, and a scenario goes through the doors that it names."""

import gc
import warnings
from collections.abc import Iterator

import pytest

from tests.edges.holding import doors_of, was_entered


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    """Fail the test that leaves a file or a socket to the collector, which would tell it of a later one; so it takes first what is left."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    yield
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        gc.collect()
    assert not [str(each.message) for each in told]


@pytest.fixture(autouse=True)
def every_door_was_entered(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that says of a door that it goes through, and does not."""
    yield
    assert [door for door in doors_of(request.function) if not was_entered(door)] == []
