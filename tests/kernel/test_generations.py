"""Generations follow each other without a packet lost or counted twice, outlive the process, and are found by the next."""

import os
import re
import secrets
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.spec.build import label
from tests.support.kernel.drivers import KERNEL_DRIVERS, new_driver
from tests.support.kernel.metering import TOTAL, attribute, new_generation
from tests.support.kernel.router import OUTER, Router, run
from tests.support.tools import needs
from venturi.adapters.drivers.nftables.netlink import Change, Connection, Verb
from venturi.adapters.drivers.protocol import Driver, FoundGeneration
from venturi.adapters.network.namespaces import device_index
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.reference import Passage
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import DriverError, GenerationGoneError
from venturi.core.domain.generation import MeteredDevice
from venturi.core.domain.prefix import parse_address

pytestmark = [pytest.mark.root, needs("ip")]

EARLIER_TABLE = Path(__file__).with_name("data") / "nftables_chains_in_common.nft"
OUT = Direction.EGRESS
OUTWARD = Passage(OUT, 4, parse_address("10.0.0.5")[1], parse_address("192.0.2.1")[1])
CLASSIFIERS = [CompiledClassifier([label("web", f"out 10.0.0.0/{length} > *")]) for length in (8, 16, 24)]


def test_changes_under_load(router: Router, driver: Driver, tmp_path: Path) -> None:
    metered, generations = router.metered(), []
    before = router.forwarded()
    driver.apply(metered, CLASSIFIERS[0], first := new_generation(CLASSIFIERS[0]))
    generations.append((CLASSIFIERS[0], first))
    last_totals = []
    with router.traffic([OUTWARD] * 64, tmp_path):
        for number in range(30):
            classifier = CLASSIFIERS[number % 3]
            generation = new_generation(classifier)
            driver.apply(metered, classifier, generation)
            last_totals.append(attribute(generations[-1][0], driver.read(metered, generations[-1][1])))
            generations.append((classifier, generation))
    counted = [attribute(classifier, driver.read(metered, generation)) for classifier, generation in generations]
    assert last_totals == counted[:-1]
    packets = router.forwarded() - before
    assert sum((counts.get(("web", OUT), Counts()) for counts in counted), Counts()) == Counts(packets, 60 * packets)
    assert sum((counts.get((TOTAL, OUT), Counts()) for counts in counted), Counts()).packets == packets


@pytest.mark.parametrize("kind", KERNEL_DRIVERS)
def test_a_killed_agent_is_followed_by_another(kind: str, router: Router) -> None:
    name, metered, generation = f"vt{secrets.token_hex(4)}", router.metered(), new_generation(CLASSIFIERS[0])
    following = new_driver(kind, name)
    process = os.fork()
    if process == 0:
        try:
            new_driver(kind, name).apply(metered, CLASSIFIERS[0], generation)
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    assert os.waitpid(process, 0)[1] == signal.SIGKILL
    router.send([OUTWARD])
    assert list(following.find()) == [FoundGeneration(metered=metered, generation=generation, counting=True)]
    assert attribute(CLASSIFIERS[0], following.read(metered, generation))["web", OUT] == Counts(1, 60)
    assert following.purge() == 1
    assert list(following.find()) == []


def test_a_replaced_generation_is_read_until_it_is_retired(router: Router, driver: Driver) -> None:
    metered = router.metered()
    first, second = (new_generation(classifier) for classifier in CLASSIFIERS[:2])
    driver.apply(metered, CLASSIFIERS[0], first)
    router.send([OUTWARD])
    driver.apply(metered, CLASSIFIERS[1], second)
    router.send([OUTWARD] * 2)
    assert [driver.is_counting(metered, generation) for generation in (first, second)] == [False, True]
    assert {found.generation.id: found.counting for found in driver.find()} == {first.id: False, second.id: True}
    counted = [attribute(CLASSIFIERS[0], driver.read(metered, generation)).get(("web", OUT)) for generation in (first, second)]
    assert counted == [Counts(1, 60), Counts(2, 120)]
    driver.retire(metered, first)
    with pytest.raises(DriverError):
        driver.read(metered, first)
    assert driver.is_counting(metered, second)
    driver.retire(metered, second)
    assert list(driver.find()) == []


def test_a_namespace_that_goes(own_router: Router, driver: Driver) -> None:
    metered, generation = own_router.metered(), new_generation(CLASSIFIERS[0])
    driver.apply(metered, CLASSIFIERS[0], generation)
    assert driver.is_counting(metered, generation)
    own_router.stop()
    assert not driver.is_counting(metered, generation)
    with pytest.raises(DriverError):
        driver.apply(metered, CLASSIFIERS[0], new_generation(CLASSIFIERS[0]))


def test_a_device_made_anew(own_router: Router, driver: Driver) -> None:
    metered, generation = own_router.metered(), new_generation(CLASSIFIERS[0])
    driver.apply(metered, CLASSIFIERS[0], generation)
    own_router.send([OUTWARD])
    run("ip", "-n", own_router.namespace, "link", "del", OUTER)
    assert not driver.is_counting(metered, generation)
    run("ip", "-n", own_router.namespace, "link", "add", OUTER, "type", "veth", "peer", "name", "other")
    assert not driver.is_counting(metered, generation)
    assert attribute(CLASSIFIERS[0], driver.read(metered, generation))["web", OUT] == Counts(1, 60)
    driver.apply(metered, CLASSIFIERS[1], following := new_generation(CLASSIFIERS[1]))
    assert driver.is_counting(metered, following)


