"""Programs, rights and captures that a test needs from the machine.

Owns whether a test runs, is skipped by name, or fails because CI must have everything. What the programs do lives in the tests.
"""

import os
import shutil
from pathlib import Path

import pytest

from tests.support.sources import ROOT

OPENSTACK_PROGRAMS = ROOT / ".venv-openstack" / "bin"
"""The environment that ``scripts/openstack-tools`` makes; what it pins goes before what the machine has."""

_SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin", *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]


def needs(*tools: str) -> pytest.MarkDecorator:
    """Mark a test that runs ``tools``: without one it is skipped by name, in CI it fails."""
    return pytest.mark.needs(*tools)


def find_tool(tool: str) -> str | None:
    """Find a program among the OpenStack programs, on the PATH or where administrators' and PostgreSQL's lie."""
    return shutil.which(tool, path=os.pathsep.join((str(OPENSTACK_PROGRAMS), os.environ.get("PATH", ""), *_SYSTEM_FOLDERS)))


def in_ci() -> bool:
    """Tell whether this run must have everything."""
    return os.environ.get("CI", "").lower() in {"1", "true"}


def require_tools(tools: tuple[str, ...]) -> None:
    """Skip the running test, or fail it in CI, naming the programs that are missing."""
    missing = [tool for tool in tools if find_tool(tool) is None]
    if not missing:
        return
    sentence = f"not installed: {', '.join(missing)}"
    if in_ci():
        pytest.fail(sentence)
    pytest.skip(sentence)


def runs_as_root() -> bool:
    """Tell whether the user is root."""
    return os.geteuid() == 0


def require_root() -> None:
    """Skip the running test unless the user is root."""
    if not runs_as_root():
        pytest.skip("needs the rights of root")


def find_captures() -> Path:
    """Give the folder that VENTURI_CAPTURES names; skip the running test without the variable, fail it without the folder."""
    return _find_folder("VENTURI_CAPTURES", "totals.json")


def find_contract() -> Path:
    """Give the folder with the recorded answers of a real Neutron that VENTURI_CONTRACT names; skip or fail as for captures."""
    return _find_folder("VENTURI_CONTRACT", "neutron_expected.json")


def _find_folder(variable: str, content: str) -> Path:
    named = os.environ.get(variable)
    if not named:
        pytest.skip(f"{variable} is not set")
    folder = Path(named)
    if not (folder / content).is_file():
        pytest.fail(f"{variable} names {folder}, which holds no {content}")
    return folder
