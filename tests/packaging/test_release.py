"""A release is refused until version, changelog and history agree, and what the code host runs are targets of the Makefile."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.sources import ROOT

MINORS = (11, 12, 13, 14)
GITHUB = ROOT / ".github"
RELEASED = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-11-29\n\n### Added\n\n- A thing.\n"


def _git(folder: Path, *words: str) -> None:
    names = ("-c", "user.name=tests", "-c", "user.email=tests@example.net")
    subprocess.run(["git", *names, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A small project whose version can be released, with an environment of each Python; its ``make dist`` builds nothing."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "release", tmp_path / "scripts")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n', encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text(RELEASED, encoding="utf-8")
    (tmp_path / "Makefile").write_text("dist:\n\t@true\n", encoding="utf-8")
    for minor in MINORS:
        python = tmp_path / f".venv-python3.{minor}" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f"#!/bin/sh\necho 3.{minor}\n", encoding="utf-8")
        python.chmod(0o755)
    _git(tmp_path, "init", "-q")
    _commit(tmp_path)
    return tmp_path


def _commit(folder: Path) -> None:
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "--allow-empty", "-m", "all")


def _replace(name: str, before: str, after: str) -> Callable[[Path], None]:
    def change(clone: Path) -> None:
        path = clone / name
        path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
        _commit(clone)

    return change


def _refusal(clone: Path) -> str:
    run = subprocess.run([clone / "scripts" / "release"], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    return run.stderr


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param(lambda clone: (clone / "new").touch(), "not committed", id="changes"),
        pytest.param(_replace("pyproject.toml", "1.2.3", "1.2"), "not of the form", id="a version that is none"),
        pytest.param(_replace("pyproject.toml", "1.2.3", "1.2.4"), "does not begin with '## [1.2.4]", id="a version without changes"),
        pytest.param(_replace("CHANGELOG.md", " - 2026-11-29", ""), "does not begin with", id="a version without a date"),
        pytest.param(_replace("CHANGELOG.md", "[Unreleased]\n", "[Unreleased]\n\n- More.\n"), "still lists", id="unreleased changes"),
        pytest.param(lambda clone: _git(clone, "tag", "v1.2.3"), "tagged already", id="a version that was released"),
        pytest.param(lambda _: None, "did not build dist/venturi-1.2.3", id="artefacts that are missing"),
    ],
)
def test_a_release_is_refused(clone: Path, change: Callable[[Path], None], sentence: str) -> None:
    change(clone)
    assert sentence in _refusal(clone)


def test_a_release_names_each_python_that_is_missing_before_it_builds(clone: Path) -> None:
    for minor in (12, 14):
        shutil.rmtree(clone / f".venv-python3.{minor}")
    _commit(clone)
    refused = _refusal(clone)
    assert "no environment has Python 3.12, 3.14." in refused
    assert refused.splitlines()[-2:] == ["  make setup PYTHON=python3.12", "  make setup PYTHON=python3.14"]
    assert not (clone / "dist").exists()


def _workflows() -> list[Path]:
    return sorted((GITHUB / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", _workflows(), ids=lambda path: path.name)
def test_the_code_host_runs_targets_of_the_makefile(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    steps = [step for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values() for step in job["steps"]]
    commands = [step["run"] for step in steps if "run" in step]
    run = {target for command in commands for target in re.findall(r"\bmake ([a-z]+)", command)}
    assert run
    assert run <= targets
    assert [command for command in commands if "make" not in command and "apt-get" not in command] == []


def test_every_python_that_the_project_promises_is_tested() -> None:
    tested = yaml.safe_load((GITHUB / "workflows" / "check.yml").read_text(encoding="utf-8"))["jobs"]["test"]["strategy"]["matrix"][
        "python"
    ]
    assert tested == [f"3.{minor}" for minor in MINORS]


@pytest.mark.parametrize("path", [*sorted(GITHUB.rglob("*.yml")), ROOT / "SECURITY.md"], ids=lambda path: path.name)
def test_reports_name_no_person_and_no_address(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"[\w.+-]+@[\w-]+\.\w+|https?://|mailto:|assignees", text) == []


@pytest.mark.parametrize("page", ["README.md", "docs/installation.md"])
def test_it_is_said_that_nothing_is_sent(page: str) -> None:
    assert "sends no telemetry and looks for no updates" in (ROOT / page).read_text(encoding="utf-8")


def test_the_hooks_before_a_commit_can_be_read() -> None:
    hooks = ROOT / ".pre-commit-config.yaml"
    assert subprocess.run([sys.executable, "-m", "pre_commit", "validate-config", hooks], check=False).returncode == 0
