"""Programs, rights and captures that a test needs from the machine.

Owns whether a test runs, is skipped by name, or fails because CI must have everything. What the programs do lives in the tests.
"""

import os
import shutil
from pathlib import Path

import pytest

_SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"


def needs(*tools: str) -> pytest.MarkDecorator:
    """Mark a test that runs ``tools``: without one it is skipped by name, in CI it fails."""
    return pytest.mark.needs(*tools)


def find_tool(tool: str) -> str | None:
    """Find a program on the PATH or where administrators' programs lie."""
    return shutil.which(tool, path=os.pathsep.join((os.environ.get("PATH", ""), _SYSTEM_FOLDERS)))


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


def require_root() -> None:
    """Skip the running test unless the user is root."""
    if os.geteuid() != 0:
        pytest.skip("needs the rights of root")


def find_captures() -> Path:
    """Give the folder that VENTURI_CAPTURES names; skip the running test without the variable, fail it without the folder."""
    named = os.environ.get("VENTURI_CAPTURES")
    if not named:
        pytest.skip("VENTURI_CAPTURES is not set")
    folder = Path(named)
    if not (folder / "totals.json").is_file():
        pytest.fail(f"VENTURI_CAPTURES names {folder}, which holds no totals.json")
    return folder
