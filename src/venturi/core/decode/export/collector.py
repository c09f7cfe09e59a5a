"""The decoder of flow export: datagrams in, flow batches out, with all that a collector remembers in between.

Owns the exchange with the compiled walks: what they cannot settle is settled here, and they go on.
"""

import numpy as np

from venturi.core.decode.decoder import ArrayMemory, FreshMemory
from venturi.core.decode.export.configuration import ExportConfig
from venturi.core.decode.export.domains import DomainStore, SequenceLoss
from venturi.core.decode.export.kernels import state
from venturi.core.decode.export.kernels.lookup import KeyIndex
from venturi.core.decode.export.kernels.messages import walk_datagrams
from venturi.core.decode.export.kernels.packets import read_sections
from venturi.core.decode.export.kernels.sflow import walk_sflow
from venturi.core.decode.export.kernels.state import Event, Tables, Words
from venturi.core.decode.export.options import initial_time, read_options, sampling_option
from venturi.core.decode.export.template_store import TemplateStore
from venturi.core.decode.export.templates import IPFIX_OPTIONS_TEMPLATES, IPFIX_TEMPLATES, read_template_set
from venturi.core.decode.export.waiting import WaitingSet, WaitingSets
from venturi.core.decode.export.walk import Walk, datagram_rows, flow_batch, new_columns, waiting_rows
from venturi.core.decode.frames import Datagrams
from venturi.core.domain.drops import DropReason, add_drop
from venturi.core.domain.flow_batch import FlowBatch, FlowTables

_OCTETS_PER_ROW = 40
_FEWEST_ROWS = 4096


