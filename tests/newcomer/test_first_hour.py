"""A newcomer's first hour: every command of the page succeeds, is answered and fits 80 columns, where nothing of venturi runs yet."""

from pathlib import Path

import pytest

from tests.newcomer.hour import PAGE, typing
from tests.newcomer.session import Answer, read_answers, renew, running_shell
from tests.support.machines.packages import Packages
from tests.support.tools import needs

COMMANDS = [answer.command for answer in read_answers(PAGE.read_text(encoding="utf-8"))]


@pytest.mark.root
@pytest.mark.image
@pytest.mark.timeout(1200)
@needs("dpkg-deb", "unshare", "nft", "ip", "clang", "systemd-nspawn", "/usr/bin/python3")
def test_nobody_stumbles(tmp_path: Path, packages: Packages) -> None:
    with typing(tmp_path, packages) as run:
        for command in COMMANDS:
            answer = run(command)
            assert answer.faults() == [], f"$ {command}\n{answer.shown}"


@pytest.mark.parametrize("answer", read_answers(PAGE.read_text(encoding="utf-8")), ids=lambda answer: answer.command.split("\n")[0][:40])
def test_the_page_shows_answers_without_fault(answer: Answer) -> None:
    assert answer.faults() == []


def test_the_hour_has_every_part() -> None:
    parts = (
        "source .venv/bin/activate", "venturi meter", "venturi apply", "venturi explain", "venturi usage", "venturi ledger verify",
        "venturi db backup", "venturi db restore", "venturi token create", "venturi token rotate", "dist/venturi_*-2_*.deb",
    )  # fmt: skip
    assert [part for part in parts if not any(part in command for command in COMMANDS)] == []


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        pytest.param(Answer("venturi label list", 0, "x" * 81), "a line has 81 columns", id="a wide line"),
        pytest.param(Answer("venturi label list", 0, " \n"), "nothing is shown", id="an empty answer"),
        pytest.param(Answer("venturi x", 2, "Error: No such command 'x'."), "'No such command' is shown", id="an unknown command"),
        pytest.param(Answer("venturi usage", 1, "Traceback (most recent call last):\n"), "Traceback", id="a traceback"),
        pytest.param(Answer("venturi usage", 9, "venturi: no"), "the exit code is 9", id="a failure"),
    ],
)
def test_faults_are_found(answer: Answer, fault: str) -> None:
    assert any(fault in found for found in answer.faults())


def test_a_page_is_renewed_between_its_commands() -> None:
    page = "# A\n\n```console\nroot@edge# one\nold\nroot@edge# two <<END\n> text\n> END\nold\n```\n\nWords.\n"
    renewed = renew(page, lambda command: Answer(command, 0, f"new {command.count('text')}\n\n"))
    assert renewed == "# A\n\n```console\nroot@edge# one\nnew 0\nroot@edge# two <<END\n> text\n> END\nnew 1\n```\n\nWords.\n"
    assert [answer.command for answer in read_answers(renewed)] == ["one", "two <<END\ntext\nEND"]


def test_only_what_stays_on_the_screen_is_shown() -> None:
    with running_shell(()) as shell:
        shown = shell.run(r"printf 'going\r\033[2Kgone\n\033[1;31mred\033[0m\nover\rOV\none\n\033[1A\033[2Ktwo\n'").shown
    assert shown.splitlines() == ["gone", "red", "OVer", "two"]


def test_a_shell_is_a_newcomers() -> None:
    with running_shell(()) as shell:
        assert shell.run("tput cols || stty size").shown.split()[-1] == "80"
        assert shell.run("env | grep -c VENTURI").shown.split() == ["0"]
