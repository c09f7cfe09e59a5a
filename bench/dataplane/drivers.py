"""The drivers of venturi that this machine can run, with folders and tables of the benchmark's own.

Owns their configuration; removes what they leave.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from venturi.adapters.drivers.protocol import Answer, Driver
from venturi.core.domain.generation import Hook


class MeteringWay(NamedTuple):
    """A driver at a hook, under the name of its layout."""

    name: str
    driver: Driver
    hook: Hook


@contextmanager
def started_drivers(remarks: list[str]) -> Iterator[Sequence[MeteringWay]]:
    """Start the drivers that this machine can run and purge them at the end of the block; why one cannot run goes to ``remarks``."""
    with ExitStack() as stack:
        ways = []
        for way in _all_ways():
            support = way.driver.probe(way.hook)
            if support.answer is not Answer.YES:
                remarks.append(f"{way.name} is left out: {support.because}")
                continue
            way.driver.start()
            stack.callback(way.driver.stop)
            stack.callback(way.driver.purge)
            ways.append(way)
        yield ways


def _all_ways() -> list[MeteringWay]:
    return []
