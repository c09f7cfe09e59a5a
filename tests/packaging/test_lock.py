"""The lock has every package that the project asks for, by hash, and no registry."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement

from tests.support.sources import ROOT


def _asked() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = settings["dependency-groups"]
    return [*settings["project"]["dependencies"], *groups["dev"], *groups["bench"]]


def _locked() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ;\\]+)", "\n".join(lines), flags=re.MULTILINE))


@pytest.mark.parametrize("asked", _asked())
def test_what_is_asked_for_is_locked(asked: str) -> None:
    requirement = Requirement(asked)
    assert _locked()[requirement.name.lower()] in requirement.specifier


def test_every_locked_package_has_a_hash() -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text(encoding="utf-8").strip())
    assert entries
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []
