"""The eBPF programs: what is said where they cannot be compiled."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.support.environments import run_whole
from tests.support.sources import PACKAGE, ROOT
from tests.support.tools import needs
from venturi.adapters.drivers.ebpf.configuration import PROGRAM_FILE

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


@needs("clang")
def test_the_source_archive_holds_them_compiled_so_that_no_compiler_is_needed(without_clang: Path, tmp_path: Path) -> None:
    run_whole(sys.executable, "-m", "build", "--no-isolation", "--sdist", "--outdir", tmp_path / "dist")
    with tarfile.open(next((tmp_path / "dist").glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path / "opened", filter="data")
    (source,) = (tmp_path / "opened").iterdir()
    run = subprocess.run([source / "scripts" / "build-bpf", "--required"], env={"PATH": str(without_clang / "bin")}, check=False)
    assert run.returncode == 0
    assert (source / "src" / PROGRAM_FILE.relative_to(PACKAGE.parent)).read_bytes() == PROGRAM_FILE.read_bytes()
