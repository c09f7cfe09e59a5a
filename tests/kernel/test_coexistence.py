"""The driver's tables and the rules of others on the host leave each other alone; and counts are what iptables and tcpdump say."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.spec.build import label
from tests.support.kernel.capturing import captured, read_capture
from tests.support.kernel.metering import TOTAL, Counted, attribute, new_generation, octets_for
from tests.support.kernel.router import OUTER, Router, run
from tests.support.tools import needs
from venturi.adapters.drivers.protocol import Driver
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.reference import Passage
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import DriverError
from venturi.core.domain.label import LabelWithRules
from venturi.core.domain.prefix import parse_address

pytestmark = [pytest.mark.root, needs("ip", "iptables", "nft", "tcpdump")]

OUT = Direction.EGRESS
WEB = label("web", "out 10.0.0.0/24 > 192.0.2.0/24", "!out 10.0.0.9 > *")
OUTWARD = Passage(OUT, 4, parse_address("10.0.0.5")[1], parse_address("192.0.2.1")[1])

FIREWALLD = """
table inet firewalld {
    chain filter_FORWARD { type filter hook forward priority 10; ct state established,related accept; jump zones; accept; }
    chain zones { oifname "outer0" counter; }
}
"""
DOCKER = """*filter
:FORWARD ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -o outer0 -j DOCKER
-A DOCKER-USER -j RETURN
-A DOCKER -s 10.0.0.0/24 -j ACCEPT
COMMIT
*nat
-A POSTROUTING -s 10.0.0.0/24 -o outer0 -j MASQUERADE
COMMIT
"""
OTHERS = {"firewalld": (["nft", "-f", "-"], FIREWALLD), "Docker, by iptables-nft": (["iptables-nft-restore"], DOCKER)}


def in_router(router: Router, *command: str, stdin: str = "") -> str:
    """Run a program in the router's namespace."""
    return run("ip", "netns", "exec", router.namespace, *command, stdin=stdin)


