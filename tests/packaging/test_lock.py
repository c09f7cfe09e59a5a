"""The locks have every package that is asked for, by hash, and no registry."""

import re
import tomllib
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement

from tests.support.sources import ROOT

PROJECT = "requirements.lock"
OTHERS = ("tests/openstack/requirements.lock", "bench/control/requirements.lock")
LOCKS = (PROJECT, *OTHERS)


def _asked() -> Iterator[tuple[str, str]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = settings["dependency-groups"]
    for asked in (*settings["project"]["dependencies"], *groups["dev"], *groups["bench"]):
        yield PROJECT, asked
    for lock in OTHERS:
        lines = (ROOT / lock).with_suffix(".in").read_text(encoding="utf-8").splitlines()
        yield from ((lock, line) for line in lines if not line.startswith("#"))


def _locked(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ;\\]+)", (ROOT / lock).read_text(encoding="utf-8"), flags=re.MULTILINE))


@pytest.mark.parametrize(("lock", "asked"), list(_asked()))
def test_what_is_asked_for_is_locked(lock: str, asked: str) -> None:
    requirement = Requirement(asked)
    assert _locked(lock)[requirement.name.lower()] in requirement.specifier


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_hash(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text(encoding="utf-8").strip())
    assert entries
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_registry_is_named(lock: str) -> None:
    assert "://" not in (ROOT / lock).read_text(encoding="utf-8")
