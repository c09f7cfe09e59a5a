"""What tests of the Networking API may ask for."""

from collections.abc import Iterator

import pytest

from tests.api.neutron.callers import Caller, serving
from tests.support.server import running_server
from venturi.core.domain.control.principal import Role


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """A caller of a server that takes everybody for an administrator of the project ``default``."""
    with running_server(tmp_path_factory.mktemp("open")) as server:
        yield Caller(server, "default")


@pytest.fixture
def anyone(open_server: Caller) -> Caller:
    """A caller of an empty server that takes everybody for an administrator."""
    open_server.wipe()
    return open_server


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Caller]]:
    """A caller of each role in the project ``own``, and an administrator of the project ``root``, ``owner`` of everything."""
    by_role = {role.value: (role.value, "own") for role in Role}
    with serving(tmp_path_factory.mktemp("closed"), {**by_role, "owner": ("admin", "root")}) as started:
        yield started
