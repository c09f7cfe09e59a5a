"""The page "Run venturi in production", typed as it stands at a site in namespaces: with PostgreSQL, TLS, Keystone, Prometheus and MariaDB.

Two agents meter traffic of known amount the whole time, by eBPF and nftables. Between the commands stand the checks of what they promise.
"""

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.text_checks import read_session
from tests.production.site import AGENTS, Host, Site, running_site
from tests.support.databases import ON_MARIADB, ON_POSTGRESQL, installed_mariadb, installed_postgresql
from tests.support.keystone import ADMIN, REGION, Keystone, running_keystone
from tests.support.sources import DOCS
from tests.support.tools import needs
from venturi.adapters.laboratory.traffic import Stream, Traffic
from venturi.adapters.network.namespaces import inside
from venturi.core.domain.counts import Counts

pytestmark = [
    pytest.mark.root,
    ON_POSTGRESQL,
    ON_MARIADB,
    needs("openstack", "keystone-manage", "prometheus", "openssl", "nft", "ip", "unshare", "setpriv", "mariadb", "psql", "curl"),
]

PAGE = "production.md"
EVERY_AGENT = "edge-N"
DRIVERS = dict(zip(AGENTS, ("auto", "nftables"), strict=True))
SECONDS = 60.0
SMALL_SPOOL = 20_000
SPOOL_ALERTS = ("VenturiSpoolFillsUp", "VenturiSpoolFull")
WITHOUT_ROOM = ("what waits to be delivered is summed over longer intervals", f"is full: it may hold {SMALL_SPOOL} octets")
SPOOL_LIMIT = "/etc/systemd/system/venturi-agent.service.d/limit.conf"
MOST_LOST_BY_CHANCE = 1_000

# The test has minutes where a site has days: agents measure and report each second, and alerts do not wait.
HASTE = """mkdir -p /etc/systemd/system/venturi-agent.service.d
cat >/etc/systemd/system/venturi-agent.service.d/haste.conf <<'END'
[Service]
Environment=VENTURI_AGENT_MEASURE_INTERVAL=1s VENTURI_AGENT_REPORT_INTERVAL=1s
Environment=VENTURI_AGENT_DRIVER={driver}
END
"""


@dataclass
class Operator:
    """Types the page, section by section, and knows what was sent."""

    site: Site
    traffic: dict[str, Traffic]
    session: list[tuple[str, str, str]]

    def type_section(self, heading: str) -> str:
        """Run the commands of a section, which must be the next of the page; each must succeed. Gives what all of them print."""
        printed = ""
        assert self.session
        assert self.session[0][0] == heading, f"the page goes on with '{self.session[0][0]}'"
        while self.session and self.session[0][0] == heading:
            _, host, command = self.session.pop(0)
            for name in AGENTS if host == EVERY_AGENT else (host,):
                started = time.monotonic()
                ran = self.site.host(name).run(command)
                print(f"{time.monotonic() - started:.1f} s root@{name}# {command}\n{ran.output}")  # noqa: T201 - shown where the test fails
                assert ran.code == 0, f"root@{name}# {command}\n{ran.output}"
                printed += ran.output
        return printed

    def ask(self, command: str) -> str:
        """Give what a command of the server prints."""
        ran = self.site.server.run(command)
        assert ran.code == 0, f"{command}\n{ran.output}"
        return ran.output

    def posted(self) -> Counts:
        """Give what the ledger counts for all labels."""
        usage = json.loads(self.ask("venturi usage --resolution total --to $(date -d '+1 hour' +%FT%TZ -u) -f json"))
        rows = [row for interval in usage["intervals"] for row in interval["usage"]]
        return Counts(sum(row["packets"] for row in rows), sum(row["octets"] for row in rows))

    def sent(self) -> Counts:
        """Give what was sent since the agents meter."""
        streams = [counts for traffic in self.traffic.values() for _, counts in traffic.sent()]
        return Counts(sum(each.packets for each in streams), sum(each.octets for each in streams))


def await_that(condition: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.3)


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    """An operator at a site on which nothing of venturi runs; its databases and Keystone do."""
    with running_site() as site, ExitStack() as running:
        server = site.server
        with inside(server.namespace):
            server.bind(running.enter_context(installed_postgresql()), "/run/postgresql")
            server.bind(running.enter_context(installed_mariadb()), "/run/mysqld")
            sign_in(server, running.enter_context(running_keystone(tmp_path)))
        for name, host in site.agents.items():
            assert host.run(HASTE.format(driver=DRIVERS[name])).code == 0
        traffic = {name: running.enter_context(_traffic(site, name)) for name in AGENTS}
        yield Operator(site, traffic, read_session((DOCS / PAGE).read_text(encoding="utf-8")))


def sign_in(server: Host, keystone: Keystone) -> None:
    """Give the operator what an administrator of Keystone has."""
    keystone.project_id("service")
    settings = keystone.settings(ADMIN, ADMIN) | {"OS_REGION_NAME": REGION, "OS_INTERFACE": "public"}
    lines = "".join(f"export {name}='{text}'\n" for name, text in settings.items())
    assert server.run(f"cat >~/admin-openrc <<'END'\n{lines}END").code == 0


@contextmanager
def _traffic(site: Site, name: str) -> Iterator[Traffic]:
    """Have traffic ready that the host forwards both ways between the web shop and the world outside."""
    network = site.networks[name]
    web = network.projects[0]
    streams = [
        Stream(sender=web, receiver=network.outside, family=4, sizes=[100, 1200], rate=200),
        Stream(sender=network.outside, receiver=web, family=4, sizes=[40], rate=100),
    ]
    traffic = Traffic(streams)
    try:
        yield traffic
    finally:
        traffic.stop()


