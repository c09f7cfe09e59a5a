"""Commands, options and targets stand in the pages as they are, and the commands that the README shows do what it shows."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import rich_click as click

from tests.architecture.code_checks import list_settings
from tests.architecture.text_checks import read_commands
from tests.support.sources import DOCS, ROOT, list_modules, read_documents
from venturi.cli import venturi

COMMAND_SECTION = re.compile(r"^## (venturi .+)$", re.MULTILINE)
OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")


def _commands(group: click.Group, name: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        assert command is not None
        if command.hidden:
            continue
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield f"{name} {word}", command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{name} {word}")


COMMANDS = dict(_commands(venturi, "venturi"))


def _sections() -> dict[str, str]:
    parts = COMMAND_SECTION.split((DOCS / "commands.md").read_text(encoding="utf-8"))
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _options(command: click.Command) -> set[str]:
    return {spelling for parameter in command.params if isinstance(parameter, click.Option) for spelling in parameter.opts}


def _documented(section: str) -> set[str]:
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `-")]
    return {option for cell in cells for option in OPTION.findall(cell)}


def _shown() -> list[tuple[str, str]]:
    return [shown for page in read_documents().values() for shown in read_commands(page)]


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))


def test_the_page_has_a_section_for_each_command() -> None:
    assert sorted(_sections()) == sorted(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_page_has_the_options_of_the_command(name: str) -> None:
    assert _documented(_sections()[name]) == _options(COMMANDS[name])


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_says_what_it_is_for(name: str) -> None:
    options = [parameter for parameter in COMMANDS[name].params if isinstance(parameter, click.Option)]
    assert [option.name for option in options if not option.help] == []
    assert COMMANDS[name].help


def test_an_option_that_is_not_documented_is_seen() -> None:
    section = "| option | meaning |\n| `-o`, `--output FILE` | says --quiet things |\n"
    assert _documented(section) == {"-o", "--output"}


def test_the_page_has_every_setting() -> None:
    named = {setting for module in list_modules("src/venturi/config") for setting in list_settings(module)}
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert named == set(re.findall(r"\bVENTURI_[A-Z_]+\b", page))


def test_targets_that_pages_name_exist() -> None:
    named = {target for page in read_documents().values() for target in re.findall(r"`make ([a-z]+)", page)}
    shown = {command.split()[1] for command, _ in _shown() if command.startswith("make ")}
    assert named | shown
    assert (named | shown) - _targets() == set()


def test_every_target_is_told_to_contributors() -> None:
    page = read_documents()["CONTRIBUTING.md"]
    assert [target for target in _targets() - {"help"} if f"`make {target}" not in page] == []


def test_the_page_has_every_extra() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    section = (DOCS / "installation.md").read_text(encoding="utf-8").partition("## Extras")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+`) \|", section, flags=re.MULTILINE)
    assert {extra for row in rows for extra in re.findall(r"`([a-z]+)`", row)} == set(extras)


def test_programs_that_tests_need_are_installed_for_them() -> None:
    scripts = ((ROOT / "scripts" / name).read_text(encoding="utf-8") for name in ("system-tools", "openstack-tools"))
    listed = [line for script in scripts for line in re.findall(r'^(?:test|image)_tools="(.+)"$', script, flags=re.MULTILINE)]
    installed = {pair.partition(":")[0] for line in listed for pair in line.split()}
    calls = [call for module in list_modules("tests") for call in re.findall(r"\bneeds\(([^)]*)\)", module.text)]
    needed = {tool for call in calls for tool in re.findall(r'"([\w.-]+)"', call)}
    assert needed - installed == set()


@pytest.mark.parametrize(
    ("command", "output"), [shown for shown in _shown() if shown[0].startswith("venturi ")] or [("venturi --help", "")]
)
def test_commands_that_pages_show_do_what_they_show(command: str, output: str, tmp_path: Path) -> None:
    (tmp_path / "src").symlink_to(ROOT / "src")
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1"}
    run = subprocess.run(command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)  # noqa: S602 - the line of a page
    assert run.returncode == 0, run.stderr
    assert [line for line in output.splitlines() if line.strip() not in {"", "…"} and line.rstrip() not in run.stdout] == []
