"""The memory driver: counts what a ``MemoryHost`` is told to let pass, for tests and for replay without a kernel.

Owns the protocol on such a host; what passes, comes and goes is said to the host itself.
"""

from collections.abc import Sequence
from typing import ClassVar

from venturi.adapters.drivers.memory_host import MemoryHost, MemoryTable
from venturi.adapters.drivers.protocol import Answer, DriverName, FoundGeneration, Reading, Support
from venturi.adapters.edges import KERNEL_EDGE
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.pair_totals import pair_totals_of
from venturi.core.domain.errors import DriverError, GenerationGoneError
from venturi.core.domain.generation import Generation, MeteredDevice, Segments
from venturi.core.domain.point import Hook


@KERNEL_EDGE.adapter
class MemoryDriver:
    """A ``Driver`` whose kernel is a ``MemoryHost``; a second driver on the host finds what the first one left."""

    name: ClassVar[DriverName] = DriverName.MEMORY

    def __init__(self, host: MemoryHost) -> None:
        self._host = host

    def probe(self, hook: Hook) -> Support:  # noqa: ARG002 - the protocol asks by hook; memory has them all
        """Say yes: memory is everywhere."""
        return Support(Answer.YES)

    def start(self) -> None:
        """Take hold of nothing."""

    def stop(self) -> None:
        """Let go of nothing; the host keeps counting."""

    def apply(self, metered: MeteredDevice, classifier: CompiledClassifier, generation: Generation) -> None:
        """Count under a new generation; raises ``DriverError`` where the host refuses or has no such device."""
        with self._host.lock:
            index = self._host.device_index(metered)
            if self._host.refusal or index is None:
                message = self._host.refusal or f"there is no device '{metered.device}' in network namespace '{metered.namespace}'"
                raise DriverError(message)
            for table in self._host.tables.values():
                table.current = table.current and table.metered != metered
            self._host.tables[generation.id] = MemoryTable(metered, generation, classifier, index)

    def read(self, metered: MeteredDevice, generation: Generation) -> Reading:
        """Give the totals of a generation; raises ``DriverError`` where its table is gone."""
        with self._host.lock:
            table = self._table(metered, generation)
            pairs, unattributed, bad = pair_totals_of(table.pairs), dict(table.unattributed), dict(table.bad_ip_headers)
            return Reading(table.generation, pairs, unattributed, Segments.WIRE, bad)

    def retire(self, metered: MeteredDevice, generation: Generation) -> None:
        """Remove the table of a generation; raises ``GenerationGoneError`` where it is gone, ``DriverError`` where the host keeps it."""
        with self._host.lock:
            self._table(metered, generation)
            if self._host.keeping:
                raise DriverError(self._host.keeping)
            del self._host.tables[generation.id]

    def is_counting(self, metered: MeteredDevice, generation: Generation) -> bool:
        """Tell whether a generation sees the packets of the device as it is now."""
        with self._host.lock:
            table = self._host.tables.get(generation.id)
            return table is not None and table.metered == metered and self._host.sees(table)

    def find_bypasses(self, metered: MeteredDevice, generation: Generation) -> Sequence[str]:  # noqa: ARG002 - nothing comes before this driver
        """Say nothing: whatever passes is counted."""
        return []

    def find(self) -> Sequence[FoundGeneration]:
        """List the generations on the host."""
        with self._host.lock:
            tables = self._host.tables.values()
            return [
                FoundGeneration(metered=table.metered, generation=table.generation, counting=self._host.sees(table)) for table in tables
            ]

    def purge(self) -> int:
        """Remove all tables, and give their number."""
        with self._host.lock:
            removed = len(self._host.tables)
            self._host.tables.clear()
            return removed

    def _table(self, metered: MeteredDevice, generation: Generation) -> MemoryTable:
        table = self._host.tables.get(generation.id)
        if table is None or table.metered != metered:
            message = f"the counters of generation '{generation.id}' at '{metered.device}' are gone"
            raise GenerationGoneError(message)
        return table