def test_long_names(own_router: Router, driver: Driver) -> None:
    device = "a-long-device-0"
    link = ("ip", "-n", own_router.namespace, "link", "set", OUTER)
    for change in (("down",), ("name", device), ("up",)):
        run(*link, *change) if change[0] != "up" else run("ip", "-n", own_router.namespace, "link", "set", device, "up")
    metered = MeteredDevice(point_id="a point with 'signs' and an ü", device=device, namespace=own_router.namespace)
    generation = new_generation(CLASSIFIERS[0])
    driver.apply(metered, CLASSIFIERS[0], generation)
    assert [(found.metered, found.counting) for found in driver.find()] == [(metered, True)]


@pytest.mark.parametrize("driver", ["nftables"], indirect=True)
def test_what_somebody_else_uses_stays_until_nobody_does(own_router: Router, driver: Driver) -> None:
    metered, inside_router = own_router.metered(), ("ip", "netns", "exec", own_router.namespace)
    generations = [new_generation(classifier) for classifier in CLASSIFIERS[:2]]
    driver.apply(metered, CLASSIFIERS[0], generations[0])
    listed = run(*inside_router, "nft", "list", "ruleset").split()
    table, counts = listed[2], next(word for word in listed if word.startswith("counts_") and "egress_4" in word)
    driver.apply(metered, CLASSIFIERS[1], generations[1])
    run(*inside_router, "nft", f"add chain inet {table} other; add rule inet {table} other ip saddr @{counts}")
    for _ in range(2):
        with pytest.raises(DriverError, match="busy") as refused:
            driver.retire(metered, generations[0])
        assert not isinstance(refused.value, GenerationGoneError)
    assert driver.is_counting(metered, generations[1])
    run(*inside_router, "nft", "flush", "chain", "inet", table, "other")
    driver.retire(metered, generations[0])
    with pytest.raises(GenerationGoneError):
        driver.retire(metered, generations[0])


@pytest.mark.parametrize("driver", ["nftables"], indirect=True)
def test_a_table_of_an_earlier_version_is_taken_over(own_router: Router, driver: Driver) -> None:
    """Its generations had chains in common: one that was replaced and not retired, and one that counts."""
    prefix = driver._prefix  # type: ignore[attr-defined] # the tables of this test alone
    ruleset = EARLIER_TABLE.read_text(encoding="ascii").replace("venturi_", f"{prefix}_")
    metered, classifier = own_router.metered(), CLASSIFIERS[0]
    index = device_index(own_router.namespace, OUTER)
    run("ip", "netns", "exec", own_router.namespace, "nft", "-f", "-", stdin=ruleset.replace("device 3", f"device {index}"))
    found = {each.generation.id: each for each in driver.find()}
    replaced, counting = (found[digit * 32].generation for digit in "12")
    assert (found[replaced.id].counting, found[counting.id].counting) == (False, True)
    own_router.send([OUTWARD])
    driver.apply(metered, classifier, following := new_generation(classifier))
    own_router.send([OUTWARD] * 2)
    assert [int(driver.read(metered, each).pairs.packets.sum()) for each in (replaced, counting, following)] == [0, 1, 2]
    assert [driver.is_counting(metered, each) for each in (counting, following)] == [False, True]
    for each in (counting, replaced):
        driver.retire(metered, each)
    assert driver.is_counting(metered, following)
    listed = run("ip", "netns", "exec", own_router.namespace, "nft", "list", "ruleset")
    assert not re.search(r"1{32}|2{32}|chain (in|e)gress {", listed)
    driver.retire(metered, following)
    assert driver.find() == []


@pytest.mark.parametrize("driver", ["nftables"], indirect=True)
def test_what_was_prepared_and_never_switched_on_goes(own_router: Router, driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may die between the two transactions, at first and at a change."""
    metered, commit = own_router.metered(), Connection.commit

    def die_at_the_switch(connection: Connection, changes: Sequence[Change]) -> None:
        if any(change.verb is Verb.NEW_RULE and b"forward\0" in change.attributes for change in changes):
            raise KeyboardInterrupt
        commit(connection, changes)

    def leave_half_done() -> str:
        generation = new_generation(CLASSIFIERS[1])
        monkeypatch.setattr(Connection, "commit", die_at_the_switch)
        with pytest.raises(KeyboardInterrupt):
            driver.apply(metered, CLASSIFIERS[1], generation)
        monkeypatch.setattr(Connection, "commit", commit)
        return generation.id

    def list_rules() -> str:
        return run("ip", "netns", "exec", own_router.namespace, "nft", "list", "ruleset")

    half_done = leave_half_done()
    assert half_done in list_rules()
    assert driver.find() == []
    assert list_rules() == ""
    driver.apply(metered, CLASSIFIERS[0], counting := new_generation(CLASSIFIERS[0]))
    half_done = leave_half_done()
    assert half_done in list_rules()
    assert [(each.generation, each.counting) for each in driver.find()] == [(counting, True)]
    assert half_done not in list_rules()
    own_router.send([OUTWARD])
    assert attribute(CLASSIFIERS[0], driver.read(metered, counting))["web", OUT] == Counts(1, 60)


@pytest.mark.parametrize("namespace", ["gone", "there"])
def test_what_is_not_there_cannot_be_retired(namespace: str, own_router: Router, driver: Driver) -> None:
    metered, generation = own_router.metered(), new_generation(CLASSIFIERS[0])
    driver.apply(metered, CLASSIFIERS[0], generation)
    driver.purge()
    if namespace == "gone":
        own_router.stop()
    with pytest.raises(GenerationGoneError):
        driver.retire(metered, generation)
