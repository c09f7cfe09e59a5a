"""Routers and agents of each driver, for tests of the running agent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.agent.process import AgentFiles
from tests.support.kernel.drivers import KERNEL_DRIVERS
from tests.support.kernel.router import Router, running_router


@pytest.fixture
def router() -> Iterator[Router]:
    """A router in namespaces of its own."""
    with running_router() as running:
        yield running


@pytest.fixture(params=sorted(KERNEL_DRIVERS))
def files(request: pytest.FixtureRequest, tmp_path: Path) -> AgentFiles:  # noqa: PLR0206 - a fixture is no property
    """Give the files of an agent that counts by a driver."""
    return AgentFiles(tmp_path, request.param)
