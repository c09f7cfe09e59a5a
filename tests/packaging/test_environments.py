"""What client, agent and server install is small, does their work, and says what else a command needs."""

import re
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.agent.process import SECONDS, AgentFiles, running_agent
from tests.support.environments import Environment, Installer
from tests.support.kernel.router import OUTER, Router, running_router
from tests.support.server import running_server
from tests.support.sources import ROOT
from tests.support.tools import needs
from venturi.composition.extras import EXTRAS
from venturi.core.classify.reference import Passage
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import MissingExtraError

MEBIBYTE = 2**20
ALL = {"alembic", "litestar", "llvmlite", "numba", "numpy", "pyarrow", "pyroute2", "pysqlite3", "sqlalchemy", "vl_convert"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FROM_TEN = Passage(Direction.EGRESS, 4, 0x0A000001, 0xC6330001)


@pytest.mark.parametrize(
    ("name", "extras", "most", "heavy"),
    [
        pytest.param("client", (), 30, set(), id="client"),
        pytest.param("agent", ("agent",), 140, {"numpy", "pyroute2", "pysqlite3"}, id="agent"),
        pytest.param("server", ("server",), 150, {"alembic", "litestar", "pysqlite3", "sqlalchemy"}, id="server"),
    ],
)
def test_an_environment_is_small(installer: Installer, name: str, extras: tuple[str, ...], most: int, heavy: set[str]) -> None:
    environment = installer.environment(name, *extras)
    assert environment.octets <= most * MEBIBYTE
    assert environment.packages & ALL == heavy
    assert environment.run("--version").stdout.split()[-1] == PROJECT["version"]


@pytest.mark.parametrize(
    ("words", "extras"),
    [
        ("serve", "server"),
        ("db check", "server"),
        ("ledger verify", "server"),
        ("token create --role admin --project p --database sqlite:///none.db", "server"),
        ("agent --plan none.json", "agent"),
        ("agent status", "agent"),
        ("agent purge", "agent"),
        ("doctor", "agent"),
        ("statement key none.key", "statements"),
        ("statement verify none.json --key none.pub", "statements"),
        ("meter none.pcap --rules none.yaml", "offline"),
        ("up --replay", "server,agent,offline"),
        ("demo", "server,agent"),
    ],
)
def test_a_command_of_another_extra_names_it(installer: Installer, words: str, extras: str) -> None:
    refused = installer.environment("client").run(*words.split())
    assert refused.returncode == MissingExtraError.exit_code, refused.stderr
    assert refused.stderr.endswith(f" needs packages that are not installed: run pip install 'venturi[{extras}]'\n")
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "extra"),
    [
        (("--database", "postgresql://localhost/none"), "postgresql"),
        (("--database", "mariadb://localhost/none"), "mariadb"),
        (("--config", "keystone.toml"), "keystone"),
    ],
)
def test_an_option_of_another_extra_names_it(installer: Installer, options: tuple[str, ...], extra: str) -> None:
    server = installer.environment("server", "server")
    settings = '[keystone]\nauth_url = "http://127.0.0.1:1"\nusername = "u"\npassword = "p"\n'
    (server.folder / "keystone.toml").write_text(f'auth = "keystone"\ndatabase = "sqlite:///keystone.db"\n{settings}', encoding="utf-8")
    refused = server.run("serve", "--listen", "127.0.0.1:0", *options)
    assert refused.returncode == MissingExtraError.exit_code, refused.stderr
    assert f"pip install 'venturi[{extra}]'" in refused.stderr.splitlines()[-1]


def test_every_extra_has_a_module_that_shows_it() -> None:
    extras = set(PROJECT["optional-dependencies"])
    assert set(EXTRAS) == extras - {"all"}
    (everything,) = PROJECT["optional-dependencies"]["all"]
    assert set(re.findall(r"[a-z]+", everything)) == {"venturi", *EXTRAS}


@pytest.fixture
def router() -> Iterator[Router]:
    """A router in namespaces of its own."""
    with running_router() as running:
        yield running


def _wait_for_usage(client: Environment, url: str, row: str) -> None:
    deadline = time.monotonic() + SECONDS
    while row not in (shown := client.run("usage", "--url", url, "-f", "csv", "--resolution", "5m").stdout):
        assert time.monotonic() < deadline, shown
        time.sleep(0.2)


@pytest.mark.root
@needs("ip", "nft", "clang")
@pytest.mark.parametrize("driver", ["ebpf", "nftables"])
def test_client_server_and_agent_of_their_own_environments_meter_a_router(
    installer: Installer, router: Router, tmp_path: Path, driver: str
) -> None:
    client, server, agent = (installer.environment(*names) for names in (("client",), ("server", "server"), ("agent", "agent")))
    files = AgentFiles(tmp_path, driver, agent.python)
    files.environment["VENTURI_AGENT_REPORT_INTERVAL"] = "1s"
    with running_server(tmp_path, python=server.python) as running:
        rules = tmp_path / "rules.yaml"
        rules.write_text("labels:\n  - name: ten\n    shared: true\n    rules: [{direction: egress, source_ip_prefix: 10.0.0.0/8}]\n")
        place = ("--host", "h", "--namespace", router.namespace, "--device", OUTER)
        for words in (("apply", str(rules)), ("point", "create", "uplink", "--kind", "interface", "--share", *place)):
            done = client.run(*words, "--url", running.url)
            assert done.returncode == 0, done.stderr
        with running_agent(files, source=("--server", running.url)) as metering:
            metering.wait_for_log("metering")
            router.send([FROM_TEN] * 7, [100] * 7)
            _wait_for_usage(client, running.url, ",7,700,")
