"""The drivers of venturi that this machine can run, with folders and tables of the benchmark's own.

Owns their configuration; removes what they leave.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench.dataplane.figures import EBPF_FORWARD, EBPF_TCX, NFTABLES
from venturi.adapters.drivers.ebpf.configuration import EbpfConfig
from venturi.adapters.drivers.ebpf.driver import EbpfDriver
from venturi.adapters.drivers.nftables.driver import NftablesConfig, NftablesDriver
from venturi.adapters.drivers.protocol import Answer, Driver
from venturi.core.domain.point import Hook

_TABLE_PREFIX = "benchmark"


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
        for way in _list_ways(stack.enter_context(_pin_folder())):
            support = way.driver.probe(way.hook)
            if support.answer is not Answer.YES:
                remarks.append(f"{way.name} is left out: {support.because}")
                continue
            way.driver.start()
            stack.callback(way.driver.stop)
            stack.callback(way.driver.purge)
            ways.append(way)
        yield ways


def _list_ways(pins: Path) -> list[MeteringWay]:
    configuration = EbpfConfig(bpffs=pins, mount_bpffs=True)
    return [
        MeteringWay(EBPF_FORWARD, EbpfDriver(configuration), Hook.NETFILTER),
        MeteringWay(EBPF_TCX, EbpfDriver(configuration), Hook.TC),
        MeteringWay(NFTABLES, NftablesDriver(NftablesConfig(_TABLE_PREFIX)), Hook.NETFILTER),
    ]


@contextmanager
def _pin_folder() -> Iterator[Path]:
    """Give a folder that the eBPF driver mounts a file system at, which goes with the pins in it."""
    with TemporaryDirectory(prefix="venturi-bench-") as folder:
        try:
            yield Path(folder)
        finally:
            if os.path.ismount(folder):
                subprocess.run(["umount", folder], check=True)