@pytest.mark.parametrize("driver", ["nftables"], indirect=True)
@pytest.mark.parametrize(("command", "rules"), OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_rules_of_others(first: bool, command: Sequence[str], rules: str, own_router: Router, driver: Driver) -> None:
    classifier, metered = CompiledClassifier([WEB]), own_router.metered()
    generation = new_generation(classifier)
    if first:
        in_router(own_router, *command, stdin=rules)
    driver.apply(metered, classifier, generation)
    if not first:
        in_router(own_router, *command, stdin=rules)
    own_router.send([OUTWARD])
    assert driver.is_counting(metered, generation)
    assert attribute(classifier, driver.read(metered, generation))["web", OUT] == Counts(1, 60)
    listed = in_router(own_router, "nft", "list", "ruleset")
    assert ("firewalld" in listed) == (rules == FIREWALLD)
    assert "packets 1 bytes 60" in listed
    driver.purge()
    assert ("DOCKER-USER" in in_router(own_router, "iptables-nft-save")) == (rules == DOCKER)


@pytest.mark.parametrize("driver", ["nftables"], indirect=True)
def test_what_nft_lists_it_can_load_again(own_router: Router, driver: Driver) -> None:
    labels = [label("many", *(f"out 10.{number}.0.0/{16 + number} > *" for number in range(8)), "out * > 2001:db8::/32"), WEB]
    classifier, metered = CompiledClassifier(labels), own_router.metered()
    generation = new_generation(classifier)
    driver.apply(metered, classifier, generation)
    own_router.send([OUTWARD])
    listed = in_router(own_router, "nft", "list", "ruleset")
    in_router(own_router, "nft", "flush", "ruleset")
    assert not driver.is_counting(metered, generation)
    with pytest.raises(DriverError, match="gone from nftables"):
        driver.read(metered, generation)
    in_router(own_router, "nft", "-f", "-", stdin=listed)
    own_router.send([OUTWARD])
    assert attribute(classifier, driver.read(metered, generation))["web", OUT] == Counts(2, 120)
    assert not driver.is_counting(metered, generation), "what was gone for a while missed what passed meanwhile"


@pytest.mark.parametrize("driver", ["nftables"], indirect=True)
def test_a_rule_that_somebody_removed(own_router: Router, driver: Driver) -> None:
    classifier, metered = CompiledClassifier([WEB]), own_router.metered()
    generation = new_generation(classifier)
    driver.apply(metered, classifier, generation)
    (table,) = (line.split()[2] for line in in_router(own_router, "nft", "list", "tables").splitlines())
    in_router(own_router, "nft", "flush", "chain", "inet", table, f"egress_{generation.id}")
    assert not driver.is_counting(metered, generation)


def random_labels(chance: random.Random, family: int) -> list[LabelWithRules]:
    """Make labels whose prefixes overlap."""
    lengths, text = ((8, 12, 16, 24, 28, 32), "{}.{}.{}.{}") if family == 4 else ((16, 32, 48, 64, 96, 128), "20{0:02}:{1}:{2}:{3}::1")

    def prefix(first: int) -> str:
        address = text.format(first, *(chance.randrange(3) for _ in range(3)))
        return f"{address}/{chance.choice(lengths)}" if chance.random() < 0.7 else "*"

    def rule() -> str:
        source, destination = prefix(20), prefix(30)
        if source == destination:
            source = text.format(20, 0, 0, 0)
        return f"{'!' * (chance.random() < 0.3)}out {source} > {destination}"

    return [label(f"label{number}", *(rule() for _ in range(chance.randrange(1, 5)))) for number in range(20)]


def count_once_chains(labels: Sequence[LabelWithRules]) -> str:
    """Lay labels out as Neutron does, excluding rules first, but with ``goto``, so that a label counts a packet once."""
    chains = [f":{kind}-{entry.label.id} - [0:0]" for entry in labels for kind in ("rules", "counts")]
    lines = ["*filter", ":FORWARD ACCEPT [0:0]", *chains]
    for entry in labels:
        name = entry.label.id
        lines += [f"-A FORWARD -o {OUTER} -j rules-{name}", f"-A counts-{name}"]
        for rule in sorted(entry.rules, key=lambda rule: not rule.excluded):
            sides = ((option, prefix) for option, prefix in (("-s", rule.source_ip_prefix), ("-d", rule.destination_ip_prefix)) if prefix)
            match = " ".join(f"{option} {prefix}" for option, prefix in sides)
            lines.append(f"-A rules-{name} {match} {'-j RETURN' if rule.excluded else f'-g counts-{name}'}")
    return "\n".join([*lines, "COMMIT", ""])


def counted_by_iptables(router: Router, program: str) -> dict[tuple[str, Direction], Counts]:
    """Read what the labels' chains have counted."""
    counted = {}
    for line in in_router(router, f"{program}-save", "-c").splitlines():
        figures, _, rule = line.partition("] -A counts-")
        if rule:
            counts = Counts(*map(int, figures[1:].split(":")))
            counted[rule.strip(), OUT] = counts
    return {key: counts for key, counts in counted.items() if counts.packets}


@pytest.mark.parametrize("family", [4, 6])
def test_counts_are_those_of_iptables_and_tcpdump(family: int, own_router: Router, driver: Driver, tmp_path: Path) -> None:
    chance = random.Random(family)  # noqa: S311 - packets of a test
    labels = random_labels(chance, family)
    program = "iptables-legacy" if family == 4 else "ip6tables-legacy"
    classifier, generation, metered = CompiledClassifier(labels), None, own_router.metered()
    in_router(own_router, f"{program}-restore", stdin=count_once_chains(labels))
    generation = new_generation(classifier)
    driver.apply(metered, classifier, generation)
    packets = [random_packet(chance, family) for _ in range(600)]
    with captured(own_router, OUT, tmp_path / "capture", "udp"):
        for first in range(0, len(packets), 30):
            own_router.send(packets[first : first + 30], octets_for(packets)[first : first + 30])
    counted: Counted = attribute(classifier, driver.read(metered, generation))
    assert {family: counted[TOTAL, OUT]} == read_capture(tmp_path / "capture")
    assert {key: counts for key, counts in counted.items() if key[0]} == counted_by_iptables(own_router, program)


def random_packet(chance: random.Random, family: int) -> Passage:
    """Make a packet whose addresses prefixes of the labels may hold."""
    text = "{}.{}.{}.{}" if family == 4 else "20{0:02}:{1}:{2}:{3}::1"
    source, destination = (parse_address(text.format(first, *(chance.randrange(3) for _ in range(3))))[1] for first in (20, 30))
    return Passage(OUT, family, source, destination)