def is_metering(host: Host) -> bool:
    """Tell whether the agent of a host has begun to count."""
    return '"event":"metering"' in host.log("venturi-agent")


def idle_clients(server: Host) -> list[ssl.SSLSocket]:
    """Connect by TLS, and then say nothing."""
    context = ssl.create_default_context(cadata=(server.files / "etc/venturi/authority.pem").read_text(encoding="ascii"))
    with inside(server.namespace):
        connections = [socket.create_connection(("192.0.2.1", 9696)) for _ in range(3)]
    return [context.wrap_socket(each, server_hostname="venturi.example.net") for each in connections]


def alerts(operator: Operator) -> set[tuple[str, str]]:
    """Give the alerts that fire, each with the agent that it is about."""
    answer: dict[str, Any] = json.loads(operator.ask("curl -sS http://127.0.0.1:9090/api/v1/alerts"))
    firing = [each["labels"] for each in answer["data"]["alerts"] if each["state"] == "firing"]
    return {(labels["alertname"], labels.get("agent", "")) for labels in firing}


def await_alert(operator: Operator, name: str, agent: str) -> None:
    await_that(lambda: (name, agent) in alerts(operator), f"the alert {name} does not fire for {agent}")


def await_no_alert(operator: Operator, name: str, agent: str) -> None:
    await_that(lambda: (name, agent) not in alerts(operator), f"the alert {name} for {agent} does not end")


def hurry_alerts(operator: Operator) -> None:
    """Have Prometheus scrape each second, and its alerts wait for nothing."""
    operator.ask("sed -i 's/15s/1s/' /etc/prometheus/prometheus.yml && sed -i '/^ *for: /d' /etc/prometheus/venturi.rules.yml")
    operator.ask("systemctl restart prometheus")


def check_a_dead_agent(operator: Operator) -> None:
    """Kill an agent, which raises the alert, and start it again, which ends it."""
    host = operator.site.agents["edge-2"]
    assert host.run("systemctl kill -s KILL venturi-agent && systemctl stop venturi-agent").code == 0
    await_alert(operator, "VenturiAgentDead", "edge-2")
    assert ("VenturiAgentDead", "edge-1") not in alerts(operator)
    assert host.run("systemctl start venturi-agent").code == 0
    await_no_alert(operator, "VenturiAgentDead", "edge-2")


def fill_spool(operator: Operator) -> None:
    """Give a spool less room than it uses, and cut its host off until nothing that was delivered is left to give way.

    While it delivers, each batch that is acknowledged gives way to the next, which is no reason for an alarm. Afterwards the spool has no
    room until its limit is raised, and says so.
    """
    host = operator.site.agents["edge-1"]
    limit = f"printf '[Service]\\nEnvironment=VENTURI_AGENT_SPOOL_LIMIT={SMALL_SPOOL}\\n' >{SPOOL_LIMIT}"
    assert host.run(f"{limit} && systemctl restart venturi-agent && ip link set office down").code == 0
    await_that(lambda: any(each in host.log("venturi-agent") for each in WITHOUT_ROOM), "the spool finds room")
    assert host.run("ip link set office up").code == 0


def check_a_full_spool(operator: Operator) -> None:
    """See the alerts of the spool without room, and those alone; more room ends them."""
    host = operator.site.agents["edge-1"]
    for alert in SPOOL_ALERTS:
        await_alert(operator, alert, "edge-1")
        assert (alert, "edge-2") not in alerts(operator)
    assert host.run(f"rm {SPOOL_LIMIT} && systemctl restart venturi-agent").code == 0
    for alert in SPOOL_ALERTS:
        await_no_alert(operator, alert, "edge-1")


def check_counts(operator: Operator) -> None:
    """Compare what was sent with what the ledger counts: nothing is lost, nothing double."""
    for traffic in operator.traffic.values():
        traffic.stop()
    sent = operator.sent()
    assert sent.packets > MOST_LOST_BY_CHANCE
    await_that(lambda: operator.posted() == sent, f"the ledger counts {operator.posted()} of {sent}")
    time.sleep(2)
    assert operator.posted() == sent


def test_every_command_of_the_page(operator: Operator) -> None:
    for heading in ("Install", "Database", "TLS"):
        operator.type_section(heading)
    assert '"ready"' in operator.type_section("Start the server")
    assert "contradicting" not in operator.site.server.log("venturi")
    assert "root" in operator.type_section("The first token")
    operator.type_section("What is metered")
    operator.type_section("Agents")
    for name, host in operator.site.agents.items():
        await_that(partial(is_metering, host), f"the agent of {name} meters nothing")
    for traffic in operator.traffic.values():
        traffic.start()
    await_that(lambda: operator.posted().packets > 0, "no usage arrives")

    fill_spool(operator)
    assert "web shop" in operator.type_section("Keystone besides tokens")
    operator.type_section("Prometheus")
    hurry_alerts(operator)
    check_a_dead_agent(operator)
    check_a_full_spool(operator)

    operator.type_section("Back up")
    operator.type_section("New tokens")
    clients = idle_clients(operator.site.server)
    posted = operator.posted()
    restored = operator.type_section("Restore")
    assert "edge-1" in restored, "the restore names the token that is valid again"
    await_that(lambda: operator.posted().packets > posted.packets, "the agents do not send again what the ledger lacks")
    for client in clients:
        assert client.recv(1) == b"", "an idle client is let go when the server stops"
        client.close()
    operator.type_section("Upgrade")
    operator.type_section("What to watch")
    operator.type_section("Move to MariaDB")
    assert operator.session == []
    check_counts(operator)
    assert "all is as it was posted" in operator.ask("venturi ledger verify")
