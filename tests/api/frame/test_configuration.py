"""Settings: options over the environment over the file, and each mistake named with its place."""

from pathlib import Path

import pytest

from venturi.config import database_url, list_setting_keys, read_settings, server_config
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
        texts = {"listen", "database", "default_project", "tls.certificate", "tls.key", "tls.client_authority"}
        texts |= {f"agent.{name}" for name in ("server", "plan", "host", "agent_id", "spool", "bpffs", "metrics", "ca_file")}
        texts |= {"agent.measure_interval", "agent.report_interval", "ledger.plan_file_hosts"}
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
