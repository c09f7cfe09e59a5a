"""A test that cannot run says so by name, and fails where it must run."""

import os
from pathlib import Path

import pytest

from tests.support.tools import find_captures, require_root, require_tools

SKIPPED = pytest.skip.Exception
FAILED = pytest.fail.Exception


@pytest.mark.parametrize(
    ("ci", "outcome"),
    [
        pytest.param("", SKIPPED, id="a person is told what is missing"),
        pytest.param("true", FAILED, id="CI must have everything"),
    ],
)
def test_a_missing_program(ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="not installed: no-such-program"):
        require_tools(("sh", "no-such-program"))


def test_programs_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    require_tools(("sh", "git"))


def test_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SKIPPED, match="root"):
        require_root()


def test_captures_are_skipped_without_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VENTURI_CAPTURES", raising=False)
    with pytest.raises(SKIPPED, match="VENTURI_CAPTURES is not set"):
        find_captures()


def test_captures_fail_without_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VENTURI_CAPTURES", str(tmp_path))
    with pytest.raises(FAILED, match="holds no totals"):
        find_captures()


def test_captures_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "totals.json").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("VENTURI_CAPTURES", str(tmp_path))
    assert find_captures() == tmp_path
