"""The Debian packages as ``make deb`` builds them, and again as a second revision of the same version."""

import fcntl
import os
from pathlib import Path

import pytest

from tests.support.environments import run_whole
from tests.support.sources import ROOT

PACKAGES = ("venturi", "venturi-agent")

Packages = dict[tuple[str, int], str]
"""The file of a package by its name and revision."""


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """Give both packages in both revisions, built once for a run."""
    return built_packages(shared_folder(tmp_path_factory) / "deb")


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the run, which is above that of a worker."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def built_packages(folder: Path) -> Packages:
    """Build both packages into a folder that all workers of a run share, unless they are there."""
    with folder.with_suffix(".lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            run_whole(ROOT / "scripts" / "make-deb", folder)
            for name in PACKAGES:
                _revise(folder, name)
            (folder / "done").touch()
    return {(name, revision): str(*folder.glob(f"{name}_*-{revision}_*.deb")) for name in PACKAGES for revision in (1, 2)}


def _revise(folder: Path, name: str) -> None:
    (first,) = folder.glob(f"{name}_*-1_*.deb")
    opened = folder / name
    run_whole("dpkg-deb", "-R", first, opened)
    control = opened / "DEBIAN" / "control"
    control.write_text(control.read_text(encoding="utf-8").replace("-1\n", "-2\n", 1), encoding="utf-8")
    second = folder / first.name.replace("-1_", "-2_")
    run_whole("dpkg-deb", "--root-owner-group", "-Zzstd", "-z1", "--build", opened, second)
