"""A host that exists in memory: namespaces and devices that come and go, and tables that count what is said to pass.

Owns what stands in for the kernel. It outlives its drivers as the kernel outlives an agent, and is safe to use from several threads.
"""

import threading
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import count

from venturi.adapters.network.namespaces import NetworkDevice
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.pair_totals import ClassPair
from venturi.core.classify.traffic_classes import TrafficClasses
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import DriverError
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.point import Hook, PointTraffic

_DEFAULT_PAIR_LIMIT = 1 << 20
_MOST_UNSTATED = 512 << 10
"""Octets of the longest super-packet that a header without a length may stand for."""


@dataclass(frozen=True, kw_only=True)
class PassingPackets:
    """Packets of one source and destination that pass a namespace, addresses as unsigned integers.

    ``in_device`` is None for what the host sends itself, ``out_device`` for what it receives itself. ``octets`` are those that the IP
    headers claim, 0 where they state none, and ``held`` those that the frames held behind the link layer, None for as many.
    """

    in_device: str | None
    out_device: str | None
    family: int
    source: int
    destination: int
    octets: int
    packets: int = 1
    namespace: str | None = None
    held: int | None = None

    @property
    def amount(self) -> Counts | None:
        """What counts of the packets, None where they claim more than their frames held."""
        held = self.octets if self.held is None else self.held
        octets = self.octets or min(held, _MOST_UNSTATED * self.packets)
        return Counts(self.packets, octets) if octets <= held else None

    @property
    def traffic(self) -> PointTraffic:
        """Whether the host passes the packets on or sends or receives them itself."""
        return PointTraffic.LOCAL if None in {self.in_device, self.out_device} else PointTraffic.FORWARDED


@dataclass
class MemoryTable:
    """What one generation counts; ``device_index`` is the device that it was made for, ``current`` False once another replaced it."""

    metered: MeteredDevice
    generation: Generation
    classifier: CompiledClassifier
    device_index: int
    current: bool = True
    pairs: defaultdict[ClassPair, Counts] = field(default_factory=lambda: defaultdict(Counts))
    unattributed: defaultdict[Direction, Counts] = field(default_factory=lambda: defaultdict(Counts))
    bad_ip_headers: defaultdict[Direction, Counts] = field(default_factory=lambda: defaultdict(Counts))

    def count(self, passing: PassingPackets, direction: Direction, pair_limit: int) -> None:
        """Add packets to their class pair, or to what is unattributed where the table is full.

        Those that claim too much come to the tc hook alone, and count there for nothing.
        """
        amount = passing.amount
        if amount is None:
            if self.metered.hook is Hook.TC:
                self.bad_ip_headers[direction] += Counts(passing.packets, passing.held or 0)
            return
        compiled = self.classifier.compiled(direction, passing.family)
        source, destination = _class_of(compiled.sources, passing.source), _class_of(compiled.destinations, passing.destination)
        pair = ClassPair(direction.code, passing.family, source, destination)
        if pair in self.pairs or len(self.pairs) < pair_limit:
            self.pairs[pair] += amount
        else:
            self.unattributed[direction] += amount


class MemoryHost:
    """Devices by namespace, and tables by generation id; ``pair_limit`` is how many class pairs a table holds."""

    def __init__(self, *, pair_limit: int = _DEFAULT_PAIR_LIMIT) -> None:
        self.lock = threading.RLock()
        self.tables: dict[str, MemoryTable] = {}
        self.refusal = ""
        self.keeping = ""
        self._pair_limit = pair_limit
        self._devices: dict[tuple[str | None, str], NetworkDevice] = {}
        self._indexes = count(1)

    def add_device(self, device: str, namespace: str | None = None) -> None:
        """Make a device, with its namespace where there was none; one that was there is made anew."""
        with self.lock:
            self._devices[namespace, device] = NetworkDevice(device, next(self._indexes), "")

    def remove_device(self, device: str, namespace: str | None = None) -> None:
        """Make a device vanish; its tables stay to be read."""
        with self.lock:
            self._devices.pop((namespace, device), None)

    def remove_namespace(self, namespace: str, *, counters_survive: bool = False) -> None:
        """Make a namespace vanish with its devices and, as nftables does but pinned maps do not, its tables."""
        with self.lock:
            self._devices = {place: device for place, device in self._devices.items() if place[0] != namespace}
            if not counters_survive:
                self.remove_tables(namespace)

    def remove_tables(self, namespace: str | None = None) -> None:
        """Lose all tables of a namespace, as when somebody flushes the rules."""
        with self.lock:
            self.tables = {name: table for name, table in self.tables.items() if table.metered.namespace != namespace}

    def refuse(self, because: str) -> None:
        """Refuse to apply anything from now on; an empty reason ends it."""
        with self.lock:
            self.refusal = because

    def keep(self, because: str) -> None:
        """Refuse to remove any table from now on; an empty reason ends it."""
        with self.lock:
            self.keeping = because

    def list_namespaces(self) -> list[str]:
        """List the named namespaces, in order."""
        with self.lock:
            return sorted({namespace for namespace, _ in self._devices if namespace is not None})

    def list_devices(self, namespace: str | None) -> list[NetworkDevice]:
        """List the devices of a namespace; raises ``DriverError`` for a named one that has none."""
        with self.lock:
            devices = [device for place, device in self._devices.items() if place[0] == namespace]
        if not devices and namespace is not None:
            message = f"network namespace '{namespace}' cannot be entered: there is none"
            raise DriverError(message)
        return devices

    def device_index(self, metered: MeteredDevice) -> int | None:
        """Give the number of a device, which no other has ever, None where there is no such device."""
        device = self._devices.get((metered.namespace, metered.device))
        return None if device is None else device.index

    def sees(self, table: MemoryTable) -> bool:
        """Tell whether packets of the device as it is now are counted by a table."""
        return table.current and table.device_index == self.device_index(table.metered)

    def count(self, passing: PassingPackets) -> None:
        """Let packets pass: they enter through ``in_device``, leave through ``out_device`` and are counted at both."""
        with self.lock:
            for table in self.tables.values():
                if table.metered.namespace == passing.namespace and self.sees(table) and _is_counted(table.metered, passing):
                    for direction in _directions(table.metered, passing):
                        table.count(passing, direction, self._pair_limit)


def _is_counted(metered: MeteredDevice, passing: PassingPackets) -> bool:
    return metered.hook is Hook.TC or metered.traffic in {PointTraffic.BOTH, passing.traffic}


def _directions(metered: MeteredDevice, passing: PassingPackets) -> list[Direction]:
    sides = ((passing.in_device, Direction.INGRESS), (passing.out_device, Direction.EGRESS))
    return [direction for device, direction in sides if device == metered.device]


def _class_of(side: TrafficClasses, address: int) -> int:
    return side.classes[bisect_right(side.starts, address) - 1]
