"""The nftables driver: the protocol of drivers on tables of nf_tables.

Owns what is done in which order. The kernel holds all that there is to know; what the driver remembers only saves waiting.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import ClassVar

from venturi.adapters.drivers.nftables.grace import wait_for_packets_on_their_way
from venturi.adapters.drivers.nftables.identity import table_name
from venturi.adapters.drivers.nftables.layout import flush, generation_changes
from venturi.adapters.drivers.nftables.netlink import Change, Connection, Verb, text
from venturi.adapters.drivers.nftables.probe import try_to_count
from venturi.adapters.drivers.nftables.tables import FoundTable, list_tables, read_reading, read_table
from venturi.adapters.drivers.protocol import Answer, DriverName, FoundGeneration, Reading, Support
from venturi.adapters.edges import KERNEL_EDGE
from venturi.adapters.network.namespaces import device_index, list_namespaces
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.errors import DriverError
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.point import Hook


@dataclass(frozen=True)
class NftablesConfig:
    """With what the names of the driver's tables begin."""

    table_prefix: str = "venturi"


@KERNEL_EDGE.adapter
class NftablesDriver:
    """A ``Driver`` that counts in tables of nf_tables, one for each metered device, in the device's namespace."""

    name: ClassVar[DriverName] = DriverName.NFTABLES

    def __init__(self, config: NftablesConfig) -> None:
        self._prefix = config.table_prefix
        self._settled = set[str]()

    def probe(self, hook: Hook) -> Support:
        """Try a table with a counting set in a transaction that is taken back; raises nothing."""
        if hook is not Hook.NETFILTER:
            return Support(Answer.NO, "nftables counts where packets are forwarded, not at the device; only eBPF has the hook 'tc'")
        return try_to_count()

    def start(self) -> None:
        """Take hold of nothing; sockets are opened where they are needed, in their namespaces."""

    def stop(self) -> None:
        """Let go of nothing; the kernel keeps counting."""

    def apply(self, metered: MeteredDevice, classifier: CompiledClassifier, generation: Generation) -> None:
        """Count under a new generation, in one transaction."""
        index = device_index(metered.namespace, metered.device)
        if index is None:
            message = f"there is no device '{metered.device}' to meter"
            raise DriverError(message)
        name = table_name(self._prefix, metered)
        with _connected(metered.namespace) as connection:
            connection.commit(generation_changes(name, metered, classifier, generation, index))

    def read(self, metered: MeteredDevice, generation: Generation) -> Reading:
        """Give the totals of a generation; raises ``DriverError`` where its set is gone."""
        with _connected(metered.namespace) as connection:
            table = self._table_of(connection, metered, generation)
            if table.current != generation.id and generation.id not in self._settled:
                wait_for_packets_on_their_way()
                self._settled.add(generation.id)
            return read_reading(connection, table, generation)

    def retire(self, metered: MeteredDevice, generation: Generation) -> None:
        """Remove the set of a generation, its rules where they are the current ones, and the table with the last of them."""
        with _connected(metered.namespace) as connection:
            connection.commit(_removal(self._table_of(connection, metered, generation), generation))
        self._settled.discard(generation.id)

    def is_counting(self, metered: MeteredDevice, generation: Generation) -> bool:
        """Tell whether the rules of a generation are all there, and the device is the one that it was made for."""
        try:
            with _connected(metered.namespace) as connection:
                table = self._table_of(connection, metered, generation)
        except DriverError:
            return False
        return _counts(table, generation)

    def find(self) -> Sequence[FoundGeneration]:
        """List the generations in this and all named namespaces."""
        return [
            FoundGeneration(metered=table.metered, generation=kept.generation, counting=_counts(table, kept.generation))
            for _, table in self._tables()
            for kept in table.generations
        ]

    def purge(self) -> int:
        """Remove all tables from this and all named namespaces, and give the number of generations in them."""
        removed = 0
        for connection, table in self._tables():
            connection.commit([Change(Verb.DELETE_TABLE, text(1, table.name))])
            removed += len(table.generations)
        return removed

    def _tables(self) -> Iterator[tuple[Connection, FoundTable]]:
        """Give all tables, each with a connection to its namespace; one that cannot be entered holds none that can be read."""
        for namespace in (None, *list_namespaces()):
            with suppress(DriverError), _connected(namespace) as connection:
                for name, metered in list_tables(connection, namespace, self._prefix).items():
                    yield connection, read_table(connection, name, metered)

    def _table_of(self, connection: Connection, metered: MeteredDevice, generation: Generation) -> FoundTable:
        name = table_name(self._prefix, metered)
        if name in list_tables(connection, metered.namespace, self._prefix):
            table = read_table(connection, name, metered)
            if table.kept(generation) is not None:
                return table
        message = f"the counters of generation '{generation.id}' at '{metered.device}' are gone from nftables"
        raise DriverError(message)


@contextmanager
def _connected(namespace: str | None) -> Iterator[Connection]:
    with closing(Connection(namespace)) as connection:
        yield connection


def _removal(table: FoundTable, generation: Generation) -> list[Change]:
    """Give the changes that remove a generation; what counts by it stops in the same transaction."""
    if len(table.generations) == 1:
        return [Change(Verb.DELETE_TABLE, text(1, table.name))]
    stop = [flush(table.name)] if table.current == generation.id else []
    return [*stop, *(Change(Verb.DELETE_SET, text(1, table.name) + text(2, name)) for name in table.sets_of(generation))]


def _counts(table: FoundTable, generation: Generation) -> bool:
    """Tell whether a generation's rules are all there, and the device is the one that it was made for."""
    kept = table.kept(generation)
    index = device_index(table.metered.namespace, table.metered.device)
    return kept is not None and table.current == generation.id and index == kept.device_index
