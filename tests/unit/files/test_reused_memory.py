"""Memory used again: never while anybody refers to them, and never with what they held before."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.unit.decode_capture.building import ETHERNET_V4, ETHERNET_V6, FIRST_TIME, ipv4, ipv6, octets, pcap, record
from venturi.adapters.reused_memory import ReusedMemory
from venturi.core.decode.capture.packets import PacketDecoder
from venturi.core.decode.needed import NeededColumns
from venturi.core.domain.flow_batch import FlowBatch

NARROW, WIDE = ETHERNET_V4 + ipv4(), ETHERNET_V6 + ipv6()


class Pair(NamedTuple):
    words: NDArray[np.int64]
    marks: NDArray[np.uint8]


def make(rows: int) -> Pair:
    return Pair(np.zeros((3, rows), dtype=np.int64), np.zeros(rows, dtype=np.uint8))


def address(pair: Pair) -> int:
    return pair.words.ctypes.data


def test_memory_is_used_again_once_there_is_no_view_of_it() -> None:
    reused = ReusedMemory()
    first = reused.take(make, 100)
    place = address(first)
    view = first.words[1, :10].view(np.uint64)
    del first
    assert address(other := reused.take(make, 100)) != place
    view[:] = 7
    del view
    again = reused.take(make, 100)
    assert (address(again), again.words[1, 0]) == (place, 7)
    assert not other.words.any()


def test_a_view_of_any_array_keeps_the_memory_in_use() -> None:
    reused = ReusedMemory()
    first = reused.take(make, 10)
    place, view = address(first), first.marks[:1]
    del first
    assert address(reused.take(make, 10)) != place
    assert len(view) == 1


def test_memory_that_is_too_small_is_not_used() -> None:
    reused = ReusedMemory()
    place = address(reused.take(make, 10))
    larger = reused.take(make, 1000)
    assert larger.words.shape[1] >= 1000
    assert address(larger) != place
    assert address(reused.take(make, 5)) == place


def test_a_batch_keeps_its_content_while_later_ones_are_decoded() -> None:
    decoder = PacketDecoder(exporter=0, memory=ReusedMemory())
    batches = [decoder.decode(octets(pcap([NARROW] * 3)), final=False)[0]]
    batches += [decoder.decode(octets(record(WIDE), record(NARROW)), final=False)[0] for _ in range(12)]
    assert [batch.family.tolist() for batch in batches] == [[4, 4, 4], *[[6, 4]] * 12]


def test_high_words_of_addresses_do_not_outlive_their_packets() -> None:
    decoder = PacketDecoder(exporter=0, memory=ReusedMemory())
    decoder.decode(octets(pcap([WIDE] * 3)), final=False)
    batch, _ = decoder.decode(octets(*[record(NARROW)] * 3), final=False)
    assert batch.family.tolist() == [4, 4, 4]
    assert not batch.source_high.any()
    assert not batch.destination_high.any()


def test_times_that_nobody_needs_are_not_decoded() -> None:
    def decode(needed: NeededColumns) -> FlowBatch:
        return PacketDecoder(exporter=0, needed=needed).decode(octets(pcap([NARROW])), final=True)[0]

    whole, rest = decode(NeededColumns()), decode(NeededColumns(times=False))
    assert whole.start.tolist() == [FIRST_TIME * 1_000_000_000]
    assert rest.start.tolist() == rest.end.tolist() == [0]
    assert rest.octets.tolist() == whole.octets.tolist()
