"""Whatever is killed, filled, cut or turned back: every octet is in the ledger once, or lies within a gap that says why."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.support.databases import ON_POSTGRESQL, POSTGRESQL, SQLITE
from tests.support.fault.building import running_world
from tests.support.fault.faults import FILLING, LOSSLESS, LOSSY, Fault, keep_database, keep_spool, kill_agent, restore_database
from tests.support.fault.ledger_content import LedgerContent
from tests.support.fault.settling import settle
from tests.support.fault.verdict import find_differences, gaps_of
from venturi.adapters.drivers.protocol import DriverName

pytestmark = [pytest.mark.root, pytest.mark.needs("nft")]

WORLDS = [
    pytest.param(DriverName.EBPF, SQLITE, id="ebpf, SQLite"),
    pytest.param(DriverName.NFTABLES, POSTGRESQL, id="nftables, PostgreSQL", marks=ON_POSTGRESQL),
]


@pytest.mark.parametrize(("driver", "database_kind"), WORLDS)
def test_nothing_is_lost_that_can_be_kept(tmp_path: Path, driver: DriverName, database_kind: str) -> None:
    chance = Random(1)  # noqa: S311 - chance that can be repeated is wanted
    with running_world(tmp_path, driver, database_kind, 1) as world:
        for fault in (keep_database, *chance.sample(LOSSLESS, len(LOSSLESS)), restore_database, *FILLING):
            fault(world, chance)
        content = settle(world)
        assert world.rule_changes.made
        assert world.hostile.acknowledged
        assert all(find_differences(world, wrong, ()) for wrong in _make_wrong(content))


def _make_wrong(content: LedgerContent) -> Iterator[LedgerContent]:
    """Take one interval out of what is right, and put one into it twice."""
    place = len(content.intervals) // 2
    yield replace(content, intervals=content.intervals[:place] + content.intervals[place + 1 :])
    yield replace(content, intervals=content.intervals[: place + 1] + content.intervals[place:])


@pytest.mark.parametrize("fault", LOSSY, ids=lambda fault: fault.__name__)
def test_what_is_lost_lies_within_a_gap(tmp_path: Path, fault: Fault) -> None:
    chance = Random(2)  # noqa: S311 - chance that can be repeated is wanted
    with running_world(tmp_path, DriverName.EBPF, SQLITE, 2) as world:
        for each in (keep_spool, fault, kill_agent, fault):
            each(world, chance)
        content = settle(world, LOSSY[fault])
        assert {gap.reason for gap in gaps_of(content)} == set(LOSSY[fault])