class ExportDecoder:
    """A collector of NetFlow v5, NetFlow v9, IPFIX and sFlow v5.

    Templates, options, sequence numbers and waiting data are kept from call to call, within the bounds of the configuration.
    """

    def __init__(self, config: ExportConfig, tables: FlowTables, memory: ArrayMemory | None = None) -> None:
        """Know of no exporter yet; exporters and sampling rates are numbered in ``tables``.

        Batches lie in ``memory``, else in memory of their own.
        """
        self._numbers = KeyIndex(state.NUMBER_WORDS)
        self._templates = TemplateStore(config, self._numbers)
        self._domains = DomainStore(config, tables, self._numbers)
        self._waiting = WaitingSets(config.maximum_waiting_octets)
        self._cursor: Words = np.zeros(state.CURSOR_SLOTS, dtype=np.int64)
        self._cursor[state.MAXIMUM_SKEW] = config.maximum_clock_skew
        self._cursor[[state.NEEDS_TIMES, state.NEEDS_INTERFACES]] = config.needed.times, config.needed.interfaces
        self._memory = memory or FreshMemory()
        self._columns = new_columns(0)
        self._batches: list[FlowBatch] = []
        self._settlements = {
            Event.NEED_ROOM: self._make_room,
            Event.NEW_DOMAIN: self._add_domain,
            Event.NEW_RATE: self._add_rate,
            Event.TEMPLATE_SET: self._read_templates,
            Event.OPTIONS_SET: self._read_options,
            Event.UNKNOWN_TEMPLATE: self._keep_waiting,
        }

    @property
    def records(self) -> int:
        """Flow records and flow samples decoded so far."""
        return int(self._cursor[state.RECORDS])

    @property
    def options_records(self) -> int:
        """Options records seen so far."""
        return int(self._cursor[state.OPTIONS_RECORDS])

    @property
    def counter_samples(self) -> int:
        """Counter samples of sFlow seen so far, which meter interfaces and not flows."""
        return int(self._cursor[state.COUNTER_SAMPLES])

    @property
    def replaced_times(self) -> int:
        """Flows whose times contradicted themselves or the time of receipt, and which were placed elsewhere."""
        return int(self._cursor[state.REPLACED_TIMES])

    @property
    def untimed(self) -> int:
        """Samples of sFlow whose datagram has no time of receipt; sFlow tells none itself."""
        return int(self._cursor[state.UNTIMED_SAMPLES])

    def decode(self, datagrams: Datagrams, drops: Words) -> FlowBatch:
        """Decode datagrams in their order; what cannot be counted is counted in ``drops`` (``domain.drops``).

        Data whose template is not known yet waits, within bounds, and comes with the batch of the call that brings the template.
        """
        self._columns = self._memory.take(new_columns, max(_FEWEST_ROWS, int(datagrams.length.sum()) // _OCTETS_PER_ROW))
        self._cursor[[state.DATAGRAM, state.IN_MESSAGE, state.REPLAY, state.ROW]] = 0
        self._settle(Walk(*datagram_rows(datagrams), self._cursor, drops))
        batches, self._batches = [*self._batches, self._take_rows()], []
        return batches[0] if len(batches) == 1 else FlowBatch.concatenate(*batches)

    def finish(self, drops: Words) -> None:
        """End one input: data that still waits is counted in ``drops``; templates, options and sequence numbers stay for the next."""
        for waiting in self._waiting.take_all():
            add_drop(drops, DropReason.NO_TEMPLATE, waiting.position)

    def sequence_report(self) -> list[SequenceLoss]:
        """Say of every observation domain, in the order of appearance, what its sequence numbers tell."""
        return self._domains.sequence_report()

    def _settle(self, walk: Walk) -> None:
        """Let the compiled walks run, settling what they stop for."""
        cursor = walk.cursor
        kernel = walk_datagrams
        while True:
            cursor[state.DOMAINS_FULL] = self._domains.is_full
            cursor[state.RATES_FULL] = self._domains.has_all_rates
            event = Event(kernel(walk.buffer, walk.datagrams, self._tables(), self._columns, cursor, walk.drops))
            if event is Event.DONE and cursor[state.DATAGRAM] == len(walk.datagrams):
                break
            if event in {Event.DONE, Event.SFLOW_DATAGRAM}:
                kernel = walk_sflow if event is Event.SFLOW_DATAGRAM else walk_datagrams
            else:
                self._settlements[event](walk)
        self._read_sections(walk)

    def _read_sections(self, walk: Walk) -> None:
        """Read the packets that rows refer to while the buffer is at hand that they lie in."""
        if walk.cursor[state.UNREAD_SECTIONS]:
            read_sections(walk.buffer, self._columns, walk.cursor, walk.drops)

    def _tables(self) -> Tables:
        templates = self._templates
        return Tables(
            domain_index=self._domains.index.table,
            numbers=self._numbers.table,
            domains=self._domains.rows,
            templates=templates.rows,
            layouts=templates.layouts,
            fields=templates.fields,
            definitions=templates.definitions,
        )

    def _make_room(self, walk: Walk) -> None:
        self._read_sections(walk)
        self._batches.append(self._take_rows())
        self._columns = self._memory.take(new_columns, max(_FEWEST_ROWS, int(walk.cursor[state.NEEDED])))
        walk.cursor[state.ROW] = 0

    def _take_rows(self) -> FlowBatch:
        return flow_batch(self._columns, int(self._cursor[state.ROW]))

    def _add_domain(self, walk: Walk) -> None:
        self._domains.add(walk.key)

    def _add_rate(self, walk: Walk) -> None:
        _, first, second, *_ = walk.key
        self._domains.add_rate(first, second)

    def _read_templates(self, walk: Walk) -> None:
        domain = int(walk.cursor[state.DOMAIN])
        found = read_template_set(walk.take_set(), int(walk.cursor[state.SET_ID]))
        for number in found.withdrawn:
            if number in (IPFIX_TEMPLATES, IPFIX_OPTIONS_TEMPLATES):
                self._templates.withdraw_all(domain, options=number == IPFIX_OPTIONS_TEMPLATES)
            else:
                self._templates.withdraw(domain, number)
        if found.malformed:
            walk.drop(DropReason.MALFORMED_TEMPLATE)
        for template in found.templates:
            if self._templates.add(domain, template):
                self._replay(walk, domain, template.number)
            else:
                walk.drop(DropReason.TEMPLATE_LIMIT)

    def _read_options(self, walk: Walk) -> None:
        cursor = walk.cursor
        domain = int(cursor[state.DOMAIN])
        template = self._templates.template(domain, int(cursor[state.SET_ID]))
        octets = walk.take_set()
        for values in read_options(octets, template) if template else ():
            cursor[state.OPTIONS_RECORDS] += 1
            cursor[state.MESSAGE_RECORDS] += 1
            option = sampling_option(values)
            if option and not self._domains.apply_sampling(domain, option):
                walk.drop(DropReason.TEMPLATE_LIMIT)
            moment = initial_time(values)
            if moment is not None:
                self._domains.set_initial_time(domain, moment)

    def _keep_waiting(self, walk: Walk) -> None:
        cursor = walk.cursor
        waiting = WaitingSet(walk.set_as_message(), walk.time, int(cursor[state.POSITION]))
        cursor[state.UNCOUNTABLE] = 1
        walk.take_set()
        for evicted in self._waiting.add(int(cursor[state.DOMAIN]), int(cursor[state.SET_ID]), waiting):
            add_drop(walk.drops, DropReason.TEMPLATE_LIMIT, evicted.position)

    def _replay(self, walk: Walk, domain: int, number: int) -> None:
        """Decode the sets that waited for a template as if they came now, but with their own time of receipt and position."""
        waiting = self._waiting.take(domain, number)
        if waiting:
            self._read_sections(walk)
            place = walk.leave()
            self._settle(Walk(*waiting_rows(waiting, self._domains.key(domain)), walk.cursor, walk.drops))
            walk.go_on(place)
