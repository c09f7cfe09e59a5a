"""What every test of edges may leave behind: nothing open."""

import gc
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    """Fail the test that leaves a file or a socket to the collector, which would tell it of a later one."""
    yield
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        gc.collect()
    assert not [str(each.message) for each in told]
