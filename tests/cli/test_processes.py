"""Commands as processes of their own: completion in a shell, tokens and TLS against a server, and what they load."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.server import make_token, running_server
from tests.support.terminal import at_terminal
from tests.support.tools import needs

VENTURI = Path(sys.executable).with_name("venturi")

_FORBIDDEN = (
    "venturi: rule:create_metering_label is disallowed by policy. This needs role manager in its own project, or admin;"
    " you are 'who', reader of project 'p'.\n"
)
_EVERY_COMMAND = """
import click
from venturi.cli import venturi
for name in venturi.list_commands(click.Context(venturi)):
    assert venturi.get_command(click.Context(venturi), name) is not None
"""
_NO_SERVER = "Start one by `venturi serve`, or name another by --url or VENTURI_URL."


def _run(*arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VENTURI_")}
    return subprocess.run([VENTURI, *arguments], capture_output=True, text=True, check=False, env={**clean, **(environment or {})})


@needs("bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(["la"], {"label"}, id="a command"),
        pytest.param(["label", ""], {"create", "delete", "list", "set", "show"}, id="the commands of a group"),
        pytest.param(["label", "list", "--no-"], {"--no-share"}, id="an option"),
        pytest.param(["label", "list", "-f", ""], {"table", "json", "csv", "value", "yaml"}, id="the values of an option"),
    ],
)
def test_bash_completes_what_the_printed_script_makes_it(words: list[str], expected: set[str]) -> None:
    script = f"""
        eval "$({VENTURI} completion bash)"
        COMP_WORDS=(venturi {" ".join(repr(word) for word in words)}) COMP_CWORD={len(words)}
        _venturi_completion venturi
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    path = os.pathsep.join((str(VENTURI.parent), os.environ["PATH"]))
    run = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, env={**os.environ, "PATH": path})
    assert set(run.stdout.split()) == expected


def _complete(*words: str, environment: Mapping[str, str]) -> set[str]:
    typed = {"COMP_WORDS": " ".join(("venturi", *words)), "COMP_CWORD": str(len(words)), "_VENTURI_COMPLETE": "bash_complete"}
    return {line.partition(",")[2] for line in _run(environment={**environment, **typed}).stdout.splitlines() if line}


