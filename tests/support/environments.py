"""Environments as users install them: the wheel with some extras, and of the locked packages those that these ask for.

Owns building each once for all workers of a run, and its size. pip stays outside, as it is no part of venturi.
"""

import fcntl
import re
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.sources import ROOT


def run_whole(*command: str | Path) -> str:
    """Run a command that must succeed in the project's folder, and give what it writes to standard output."""
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@dataclass(frozen=True)
class Environment:
    """A virtual environment with venturi in it."""

    folder: Path

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")

    @property
    def packages(self) -> set[str]:
        """The names of the modules and packages on the first level."""
        return {path.name.partition(".")[0] for path in next(self.folder.glob("lib/python*/site-packages")).iterdir()}

    @property
    def octets(self) -> int:
        """The size of all files, compiled ones too; links count nothing."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink())

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = (str(self.folder / "bin" / "venturi"), *arguments)
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)


class Installer:
    """Builds wheel and environments in a folder that all workers of a test run share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def wheel(self) -> Path:
        """Give the wheel, built as ``make dist`` builds it."""
        with self._turn("wheel"):
            folder = self._folder / "dist"
            if not folder.is_dir():
                building = self._folder / "dist.new"
                run_whole(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", building)
                building.rename(folder)
            return next(folder.glob("*.whl"))

    def environment(self, name: str, *extras: str) -> Environment:
        """Give the environment of some extras."""
        wheel = self.wheel()
        with self._turn(name):
            folder, done = self._folder / name, self._folder / f"{name}.done"
            if not done.exists():
                wanted = self._folder / f"{name}.txt"
                wanted.write_text(_locked_entries(_follow(_asked(extras))), encoding="utf-8")
                venv.create(folder)
                pip = (sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "--quiet", "--disable-pip-version-check")
                run_whole(*pip, "install", "--no-deps", "--require-hashes", "-r", wanted)
                run_whole(*pip, "install", "--no-deps", wheel)
                run_whole(*pip, "check")
                done.touch()
            return Environment(folder)

    def _turn(self, name: str) -> "_Turn":
        return _Turn(self._folder / f"{name}.lock")


class _Turn:
    """One process at a time between ``with`` and the end of its block."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")

    def __enter__(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _asked(extras: Iterable[str]) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]


def _follow(asked: Iterable[str]) -> set[str]:
    """Give the names of packages and of all that they ask for, as they are installed here."""
    found: set[str] = set()
    waiting = list(asked)
    while waiting:
        requirement = Requirement(waiting.pop())
        name = canonicalize_name(requirement.name)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if wanted and name not in found:
            found.add(name)
            waiting.extend(distribution(name).requires or [])
    return found


def _locked_entries(names: set[str]) -> str:
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text(encoding="utf-8"))
    return "\n".join(entry for entry in entries if entry.partition("==")[0] in names)
