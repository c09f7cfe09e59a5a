"""The wheel holds all that the package needs and runs in an environment that holds nothing else."""

import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.sources import PACKAGE, ROOT, list_files
from tests.support.tools import needs
from venturi.adapters.drivers.ebpf.configuration import PROGRAM_FILE


def _run(*command: str) -> str:
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as ``make dist`` builds it."""
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder))
    return next(folder.glob("*.whl"))


@needs("clang")
def test_it_holds_every_file_of_the_package_and_the_compiled_programs(wheel: Path) -> None:
    committed = {str(path.relative_to(PACKAGE.parent)) for path in list_files() if path.is_relative_to(PACKAGE)}
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert shipped == {*committed, str(PROGRAM_FILE.relative_to(PACKAGE.parent))}


def _runtime_packages(name: str) -> set[str]:
    """Follow what ``name`` asks for, as installed here."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for line in distribution(waiting.pop()).requires or []:
            requirement = Requirement(line)
            wanted = canonicalize_name(requirement.name)
            if wanted not in found and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
                found.add(wanted)
                waiting.append(wanted)
    return found


def _locked_entries(names: set[str]) -> str:
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text(encoding="utf-8"))
    return "\n".join(entry for entry in entries if entry.partition("==")[0] in names)


def test_it_runs_where_only_locked_packages_are(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "empty"
    venv.create(environment, with_pip=True)
    wanted = tmp_path / "wanted.txt"
    wanted.write_text(_locked_entries(_runtime_packages("venturi")), encoding="utf-8")
    pip = (str(environment / "bin" / "pip"), "--quiet", "--disable-pip-version-check")
    _run(*pip, "install", "--require-hashes", "-r", str(wanted))
    _run(*pip, "install", "--no-deps", str(wheel))
    _run(*pip, "check")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    command = str(environment / "bin" / "venturi")
    assert _run(command, "--version").split()[-1] == version
    assert "meter" in _run(command, "--help")
