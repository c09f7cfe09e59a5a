"""A batch beyond bounds is refused before anything is made of it, and one within them is measured as what it is."""

import tracemalloc
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tests.support.batches import BEGINNING, SpoolOfTests, make_batch_label, make_interval
from venturi.core.domain.errors import BatchTooLargeError
from venturi.core.ledger.batch import UsageRow
from venturi.core.ledger.bins import DAY
from venturi.core.ledger.measuring import BatchBounds, _Walk, check_batch_size, check_envelope_size
from venturi.services.ledger.receiving import read_batch, read_envelope

NOW = BEGINNING + DAY
SMALL = BatchBounds(octets=1 << 20, rows=10, labels=2_000)
LABEL = ["i" * 36, "name", "project", False]
POINT = [*LABEL, "interface"]
ROW = [0, 0, 1, 1]
PROJECT = ["project", 0, 1, 1, 1, 1]


def batch(
    *, labels: object = 1, points: int = 1, rows: tuple[int, ...] = (1,), projects: int = 0, octets: bytes = b"", **others: object
) -> bytes:
    parted = {"project_usage": octets or msgspec.msgpack.encode([PROJECT] * projects)}
    intervals = [{"point": 0, "place": "eth0", "start": 0, "end": 1, "totals": [], "usage": [ROW] * count, **parted} for count in rows]
    form = {
        "version": 1,
        "sealed_at": 0,
        "points": [POINT] * points,
        "labels": [LABEL] * labels if isinstance(labels, int) else labels,
        "intervals": intervals,
    }
    return msgspec.msgpack.encode(form | others)


BEYOND = {
    "labels": (batch(labels=2_001), "labels: the batch has more than 2000, the most that are taken"),
    "labels that nothing names": (batch(labels=1_500), "labels: there are 1500, but only 1 rows of usage to name them"),
    "points": (batch(points=11), "points: the batch has more than 10, the most that are taken"),
    "rows of two intervals": (batch(rows=(5, 4)), "a batch has at most 10 rows"),
    "rows of one of them": (batch(rows=(1, 10)), "a batch has at most 10 rows"),
    "rows of one interval": (batch(rows=(6_004,)), "a batch has at most 6004 rows"),
    "intervals": (batch(rows=(0,) * 11), "a batch has at most 10 rows"),
    "projects of one interval": (batch(projects=6_005), "project_usage: it has more than 6004 rows"),
    "projects of two intervals": (batch(rows=(1, 1), projects=4), "a batch has at most 10 rows"),
    "projects that are said to be very many": (
        batch(octets=b"\xdd\xff\xff\xff\xff"),
        "project_usage: it has more than 6004 rows",
    ),
    "labels twice": (b"\x82" + 2 * (b"\xa6labels" + msgspec.msgpack.encode([LABEL] * 1_500)), "labels: the batch has more than 2000"),
    "a label of many values": (batch(labels=[[0] * 500]), "payload: it holds more values"),
    "an unknown field of many values": (batch(comment=[0] * 500), "payload: it holds more values"),
    "a deep field": (b"\x81\xa1a" + b"\x91" * 500 + b"\x00", "payload: it holds more values"),
}


@pytest.mark.parametrize("name", BEYOND)
def test_what_is_beyond_bounds(name: str) -> None:
    payload, said = BEYOND[name]
    with pytest.raises(BatchTooLargeError, match=said):
        check_batch_size(payload, SMALL)


WITHIN = {
    "one of each": batch(),
    "as many labels as rows": batch(labels=2_000, rows=(2_000,)),
    "one interval of all labels and directions": batch(labels=2_000, rows=(6_000,)),
    "several intervals": batch(rows=(2, 2, 2)),
    "projects of all labels and directions": batch(labels=2_000, rows=(6_000,), projects=6_000),
    "projects that are no list": batch(octets=b"\x07"),
    "projects that are cut": batch(octets=b"\xdd\xff"),
    "nothing": batch(labels=0, points=0, rows=()),
    "another form": b"\x93\x01\x02\x03",
    "labels that are none": batch(labels="none"),
    "cut": batch()[:-5],
    "no MessagePack": b"\xc1" * 9,
}


@pytest.mark.parametrize("name", WITHIN)
def test_what_is_within_bounds_is_left_to_the_decoder(name: str) -> None:
    check_batch_size(WITHIN[name], SMALL)


def test_an_envelope_holds_little_besides_its_payload() -> None:
    envelope = msgspec.structs.asdict(SpoolOfTests().seal(make_interval(0)))
    check_envelope_size(msgspec.msgpack.encode(envelope))
    with pytest.raises(BatchTooLargeError, match="envelope: it holds more values than a batch does"):
        check_envelope_size(msgspec.msgpack.encode(envelope | {"more": [0] * 100}))


def test_what_expands_much_is_refused_in_little_memory() -> None:
    rows = [UsageRow(0, 0, 0, 0)] * (8 << 20)
    spool = SpoolOfTests()
    payload = msgspec.msgpack.encode({"version": 1, "sealed_at": 0, "points": [], "labels": [LABEL], "intervals": [{"usage": rows}]})
    assert len(payload) > 40 << 20
    body = zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(spool.envelope(1, bytes(32), payload)))
    smaller = zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(spool.envelope(1, bytes(32), payload[: 31 << 20])))
    del rows, payload
    assert len(body) < 8_000
    tracemalloc.start()
    with pytest.raises(BatchTooLargeError, match="the body is larger than 33554432 octets when decompressed"):
        read_envelope(body)
    with pytest.raises(BatchTooLargeError, match="a batch has at most 300004 rows"):
        read_batch(read_envelope(smaller))
    _, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert highest < 128 << 20


VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats() | st.text(max_size=300) | st.binary(max_size=70_000),
    lambda inner: st.lists(inner, max_size=40) | st.dictionaries(st.text(max_size=40), inner, max_size=40),
    max_leaves=60,
)


@given(st.lists(VALUES, max_size=5))
def test_the_walk_passes_over_whatever_the_encoder_writes(values: list[Any]) -> None:
    content = b"".join(map(msgspec.msgpack.encode, values))
    walk = _Walk(content, "payload")
    walk.skip(len(values), 1_000_000)
    assert walk._place == len(content)


def test_a_batch_of_ten_thousand_labels_is_measured_and_read() -> None:
    labels = [make_batch_label(str(number)) for number in range(10_000)]
    usage = [(label, direction, 1, 1) for label in range(10_000) for direction in (0, 1)]
    assert len(read_batch(SpoolOfTests(labels=labels).seal(make_interval(0, usage=usage))).labels) == 10_000
