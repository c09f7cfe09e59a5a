"""The wheel and the environments that are made of it, once for all workers of a run."""

import pytest

from tests.support.environments import Installer
from tests.support.machines.packages import shared_folder


@pytest.fixture(scope="session")
def installer(tmp_path_factory: pytest.TempPathFactory) -> Installer:
    """Give what builds wheel and environments."""
    return Installer(shared_folder(tmp_path_factory) / "installed")