def test_names_on_the_server_and_columns_are_completed(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        known = {"VENTURI_URL": server.url}
        for words in (
            ("label", "create", "web"),
            ("label", "create", "mail"),
            ("point", "create", "wan", "--device", "eth0"),
            ("token", "create", "--project", "p", "--role", "reader", "--name", "dash"),
        ):
            assert _run(*words, environment=known).returncode == 0
        assert _complete("label", "show", "w", environment=known) == {"web"}
        assert _complete("rule", "create", "", environment=known) == {"mail", "web"}
        assert _complete("usage", "--point", "", environment=known) == {"wan"}
        assert _complete("token", "revoke", "d", environment=known) == {"dash"}
        assert _complete("token", "list", "-c", "e", environment=known) == {"expires_at", "ends"}
    assert _complete("label", "show", "w", environment={"VENTURI_URL": "http://127.0.0.1:9"}) == set()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script_that_asks_venturi(shell: str) -> None:
    script = _run("completion", shell).stdout
    assert f"_VENTURI_COMPLETE={shell}_complete" in script


def test_a_token_made_on_the_database_opens_the_server_until_it_is_revoked(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'venturi.db'}"
    admin = make_token(database, "admin", "p")
    with running_server(tmp_path, "--auth", "token", database=database) as server:
        known = {"VENTURI_URL": server.url, "VENTURI_TOKEN": admin}
        create = ("token", "create", "--project", "p", "--role", "reader", "--name", "who")
        identifier, reader = _run(*create, "-f", "value", "-c", "id", "-c", "secret", environment=known).stdout.split()
        as_reader = {**known, "VENTURI_TOKEN": reader}
        assert _run("label", "list", environment=as_reader).returncode == 0
        refused = _run("label", "create", "a", environment=as_reader)
        assert (refused.returncode, refused.stderr) == (7, _FORBIDDEN)
        assert _run("token", "revoke", identifier, environment=known).returncode == 0
        assert _run("label", "list", environment=as_reader).returncode == 7
        nobody = _run("label", "list", environment={"VENTURI_URL": server.url})
        assert (nobody.returncode, nobody.stdout) == (7, "")
        assert nobody.stderr.endswith(
            "the request carries no token. Put a token of this server into VENTURI_TOKEN;"
            " an administrator makes one by `venturi token create`.\n"
        )
        wrong = _run("label", "list", environment={"VENTURI_URL": server.url, "VENTURI_TOKEN": "venturi_wrong"})
        assert wrong.returncode == 7
        assert wrong.stderr.endswith(
            "there is no such token. VENTURI_TOKEN holds it: put another there, which an administrator makes by `venturi token create`.\n"
        )


def test_a_command_that_reaches_no_server_ends_with_one_sentence() -> None:
    run = _run("label", "list", "--url", "http://127.0.0.1:9")
    assert (run.returncode, run.stdout) == (11, "")
    assert run.stderr == f"venturi: the server at http://127.0.0.1:9 cannot be reached: Connection refused. {_NO_SERVER}\n"


def test_a_token_is_not_sent_where_others_read_it() -> None:
    run = _run("label", "list", environment={"VENTURI_URL": "http://192.0.2.1", "VENTURI_TOKEN": "venturi_x"})
    assert run.returncode == 2
    assert run.stderr.startswith("venturi: a token is not sent over plain HTTP to 192.0.2.1")


@needs("openssl")
def test_a_server_with_a_certificate_is_trusted_only_with_its_authority(tmp_path: Path) -> None:
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=server")
    purposes = ("-addext", "keyUsage=critical,digitalSignature,keyCertSign", "-addext", "subjectAltName=IP:127.0.0.1")
    made = (*purposes, "-keyout", "server.key", "-out", "server.pem")
    subprocess.run(["openssl", "req", "-x509", *key, *made], cwd=tmp_path, check=True, capture_output=True)
    certificate = str(tmp_path / "server.pem")
    with running_server(tmp_path, "--tls-certificate", certificate, "--tls-key", str(tmp_path / "server.key")) as server:
        asked = ("label", "list", "--url", server.url, "-f", "json")
        untrusting = _run(*asked)
        assert untrusting.returncode == 11
        assert (
            untrusting.stderr
            == f"venturi: the server at {server.url} cannot be reached: its certificate is not trusted: self-signed certificate\n"
        )
        assert _run(*asked, "--ca-file", certificate).stdout == "[]\n"
        assert _run(*asked, environment={"VENTURI_CA_FILE": certificate}).stdout == "[]\n"


def _run_on_terminal(answer: str, *arguments: str) -> int:
    """Run a command on a terminal on which something is typed, and give its exit code."""
    with at_terminal([str(VENTURI), *arguments]) as command:
        if answer:
            command.answer(answer)
        return command.end()


def test_on_a_terminal_labels_are_deleted_only_after_a_yes(tmp_path: Path) -> None:
    rules_file = tmp_path / "rules.yaml"
    rules_file.write_text("labels: [{name: kept}]")
    with running_server(tmp_path) as server:
        at = ("--url", server.url)
        _run("label", "create", "unnamed", *at)
        pruning = ("apply", str(rules_file), "--prune", *at)
        left = ("label", "list", "-f", "value", "-c", "name", "--sort-column", "name", *at)
        assert _run_on_terminal("n", *pruning) == 1
        assert _run(*left).stdout == "unnamed\n"
        assert _run_on_terminal("y", *pruning) == 0
        assert _run(*left).stdout == "kept\n"
        _run("label", "create", "unnamed", *at)
        assert _run_on_terminal("", *pruning, "--yes") == 0
        assert _run(*left).stdout == "kept\n"


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(_EVERY_COMMAND, id="the command line"),
        pytest.param("import venturi.adapters.files.rules_file", id="reading rules files"),
        pytest.param("import venturi.services.applying.applying, venturi.interfaces.apply_command", id="applying them"),
    ],
)
def test_commands_on_resources_load_no_engine(statement: str) -> None:
    code = f"{statement}\nimport sys\nprint({{'numba', 'numpy', 'pyarrow', 'sqlalchemy', 'litestar'}} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_help_loads_no_client() -> None:
    code = f"{_EVERY_COMMAND}\nimport sys\nprint({{'urllib3', 'yaml', 'ssl'}} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_a_list_loads_only_what_it_shows(tmp_path: Path) -> None:
    heavy = ("yaml", "rich.console", "venturi.config.settings", "venturi.cli.meter", "msgspec")
    shown = f"print(run(['label', 'list']), [name for name in {heavy} if name in sys.modules])"
    code = f"import sys\nfrom venturi.main import run\n{shown}"
    with running_server(tmp_path) as server:
        known = {**os.environ, "VENTURI_URL": server.url}
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=known)
    assert run.stdout.splitlines()[-1] == "0 []"


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}], ids=["in colours", "without"])
def test_a_line_of_the_log_begins_with_its_time_in_colour_where_that_is_wanted(tmp_path: Path, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "venturi", "serve", "--listen", "127.0.0.1:0", "--database", f"sqlite:///{tmp_path / 'venturi.db'}"]
    with at_terminal(command, size=(50, 200), **environment) as running:
        running.wait_for("listening")
    lines = [line for line in running.shown.splitlines() if "listening" in line]
    assert ("\x1b[" in running.shown) == (not environment)
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    assert [line for line in plain if not re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", line)] == []
