"""``venturi config``: settings with their origins, and an example of the file that is true."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from venturi.composition.settings import EXAMPLE
from venturi.config.settings import list_setting_keys, read_settings
from venturi.config.sources import list_defaults
from venturi.main import run

SETTING = re.compile(r"^#(?=[a-z_]+ = )", re.MULTILINE)
EXAMPLE_TEXT = EXAMPLE.read_text(encoding="utf-8")


def _show(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, tuple[str, str]]:
    assert run(["config", "show", "-f", "json", *arguments]) == 0
    return {row["setting"]: (row["value"], row["from"]) for row in json.loads(capsys.readouterr().out)}


def _keys(tables: dict[str, object], above: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for name, given in tables.items():
        found |= _keys(given, f"{above}{name}.") if isinstance(given, dict) else {f"{above}{name}": given}
    return found


def test_each_setting_says_where_it_came_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "venturi.toml"
    file.write_text('listen = "127.0.0.1:1"\nauth = "token"\n[agent]\nhost = "edge-9"\n', encoding="utf-8")
    monkeypatch.setenv("VENTURI_AUTH", "none")
    shown = _show(capsys, "--config", str(file))
    assert set(list_setting_keys()) <= set(shown)
    assert shown["listen"] == ("127.0.0.1:1", str(file))
    assert shown["auth"] == ("none", "VENTURI_AUTH")
    assert shown["agent.agent_id"] == ("edge-9", "default")
    assert shown["limits.connections"] == ("4096", "default")
    assert shown["agent.spool"][0].endswith("spool.db")
    assert set(_show(capsys, "--config", str(file), "--set")) >= {"listen", "auth", "agent.host"}


def test_no_secret_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "venturi.toml"
    file.write_text(
        'database = "postgresql://venturi:hunter2@db/venturi"\n[keystone]\nauth_url = "http://k"\nusername = "u"\npassword = "hunter2"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("VENTURI_TOKEN", "venturi_hunter2")
    shown = _show(capsys, "--config", str(file))
    assert "hunter2" not in str(shown)
    assert shown["VENTURI_TOKEN"] == ("[hidden]", "VENTURI_TOKEN")
    assert shown["keystone.password"] == ("[hidden]", str(file))
    assert shown["database"] == ("postgresql://venturi:[hidden]@db/venturi", str(file))


def test_the_settings_fit_into_80_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["config", "show"]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if len(line) > 80] == []


def test_the_example_is_what_the_command_prints_and_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "example"]) == 0
    assert capsys.readouterr().out == EXAMPLE_TEXT
    file = tmp_path / "venturi.toml"
    file.write_text(EXAMPLE_TEXT, encoding="utf-8")
    assert read_settings(str(file), {}) == read_settings(None, {})
    assert [line for line in EXAMPLE_TEXT.splitlines() if len(line) > 80] == []


def test_the_example_explains_every_setting_with_its_default(tmp_path: Path) -> None:
    uncommented = SETTING.sub("", EXAMPLE_TEXT)
    given = _keys(tomllib.loads(uncommented))
    assert set(given) == set(list_setting_keys())
    examples = set(re.findall(r"\(e\.g\.\)\n#([a-z_]+) =", EXAMPLE_TEXT))
    defaults = list_defaults()
    differing = {key for key in given if key.rpartition(".")[2] not in examples and str(given[key]) != str(defaults.get(key))}
    assert differing == set()
    file = tmp_path / "venturi.toml"
    file.write_text(uncommented, encoding="utf-8")
    assert read_settings(str(file), {}).tls is not None
    explained = [block.startswith("## ") for block in re.split(r"\n{2,}", EXAMPLE_TEXT) if SETTING.search(block)]
    assert len(explained) == len(given)
    assert all(explained)


def test_a_file_that_is_wrong_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "venturi.toml"
    file.write_text("lisen = 1\n", encoding="utf-8")
    assert run(["config", "show", "--config", str(file)]) == 2
    assert capsys.readouterr().err == f"venturi: {file}: there is no setting 'lisen'\n"
