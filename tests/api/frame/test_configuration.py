"""Settings: options over the environment over the file, and each mistake named with its place."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import ServerProcess, running_server
from tests.support.sources import ROOT
from venturi.config.settings import database_url, find_contradictions, list_setting_keys, read_settings, server_config
from venturi.config.surroundings import agent_spool
from venturi.core.domain.errors import ConfigurationError, VenturiError
from venturi.main import run

MISTAKES = {
    "an unknown key": ("lisen = 'a:1'", "there is no setting 'lisen'"),
    "an unknown table": ("[limit]\nbody_octets = 1", "there is no setting 'limit.body_octets'"),
    "an unknown key of a table": ("[limits]\nbody = 1", "there is no setting 'limits.body'"),
    "a text for a number": ("[limits]\nbody_octets = '1'", "limits.body_octets: Expected `int`, got `str`"),
    "a number too small": ("[limits]\nconnections = 0", "limits.connections: Expected `int` >= 1"),
    "a mode that is none": ("auth = 'basic'", "auth: Invalid enum value 'basic'"),
    "a table for a value": ("[listen]\nhost = 'a'", "there is no setting 'listen.host'"),
    "a value for a table": ("tls = 'a'", "there is no setting 'tls'"),
    "no TOML": ("listen", "is not TOML"),
    "half of TLS": ("[tls]\ncertificate = 'a.pem'", "the setting 'tls.key' is missing"),
    "half of Keystone": ("[keystone]\nauth_url = 'http://a'", "the setting 'keystone.username' is missing"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named(name: str, tmp_path: Path) -> None:
    text, sentence = MISTAKES[name]
    path = tmp_path / "venturi.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_settings(str(path), {})
    assert sentence in str(caught.value)
    assert "missing" in sentence or str(path) in str(caught.value)


def test_a_mistake_in_a_variable_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENTURI_LIMITS_BODY_OCTETS", "many")
    with pytest.raises(ConfigurationError, match="VENTURI_LIMITS_BODY_OCTETS: Expected `int`"):
        read_settings(None, {})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read .*none\.toml: No such file"):
        read_settings(str(tmp_path / "none.toml"), {})


def test_options_go_before_the_environment_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "venturi.toml"
    path.write_text('listen = "127.0.0.1:1"\nauth = "token"\ndefault_project = "file"\n[limits]\nurl_octets = 5\n', encoding="utf-8")
    monkeypatch.setenv("VENTURI_CONFIG", str(path))
    monkeypatch.setenv("VENTURI_LISTEN", "127.0.0.1:2")
    monkeypatch.setenv("VENTURI_AUTH", "keystone")
    monkeypatch.setenv("VENTURI_LIMITS_HEADER_SECONDS", "2.5")
    settings = read_settings(None, {"listen": "[::1]:3"})
    assert (settings.listen, settings.auth, settings.default_project) == ("[::1]:3", "keystone", "file")
    assert (settings.limits.url_octets, settings.limits.header_seconds) == (5, 2.5)
    assert (server_config(settings).host, server_config(settings).port) == ("::1", 3)


def test_every_key_is_a_variable_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in list_setting_keys():
        variable = "VENTURI_" + key.replace(".", "_").upper()
        monkeypatch.setenv(variable, "no such value")
        texts = {"listen", "database", "default_project", "trusted_proxies", "tls.certificate", "tls.key", "tls.client_authority"}
        texts |= {f"agent.{name}" for name in ("server", "plan", "host", "agent_id", "spool", "bpffs", "metrics", "ca_file")}
        texts |= {"agent.measure_interval", "agent.report_interval", "ledger.plan_file_hosts", "billing_boundary", "statement_key"}
        if key in texts or key.startswith("keystone."):
            monkeypatch.delenv(variable)
            continue
        with pytest.raises(ConfigurationError, match=variable):
            read_settings(None, {})
        monkeypatch.delenv(variable)


def test_without_a_word_the_database_lies_in_the_users_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VENTURI_DATABASE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    assert database_url() == "sqlite:////somewhere/venturi/venturi.db"
    monkeypatch.setenv("VENTURI_DATABASE", "postgresql://a/b")
    assert database_url() == "postgresql://a/b"
    assert database_url("mysql://c/d") == "mysql://c/d"


@pytest.mark.parametrize("listen", ["9696", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:70000"])
def test_an_address_without_port_is_refused(listen: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(VenturiError, match="is not HOST:PORT"):
        server_config(read_settings(None, {"listen": listen}))
    assert run(["serve", "--listen", listen, "--database", "sqlite:///:memory:"]) == ConfigurationError.exit_code
    assert "is not HOST:PORT" in capsys.readouterr().err


@pytest.mark.parametrize(("given", "hosts"), [("edge-9", ("edge-9",)), ("edge-8, edge-9", ("edge-8", "edge-9")), ("", ())])
def test_a_list_is_a_variable_with_commas(given: str, hosts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENTURI_LEDGER_PLAN_FILE_HOSTS", given)
    assert read_settings(None, {}).ledger.plan_file_hosts == hosts


def test_a_list_is_a_list_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "venturi.toml"
    path.write_text('[ledger]\nplan_file_hosts = ["edge-8", "edge-9"]\n')
    assert read_settings(str(path), {}).ledger.plan_file_hosts == ("edge-8", "edge-9")
    path.write_text('[ledger]\nplan_file_hosts = "edge-9"\n')
    with pytest.raises(ConfigurationError, match=r"ledger\.plan_file_hosts"):
        read_settings(str(path), {})


def test_the_database_of_the_configuration_file_is_that_of_every_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "venturi.toml"
    path.write_text('database = "postgresql://a/b"\n')
    monkeypatch.setenv("VENTURI_CONFIG", str(path))
    assert database_url() == "postgresql://a/b"


def test_in_a_unit_of_systemd_database_and_spool_lie_in_its_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}:/elsewhere")
    assert (database_url(), agent_spool()) == (f"sqlite:///{tmp_path}/venturi.db", tmp_path / "spool.db")
    path = tmp_path / "venturi.toml"
    path.write_text('database = "postgresql://a/b"\n')
    monkeypatch.setenv("VENTURI_CONFIG", str(path))
    assert database_url() == "postgresql://a/b", "the file goes before what nobody said"


@pytest.mark.parametrize("unit", ["venturi.service", "venturi-agent.service"])
def test_no_unit_sets_what_the_configuration_file_may_set(unit: str) -> None:
    text = (ROOT / "packaging" / "systemd" / unit).read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("Environment=VENTURI_")] == []


CONTRADICTIONS = {
    "the same twice": ('auth = "token"', {"VENTURI_AUTH": "token"}, {}, []),
    "only in the file": ('auth = "token"', {}, {}, []),
    "two values": (
        'auth = "token"',
        {"VENTURI_AUTH": "none"},
        {},
        ["VENTURI_AUTH is 'none' in the environment, but auth is 'token' in {file}: the variable is used, the file is not"],
    ),
    "two databases": (
        'database = "postgresql://a:s3cret@h/b"',
        {"VENTURI_DATABASE": "mariadb://c:s3cret@h/d"},
        {},
        [
            (
                "VENTURI_DATABASE is 'mariadb://c:[hidden]@h/d' in the environment, but database is 'postgresql://a:[hidden]@h/b' in "
                "{file}: the variable is used, the file is not"
            )
        ],
    ),
    "two values and an option": (
        'auth = "token"',
        {"VENTURI_AUTH": "none"},
        {"auth": "keystone"},
        ["VENTURI_AUTH is 'none' in the environment, but auth is 'token' in {file}"],
    ),
    "two files": ("", {"VENTURI_CONFIG": "/a"}, {}, ["--config {file} is read; VENTURI_CONFIG=/a is not used"]),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_names_both(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, variables, options, sentences = CONTRADICTIONS[name]
    path = tmp_path / "venturi.toml"
    path.write_text(text)
    for variable, given in variables.items():
        monkeypatch.setenv(variable, given)
    assert find_contradictions(str(path), options) == [sentence.format(file=path) for sentence in sentences]


def test_the_first_lines_name_contradictions_and_what_is_used(tmp_path: Path) -> None:
    environment = {"VENTURI_DEFAULT_PROJECT": "blue"}
    with running_server(tmp_path, config='default_project = "red"', environment=environment) as server:
        warned = server.wait_for_log("contradicting settings")
        begun = server.wait_for_log("listening")
    assert warned["level"] == "warning"
    assert "VENTURI_DEFAULT_PROJECT is 'blue' in the environment, but default_project is 'red' in " in warned["reason"]
    assert (begun["database"], begun["config"]) == (server.database, str(tmp_path / "venturi.toml"))
    assert begun["urls"] == [server.url]


def test_an_address_that_systemd_has_already_given_is_named(tmp_path: Path) -> None:
    script = 'exec 3<&"$1"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$2" -m venturi serve --database "$3" --config "$4"'
    config = tmp_path / "venturi.toml"
    config.write_text('listen = "127.0.0.1:9"\n')
    with socket.create_server(("127.0.0.1", 0)) as listening:
        database = f"sqlite:///{tmp_path / 'venturi.db'}"
        arguments = ["bash", "-c", script, "-", str(listening.fileno()), sys.executable, database, str(config)]
        with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, pass_fds=[listening.fileno()]) as child:
            server = ServerProcess(child, "", url=f"http://127.0.0.1:{listening.getsockname()[1]}")
            try:
                assert server.request("GET", "/healthz/ready").status == 200
            finally:
                server.stop()
            lines = [json.loads(line) for line in child.stderr or ()]
    assert lines[0]["event"] == "contradicting settings"
    assert lines[0]["reason"] == (
        f"listen = '127.0.0.1:9' in {config} is not used: systemd handed over the sockets that its unit names as ListenStream"
    )


@pytest.mark.parametrize(
    ("command", "options"),
    [
        pytest.param("serve", ["--config", "/nowhere/venturi.toml"], id="no file for a server"),
        pytest.param("serve", ["--listen", "9696"], id="no port to listen"),
        pytest.param("agent", ["--config", "/nowhere/venturi.toml"], id="no file for an agent"),
        pytest.param("agent", ["--metrics", "9696"], id="no port for metrics"),
    ],
)
def test_an_error_at_the_start_has_the_form_of_the_log(command: str, options: list[str]) -> None:
    started = [sys.executable, "-m", "venturi", command, "--log-form", "json", *options]
    run_ = subprocess.run(started, capture_output=True, text=True, check=False, timeout=60)
    assert run_.returncode == ConfigurationError.exit_code
    (line,) = [json.loads(written) for written in run_.stderr.splitlines()]
    assert (line["event"], line["level"], line["exit_code"]) == ("ended", "error", ConfigurationError.exit_code)
    started[started.index("json")] = "text"
    told = subprocess.run(started, capture_output=True, text=True, check=False, timeout=60).stderr
    assert told == f"venturi: {line['reason']}\n"


@pytest.mark.parametrize(
    "url",
    [
        "oracle://a:s3cret@b/c",
        "postgresql://a:s3cret@b:port/c",
        "postgresql://a:s3c@ret@127.0.0.1:1/c",
        "postgresql://a:s3cret@127.0.0.1:1/c",
    ],
)
def test_no_password_of_a_database_gets_out(url: str) -> None:
    started = [sys.executable, "-m", "venturi", "serve", "--log-form", "text", "--database", url]
    told = subprocess.run(started, capture_output=True, text=True, check=False, timeout=60).stderr
    assert told.startswith("venturi: ")
    assert ("s3c" in told, "ret@" in told, "Traceback" in told) == (False, False, False)
