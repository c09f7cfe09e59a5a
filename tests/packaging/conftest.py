"""The wheel and the environments that are made of it, once for all workers of a run."""

import os

import pytest

from tests.support.environments import Installer


@pytest.fixture(scope="session")
def installer(tmp_path_factory: pytest.TempPathFactory) -> Installer:
    """Give what builds wheel and environments; the folder above a worker's own is the run's."""
    base = tmp_path_factory.getbasetemp()
    return Installer((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "installed")
