"""A server without authentication, and the real OpenStack clients asking it; they share it, so every test has names of its own."""

from collections.abc import Iterator

import pytest

from tests.support.openstack import ClientCalls, OpenstackShell, running_calls, running_shell, without_authentication
from tests.support.server import ServerProcess, running_server


@pytest.fixture(scope="session")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server that asks nobody who they are."""
    with running_server(tmp_path_factory.mktemp("open-server")) as server:
        yield server


@pytest.fixture(scope="session")
def settings(open_server: ServerProcess) -> dict[str, str]:
    """The OS_ variables of a client of that server."""
    return without_authentication(open_server.url)


@pytest.fixture(scope="session")
def shell(settings: dict[str, str]) -> Iterator[OpenstackShell]:
    """An ``openstack`` shell at that server."""
    with running_shell(settings) as running:
        yield running


@pytest.fixture(scope="session")
def sdk(settings: dict[str, str]) -> Iterator[ClientCalls]:
    """The network calls of openstacksdk at that server."""
    with running_calls("sdk", settings) as calls:
        yield calls


@pytest.fixture(scope="session")
def neutronclient(settings: dict[str, str]) -> Iterator[ClientCalls]:
    """The calls of neutronclient at that server."""
    with running_calls("neutronclient", settings) as calls:
        yield calls
