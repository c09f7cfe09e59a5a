"""The long form of the fault test: worlds of every driver on every database are broken by chance and held to what was sent.

Run as a program (``make soak``). Owns its options, the choice of worlds and faults, and what it says of each. A seed says which world is
broken by what; when exactly what happens is for the machine.
"""

import secrets
import shutil
import time
from dataclasses import dataclass
from itertools import count, product
from pathlib import Path
from random import Random

import click

from tests.support.databases import POSTGRESQL, SQLITE
from tests.support.fault.building import running_world
from tests.support.fault.faults import FILLING, LOSSLESS, LOSSY, MIXED, RESTORING, Fault, keep_database, keep_spool
from tests.support.fault.ledger_content import LedgerContent
from tests.support.fault.settling import settle
from tests.support.fault.verdict import gaps_of
from tests.support.fault.world import FaultWorld
from venturi.adapters.drivers.protocol import DriverName
from venturi.adapters.laboratory.network import UPLINK
from venturi.core.domain.coverage import CoverageReason

_KINDS = list(product((DriverName.EBPF, DriverName.NFTABLES), (SQLITE, POSTGRESQL)))
_ROUNDS: list[tuple[tuple[Fault, ...], tuple[Fault, ...], tuple[CoverageReason, ...]]] = [
    ((keep_database,), (*LOSSLESS, *RESTORING), ()),
    ((), (*LOSSLESS, *FILLING), ()),
    ((keep_database, keep_spool), (*LOSSLESS, *RESTORING, *FILLING, *LOSSY), MIXED),
]
"""What is done to a world first, what by chance after that, and the reasons for which there may be gaps then."""


@dataclass
class Tally:
    """What was done in all."""

    faults: int = 0
    kills: int = 0
    gaps: int = 0
    changes: int = 0
    octets: int = 0
    forged: int = 0

    def add(self, world: FaultWorld, content: LedgerContent) -> None:
        """Add what was done to a world that turned out right, and say it."""
        sent = sum(counts.octets for (name, _), counts in world.timeline.total().items() if name == UPLINK)
        gaps = len(gaps_of(content))
        self.kills += world.kills
        self.gaps += gaps
        self.changes += world.rule_changes.made
        self.octets += sent
        self.forged += world.hostile.acknowledged
        click.echo(f"   right: {world.kills} kills, {gaps} gaps, {len(content.intervals)} intervals, {sent} octets sent")


@click.command()
@click.option("--minutes", default=15.0, help="Begin no other world after so long.")
@click.option("--seed", type=int, default=None, help="Repeat the choices of an earlier run.")
@click.option("--faults", default=20, help="How often each world is broken.")
@click.option("--logs", type=click.Path(path_type=Path), default=Path("out/soak"), help="Where the logs of the last world are.")
def main(minutes: float, seed: int | None, faults: int, logs: Path) -> None:
    """Break worlds until the time is over; the first that is not right ends the run with exit code 1."""
    seed = secrets.randbelow(1 << 32) if seed is None else seed
    click.echo(f"seed {seed}")
    tally, end = Tally(), time.monotonic() + minutes * 60
    for number in count():
        if time.monotonic() >= end:
            break
        _run_world(number, seed, faults, logs, tally)
    click.echo(f"right: {tally.faults} faults, {tally.kills} kills, {tally.changes} changes of rules, {tally.gaps} gaps")
    click.echo(f"{tally.octets} octets were sent, and {tally.forged} forged batches changed no figure")


def _run_world(number: int, seed: int, faults: int, logs: Path, tally: Tally) -> None:
    """Break one world."""
    chance = Random(f"{seed} {number}")  # noqa: S311 - chance that can be repeated is wanted
    driver, database_kind = _KINDS[number % len(_KINDS)]
    first, others, expected = _ROUNDS[number // len(_KINDS) % len(_ROUNDS)]
    chosen = [*first, *chance.choices(others, k=faults)]
    click.echo(f"{number}: {driver}, {database_kind}: {' '.join(fault.__name__ for fault in chosen)}")
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    with running_world(logs, driver, database_kind, chance.randrange(1 << 32)) as world:
        for fault in chosen:
            fault(world, chance)
            time.sleep(chance.random())
        content = settle(world, expected)
        tally.faults += len(chosen)
        tally.add(world, content)


if __name__ == "__main__":
    main()
