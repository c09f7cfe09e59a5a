"""Servers and commands of two versions: the later takes over what the earlier has, and each side's commands ask the other's server."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.compat.contents import BELIEVED, SPAN, fill_server
from tests.support.databases import DatabaseServers
from tests.support.server import ServerProcess, running_server
from tests.support.versions import Version, ask_reports, drop_moment, find_lost, find_lost_reports, run_command

PRESENT = sys.executable
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("label", "list"),
    ("rule", "list"),
    ("point", "list"),
    ("revision", "list"),
    ("usage", "--from", SPAN[0], "--to", SPAN[1]),
    ("usage", "--from", SPAN[0], "--to", SPAN[1], "--group-by", "project,direction", "--resolution", "1h"),
    ("usage", "--from", SPAN[0], "--to", SPAN[1], "--totals"),
)
"""Commands that read."""

WRITING: tuple[tuple[str, ...], ...] = (
    ("label", "create", "fresh", "--share"),
    ("label", "set", "fresh", "--description", "anew"),
    ("rule", "create", "fresh", "--ingress", "--source-ip-prefix", "192.0.2.0/24"),
    ("label", "delete", "fresh"),
)
"""Commands that change something, in order."""


@pytest.fixture
def filled(  # noqa: PLR0206 - a fixture is no property
    version: Version, database_kind: str, database_servers: DatabaseServers, tmp_path: Path
) -> tuple[str, dict[str, Any]]:
    """The URL of a database that an earlier version filled, and what it reported of it."""
    url = database_servers.bare_database(database_kind, tmp_path, "earlier")
    run_command(version.python, "db", "upgrade", "--database", url)
    with running_server(tmp_path, database=url, python=version.python, environment=BELIEVED) as server:
        fill_server(server)
        return url, ask_reports(server, *SPAN)


def test_a_database_is_upgraded_and_its_copies_are_restored(
    version: Version, filled: tuple[str, dict[str, Any]], database_kind: str, database_servers: DatabaseServers, tmp_path: Path
) -> None:
    url, reports = filled
    run_command(version.python, "db", "backup", str(tmp_path / "backup"), "--database", url)
    run_command(version.python, "ledger", "export", str(tmp_path / "export"), "--database", url)
    restored = database_servers.bare_database(database_kind, tmp_path, "restored")
    imported = database_servers.bare_database(database_kind, tmp_path, "imported")
    run_command(PRESENT, "db", "upgrade", "--database", url)
    run_command(PRESENT, "db", "restore", str(tmp_path / "backup"), "--database", restored)
    run_command(PRESENT, "ledger", "import", str(tmp_path / "export"), "--database", imported)
    for upgraded in (url, restored, imported):
        run_command(PRESENT, "ledger", "verify", "--database", upgraded)
    for upgraded in (url, restored):
        with running_server(tmp_path, database=upgraded) as server:
            assert find_lost_reports(reports, ask_reports(server, *SPAN)) == []


@pytest.fixture(params=["the earlier version's server", "the present server"])
def served_by(request: pytest.FixtureRequest, version: Version) -> str:  # noqa: PLR0206 - a fixture is no property
    """The interpreter of the server, which is that of one version after the other."""
    return version.python if request.param.startswith("the earlier") else PRESENT


def test_commands_of_both_versions_ask_either_server(version: Version, served_by: str, tmp_path: Path) -> None:
    with running_server(tmp_path, python=served_by, environment=BELIEVED) as server:
        fill_server(server)
        for command in COMMANDS:
            earlier, present = (_ask(python, server, *command, "-f", "json") for python in (version.python, PRESENT))
            told, again = (drop_moment(json.loads(answer)) for answer in (earlier, present))
            assert find_lost(told, again) == [], command
        for python in (version.python, PRESENT):
            for command in WRITING:
                _ask(python, server, *command)
        assert "fresh" not in _ask(PRESENT, server, "label", "list")


def test_rules_files_are_applied_to_either_server(version: Version, served_by: str, tmp_path: Path) -> None:
    """A server that cannot make all changes as one gets them one after the other."""
    rules = tmp_path / "rules.yaml"
    rule = "{direction: egress, source_ip_prefix: 10.0.0.0/8}"
    with running_server(tmp_path, python=served_by) as server:
        for holder in ("one", "two"):
            labels = [f"{{name: {name}, rules: [{rule if name == holder else ''}]}}" for name in ("one", "two")]
            rules.write_text(f"labels: [{', '.join(labels)}]", encoding="utf-8")
            for python in (version.python, PRESENT):
                done = _ask(python, server, "apply", str(rules))
                assert ("nothing to do" in done) is (python == PRESENT)
            _ask(PRESENT, server, "apply", str(rules), "--prune")
        listed = json.loads(_ask(PRESENT, server, "rule", "list", "--label", "two", "-f", "json"))
        assert len(listed) == 1
        # The present command, on its own.
        rules.write_text(f"labels: [{{name: one, rules: [{rule}]}}, {{name: two}}, {{name: three}}]", encoding="utf-8")
        assert "done: labels: 1 created, 2 changed, 0 deleted" in _ask(PRESENT, server, "apply", str(rules))
        assert _ask(PRESENT, server, "apply", str(rules)) == "nothing to do\n"


def _ask(python: str, server: ServerProcess, *command: str) -> str:
    return run_command(python, *command, VENTURI_URL=server.url)
