"""Tables for people: at 80 columns, in colour on a terminal, through a pager where the screen is too small."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import rich_click as click

from tests.cli.conftest import Venturi
from tests.support.server import ServerProcess
from tests.support.terminal import at_terminal
from venturi.cli import venturi as commands

VENTURI = Path(sys.executable).with_name("venturi")
LONG_NAME = "a customer with a name that is as long as names of customers are, and longer"
PREFIX = "2001:db8:1234:5678:9abc:def0:1234:5600/120"
RED, GREEN = "\x1b[31m", "\x1b[32m"
SPOOL = {"octets": 1, "limit": 9, "waiting_intervals": 3, "unacknowledged_batches": 1, "pressure": "none"}
AGENT = {"host": "edge-1", "version": "1.2.3", "driver": "ebpf", "phase": "idle", "report_interval_seconds": 60, "spool": SPOOL}
LISTS = [
    ("label", "list"),
    ("rule", "list"),
    ("point", "list"),
    ("token", "list"),
    ("revision", "list"),
    ("alarm", "list"),
    ("agent", "list"),
    ("ledger", "held"),
    ("label", "show", LONG_NAME),
    ("point", "show", "wan"),
    ("config", "show"),
    ("status",),
]


@pytest.fixture(scope="module")
def filled(server: ServerProcess) -> ServerProcess:
    """The server with something to list of everything, much of it long."""
    for number in range(12):
        label = {"name": f"{LONG_NAME}" if not number else f"label-{number}", "description": LONG_NAME, "project_id": "p" * 32}
        answer = server.request("POST", "/v2.0/metering/metering-labels", form={"metering_label": label}).json()
        rule = {"metering_label_id": answer["metering_label"]["id"], "direction": "egress", "source_ip_prefix": PREFIX}
        assert server.request("POST", "/v2.0/metering/metering-label-rules", form={"metering_label_rule": rule}).status == 201
    point = {"kind": "interface", "name": "wan", "host": "router-of-the-north", "device": "enp0s31f6", "namespace": "qrouter-" + "0" * 36}
    assert server.request("POST", "/v1/observation-points", form=point).status == 201
    token = {"role": "reader", "name": LONG_NAME, "project_id": "p" * 32, "expires_at": "2199-01-01T00:00:00.123456789Z"}
    assert server.request("POST", "/v1/tokens", form=token).status == 201
    assert server.request("PUT", "/v1/agents/edge-1", form={**AGENT, "problem": LONG_NAME}).status == 200
    return server


def _on_terminal(server: ServerProcess, *arguments: str, size: tuple[int, int] = (400, 80), code: int = 0, **variables: str) -> str:
    """Run a command on a terminal of so many lines and columns, and give what it wrote there."""
    with at_terminal([str(VENTURI), *arguments], size=size, VENTURI_URL=server.url, **variables) as command:
        assert command.end() == code, command.shown
    return command.shown.replace("\r\n", "\n")


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
@pytest.mark.usefixtures("filled")
def test_every_table_fits_into_80_columns(venturi: Venturi, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = venturi(*words).splitlines()
    assert len(lines) >= 2
    assert [line for line in lines if len(line) > 80] == []


@pytest.mark.usefixtures("filled")
def test_times_are_to_the_second_and_projects_have_their_short_heading(venturi: Venturi) -> None:
    heading, _, *rows = venturi("token", "list").splitlines()
    assert heading.split("  ")[0] == "id"
    assert [word for word in ("project", "role", "created", "last used", "ends") if word not in heading] == []
    assert "2199-01-01 00:00:00Z" in rows[0]
    assert "." not in rows[0]


@pytest.mark.usefixtures("filled")
def test_names_are_sorted_and_programs_get_what_the_server_gives(venturi: Venturi) -> None:
    names = venturi("label", "list", "-f", "value", "-c", "name").splitlines()
    shown = [line.split("  ")[0] for line in venturi("label", "list").splitlines()[2:]]
    assert shown == sorted(names)
    assert venturi("label", "list", "-f", "csv").splitlines()[0] == "id,name,description,shared"
    assert venturi("rule", "list", "-f", "csv").splitlines()[0].startswith("id,direction,excluded,source_ip_prefix")
    assert "metering_label_id" in venturi("rule", "list", "-f", "csv").splitlines()[0]


def test_states_are_coloured_on_a_terminal_unless_that_is_not_wanted(filled: ServerProcess) -> None:
    assert f"{GREEN}reporting" in _on_terminal(filled, "agent", "list")
    assert GREEN not in _on_terminal(filled, "agent", "list", NO_COLOR="1")


def test_what_is_longer_than_the_screen_goes_through_a_pager(filled: ServerProcess, tmp_path: Path) -> None:
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\necho paged; cat\n")
    pager.chmod(0o755)
    assert _on_terminal(filled, "rule", "list", size=(10, 80), PAGER=str(pager)).startswith("paged\n")
    assert "paged" not in _on_terminal(filled, "rule", "list", size=(400, 80), PAGER=str(pager))
    piped = subprocess.run(
        [VENTURI, "rule", "list"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "VENTURI_URL": filled.url, "PAGER": str(pager)},
    )
    assert "paged" not in piped.stdout


def test_one_of_a_thing_is_no_plural(venturi: Venturi, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("labels: [{name: a, rules: [{direction: egress, source_ip_prefix: 10.0.0.0/8}]}]\n")
    assert venturi("rule", "check", str(rules)) == "1 label, 1 rule, 0 inside prefixes: well formed\n"
    assert venturi("rules", "check", str(rules)) == venturi("rule", "check", str(rules))
    assert '"problems": []' in venturi("rule", "check", str(rules), "-f", "json")


def test_what_writes_manual_pages_sees_every_command_and_its_name() -> None:
    listed = commands.list_commands(click.Context(commands))
    assert list(commands.commands) == listed
    assert [name for name, command in commands.commands.items() if command.name != name] == []
    assert [name for name, command in commands.commands.items() if command.hidden] == ["rules"]


def test_help_groups_the_commands_and_hides_the_former_spelling(venturi: Venturi) -> None:
    shown = venturi("--help")
    assert [group for group in ("Daily", "Server and agents", "Upkeep", "About venturi") if f" {group} " not in shown] == []
    assert "\u2502 rules " not in shown


def test_a_secret_stands_in_one_line_that_can_be_copied(filled: ServerProcess) -> None:
    shown = _on_terminal(filled, "token", "create", "--role", "reader", "--project", "p", "--name", "copied").splitlines()
    assert [line for line in shown[:-1] if len(line) > 80] == []
    assert shown[-2:][0].strip() == "secret:"
    assert re.fullmatch(r"venturi_[0-9a-f]{32}_[0-9a-f]{64}", shown[-1].strip())


@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param(("label", "create", LONG_NAME, "--project", "p" * 32), 0, id="a warning"),
        pytest.param(("label", "show", f"no {LONG_NAME}"), 8, id="an error"),
        pytest.param(("label", "list", "--url", "http://127.0.0.1:9"), 11, id="no server"),
        pytest.param(("explain", "2001:db8:1234:5678:9abc:def0:1234:5601", "2001:db8::1", "egress"), 0, id="explanations"),
    ],
)
def test_what_is_said_beside_a_table_fits_on_a_terminal(filled: ServerProcess, command: tuple[str, ...], code: int) -> None:
    shown = _on_terminal(filled, *command, code=code)
    assert [line for line in _plain(shown).splitlines() if len(line) > 80] == []
    assert len(shown.splitlines()) > 1


def test_explanations_show_ids_short(filled: ServerProcess) -> None:
    shown = _plain(_on_terminal(filled, "explain", "2001:db8:1234:5678:9abc:def0:1234:5601", "2001:db8::1", "egress"))
    assert re.search(r"\b[0-9a-f]{8}\b(?!-)", shown)
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}", shown)


def _plain(shown: str) -> str:
    """Give what was shown without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", shown)
