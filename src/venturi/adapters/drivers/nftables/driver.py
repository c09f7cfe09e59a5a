"""The nftables driver: the protocol of drivers on tables of nf_tables.

Owns what is done in which order. The kernel holds all that there is to know; what the driver remembers only saves waiting.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import ClassVar

from venturi.adapters.drivers.nftables.grace import wait_for_packets_on_their_way
from venturi.adapters.drivers.nftables.identity import fingerprint_name, fingerprint_user_data, table_name
from venturi.adapters.drivers.nftables.layout import generation_changes, stop_changes
from venturi.adapters.drivers.nftables.netlink import Change, Connection, Verb, text
from venturi.adapters.drivers.nftables.probe import try_to_count
from venturi.adapters.drivers.nftables.set_changes import SetChanges
from venturi.adapters.drivers.nftables.tables import FoundTable, list_tables, read_reading, read_table, take_fingerprint
from venturi.adapters.drivers.protocol import Answer, DriverName, FoundGeneration, Reading, Support
from venturi.adapters.edges import KERNEL_EDGE
from venturi.adapters.network.namespaces import device_index, list_namespaces
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.errors import DriverError, GenerationGoneError
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
        self._found_whole: dict[str, int] = {}

    def probe(self, hook: Hook) -> Support:
        """Try a table with a counting set in a transaction that is taken back; raises nothing."""
        if hook is not Hook.NETFILTER:
            return Support(Answer.NO, "nftables counts where packets are forwarded, not at the device", "none: only eBPF has the hook 'tc'")
        return try_to_count()

    def start(self) -> None:
        """Take hold of nothing; sockets are opened where they are needed, in their namespaces."""

    def stop(self) -> None:
        """Let go of nothing; the kernel keeps counting."""

    def apply(self, metered: MeteredDevice, classifier: CompiledClassifier, generation: Generation) -> None:
        """Count under a new generation: all of it is made first, and a second transaction sends the packets there."""
        index = device_index(metered.namespace, metered.device)
        if index is None:
            message = f"there is no device '{metered.device}' to meter"
            raise DriverError(message)
        name = table_name(self._prefix, metered)
        changes = generation_changes(name, metered, classifier, generation, index)
        with _connected(metered.namespace) as connection:
            self._clear(connection, name, metered)
            try:
                connection.commit(changes.preparation)
                connection.commit(changes.switch)
            except DriverError:
                self._clear(connection, name, metered)
                raise
            self._remember(connection, metered, generation)

    def read(self, metered: MeteredDevice, generation: Generation) -> Reading:
        """Give the totals of a generation; raises ``DriverError`` where its set is gone."""
        with _connected(metered.namespace) as connection:
            table = self._table_of(connection, metered, generation)
            if table.current != generation.id and generation.id not in self._settled:
                wait_for_packets_on_their_way()
                self._settled.add(generation.id)
            return read_reading(connection, table, generation)

    def retire(self, metered: MeteredDevice, generation: Generation) -> None:
        """Remove a generation with its sets, its rules where they are the current ones, and the table with the last of them."""
        self._settled.discard(generation.id)
        self._found_whole.pop(generation.id, None)
        if metered.namespace is not None and metered.namespace not in list_namespaces():
            message = f"generation '{generation.id}' is gone with network namespace '{metered.namespace}'"
            raise GenerationGoneError(message)
        with _connected(metered.namespace) as connection:
            connection.commit(_removal(self._table_of(connection, metered, generation), generation))

    def is_counting(self, metered: MeteredDevice, generation: Generation) -> bool:
        """Tell whether a generation is as it was made, at its hooks, and the device is the one that it was made for."""
        try:
            with _connected(metered.namespace) as connection:
                return self._counts(connection, self._table_of(connection, metered, generation), generation)
        except DriverError:
            return False

    def find_bypasses(self, metered: MeteredDevice, generation: Generation) -> Sequence[str]:  # noqa: ARG002 - no rule can end another chain's
        """Say nothing: no verdict of another chain but a drop keeps packets from this one."""
        return []

    def find(self) -> Sequence[FoundGeneration]:
        """List the generations in this and all named namespaces, once what a dead process left half done is gone."""
        found = []
        for connection, table in self._tables():
            if table.left_behind() or not table.generations:
                self._clear(connection, table.name, table.metered)
            for kept in table.generations:
                counting = self._counts(connection, table, kept.generation)
                found.append(FoundGeneration(metered=table.metered, generation=kept.generation, counting=counting))
        return found

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
                for name, listed in list_tables(connection, namespace, self._prefix).items():
                    yield connection, read_table(connection, name, listed)

    def _table_of(self, connection: Connection, metered: MeteredDevice, generation: Generation) -> FoundTable:
        table = self._find_table(connection, table_name(self._prefix, metered), metered)
        if table is None or table.kept(generation) is None:
            message = f"the counters of generation '{generation.id}' at '{metered.device}' are gone from nftables"
            raise GenerationGoneError(message)
        return table

    def _find_table(self, connection: Connection, name: str, metered: MeteredDevice) -> FoundTable | None:
        listed = list_tables(connection, metered.namespace, self._prefix).get(name)
        return None if listed is None else read_table(connection, name, listed)

    def _clear(self, connection: Connection, name: str, metered: MeteredDevice) -> None:
        """Remove what was prepared and never switched on, and a table in which nothing else is."""
        table = self._find_table(connection, name, metered)
        if table is None:
            return
        changes = [Change(Verb.DELETE_TABLE, text(1, name))] if not table.generations else list(_remains(table, table.left_behind()))
        if changes:
            connection.commit(changes)

    def _remember(self, connection: Connection, metered: MeteredDevice, generation: Generation) -> None:
        """Leave the fingerprint of a generation beside it, by which every later look sees whether it is as it was made."""
        table = self._table_of(connection, metered, generation)
        fingerprint = SetChanges(table.name)
        fingerprint.add_marker(fingerprint_name(generation), fingerprint_user_data(take_fingerprint(connection, table, generation)))
        connection.commit(fingerprint.changes)

    def _counts(self, connection: Connection, table: FoundTable, generation: Generation) -> bool:
        """Tell whether a generation is as it was made and the device is the one that it was made for.

        While no transaction was made in the namespace since it was found so, all that the rules lead to is taken to be.
        """
        kept, number = table.kept(generation), connection.ruleset_number()
        index = device_index(table.metered.namespace, table.metered.device)
        if kept is None or table.current != generation.id or index != kept.device_index:
            return False
        if self._found_whole.get(generation.id) != number:
            made = table.fingerprint_of(generation)
            if made and take_fingerprint(connection, table, generation) != made:
                return False
            self._found_whole[generation.id] = number
        return True


@contextmanager
def _connected(namespace: str | None) -> Iterator[Connection]:
    with closing(Connection(namespace)) as connection:
        yield connection


def _removal(table: FoundTable, generation: Generation) -> list[Change]:
    """Give the changes that remove a generation; what counts by it stops in the same transaction."""
    if len(table.generations) == 1:
        return [Change(Verb.DELETE_TABLE, text(1, table.name))]
    stop = stop_changes(table.name, table.metered) if table.current == generation.id else []
    return [*stop, *_remains(table, {generation.id})]


def _remains(table: FoundTable, generation_ids: Iterable[str]) -> Iterator[Change]:
    """Give the changes that remove all that belongs to generations: rules, then the sets that they use, then chains."""
    for generation_id in generation_ids:
        for chain in table.chains_of(generation_id):
            yield Change(Verb.DELETE_RULE, text(1, table.name) + text(2, chain))
        for name in table.sets_of(generation_id):
            yield Change(Verb.DELETE_SET, text(1, table.name) + text(2, name))
        for chain in table.chains_of(generation_id):
            yield Change(Verb.DELETE_CHAIN, text(1, table.name) + text(3, chain))
