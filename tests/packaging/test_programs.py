"""The eBPF programs: what is said where they cannot be compiled."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.sources import ROOT

ADVICE = "apt-get install clang llvm libbpf-dev"


@pytest.fixture
def without_clang(tmp_path: Path) -> Path:
    """A copy of what is compiled, in a folder with the programs that the script runs, but without clang."""
    shutil.copytree(ROOT / "bpf", tmp_path / "bpf")
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "build-bpf", tmp_path / "scripts")
    (tmp_path / "bin").mkdir()
    for tool in ("bash", "dirname", "rm", "uname"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or tool)
    return tmp_path


@pytest.mark.parametrize(
    ("options", "code"),
    [pytest.param((), 0, id="make setup goes on"), pytest.param(("--required",), 1, id="make dist fails")],
)
def test_what_to_install_is_said_where_they_cannot_be_compiled(without_clang: Path, options: tuple[str, ...], code: int) -> None:
    command = (str(without_clang / "scripts" / "build-bpf"), *options)
    run = subprocess.run(command, env={"PATH": str(without_clang / "bin")}, capture_output=True, text=True, check=False)
    assert run.returncode == code
    assert "there is no clang" in run.stderr
    assert ADVICE in run.stderr


def test_make_setup_shows_it() -> None:
    lines = (ROOT / "scripts" / "setup").read_text(encoding="utf-8").splitlines()
    assert "scripts/build-bpf" in lines
