"""Whatever arrives in the place of a batch is refused in one sentence that names the field."""

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tests.support.batches import BEGINNING, SpoolOfTests, make_batch_label, make_batch_point, make_interval, send_form
from venturi.core.domain.errors import InvalidBatchError
from venturi.core.ledger import batch, checks
from venturi.core.ledger.batch import (
    HIGHEST,
    Batch,
    BatchLabel,
    BatchPoint,
    DirectionTotals,
    Envelope,
    MeteredInterval,
    ProjectUsage,
    UsageRow,
    encode_batch,
)
from venturi.core.ledger.bins import DAY
from venturi.core.ledger.measuring import BatchBounds
from venturi.services.ledger.receiving import read_batch, read_envelope

SPOOL = SpoolOfTests()
ENVELOPE = SPOOL.seal(make_interval(0, usage=[(0, 0, 10, 1000)]))
WHOLE = send_form(ENVELOPE)
ONE_LABEL = make_batch_label()


def compress(content: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(content)


def envelope_with(**changed: object) -> bytes:
    return compress(msgspec.msgpack.encode(msgspec.structs.asdict(ENVELOPE) | changed))


def test_a_batch_is_read_as_it_was_sealed() -> None:
    envelope = read_envelope(WHOLE)
    assert msgspec.structs.asdict(envelope) == msgspec.structs.asdict(ENVELOPE)
    assert read_batch(envelope).intervals[0].usage == [UsageRow(0, 0, 10, 1000)]


def test_a_large_batch_is_read_as_a_whole_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = [(label, 0, 10, 1000) for label in range(9_000)]
    spool = SpoolOfTests(labels=[make_batch_label(f"label {number}") for number in range(9_000)])
    large = spool.seal(make_interval(0, usage=usage), make_interval(1), make_interval(2, usage=usage[:1]), make_interval(3, usage=usage))
    assert len(large.payload) > 4 * batch.LARGE
    by_value = read_batch(large)
    monkeypatch.setattr(batch, "LARGE", 2 * len(large.payload))
    assert read_batch(large) == by_value


BAD_BODIES = {
    "nothing": (b"", "envelope"),
    "not compressed": (encode_batch(ENVELOPE), "not compressed with Zstandard"),
    "cut": (WHOLE[: len(WHOLE) // 2], ""),
    "no MessagePack": (compress(b"\xc1"), "envelope: "),
    "too deep": (compress(b"\x91" * 100_000 + b"\x00"), "envelope: "),
    "another form": (compress(msgspec.msgpack.encode([1, 2])), "envelope: Expected 'object', got 'array'"),
    "no digest": (compress(msgspec.msgpack.encode({"agent_id": "a"})), "envelope: Object missing required field"),
    "a sequence of 0": (envelope_with(sequence=0), "envelope.sequence: Expected 'int' >= 1"),
    "a sequence of 64 bits": (envelope_with(sequence=1 << 63), "envelope.sequence"),
    "an agent that is none": (envelope_with(agent_id="../x"), "envelope.agent_id"),
    "a spool that is none": (envelope_with(spool_id="A" * 32), "envelope.spool_id"),
    "a short digest": (envelope_with(digest=b"1"), "envelope.digest"),
    "another digest": (envelope_with(digest=bytes(32)), "digest: it is not that of the content"),
    "other content": (envelope_with(payload=b"1"), "digest: it is not that of the content"),
    "something before the first": (compress(encode_batch(SPOOL.envelope(1, b"x" * 32, b""))), "previous: nothing comes before"),
    "too much": (compress(bytes(BatchBounds().octets + 1)), "larger than"),
}


@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_body_that_is_no_envelope(case: str) -> None:
    body, said = BAD_BODIES[case]
    with pytest.raises(InvalidBatchError) as refused:
        read_envelope(body)
    assert said in str(refused.value)


def interval_with(**changed: object) -> dict[str, object]:
    return {"intervals": [msgspec.structs.replace(make_interval(0, usage=[(0, 0, 10, 1000)]), **changed)]}


def usage(*rows: tuple[int, int, int, int], totals: tuple[int, ...] = (0, 100, 10_000)) -> dict[str, object]:
    return interval_with(usage=[UsageRow(*row) for row in rows], totals=[DirectionTotals(*totals)])


PARTED = ("p1", 0, 10, 1000, 10, 1000)
TOO_DEEP = b"\x91\x97\xa2p1\x00\x01\x01\x01\x01" + b"\x91" * 100_000 + b"\x00"


def parted(*rows: tuple[str, int, int, int, int, int], totals: tuple[int, ...] = (0, 10, 1000)) -> dict[str, object]:
    """Say what projects used of the traffic of one label of p1."""
    return interval_with(totals=[DirectionTotals(*totals)], project_usage=encode_batch([ProjectUsage(*row) for row in rows]))


BAD_BATCHES: dict[str, tuple[dict[str, object], str]] = {
    "a version to come": ({"version": 2}, "version: 2 is not known here"),
    "labels that are no list": ({"labels": 7}, "payload.labels: Expected 'array', got 'int'"),
    "a label that is none": ({"labels": [ONE_LABEL, 7]}, "payload.labels[1]: Expected 'array', got 'int'"),
    "a label with a NUL": ({"labels": [ONE_LABEL, ("a", "\0", "p", False)]}, "payload.labels[1][1]: Expected 'str' matching regex"),
    "a point of no kind": ({"points": [make_batch_point(kind="cloud")]}, "points[0].kind: 'cloud' is no kind of point"),
    "a point that is not there": (interval_with(point=1), "intervals[0].point: there is no point 1"),
    "a point before the first": (interval_with(point=-1), "payload.intervals[0].point: Expected 'int' >= 0"),
    "coverage that is none": (interval_with(coverage="good"), "intervals[0].coverage: 'good' is not known here"),
    "a reason that is none": (interval_with(reason="rain"), "intervals[0].reason: 'rain' is not known here"),
    "segments that are none": (interval_with(segments="x"), "intervals[0].segments: 'x' is not known here"),
    "an end before the start": (interval_with(end=BEGINNING - 1), "intervals[0].end: it lies before the start"),
    "an interval of years": (interval_with(start=BEGINNING - 401 * DAY), "intervals[0].end: the interval is longer than 400 days"),
    "a time of 64 bits": (interval_with(end=HIGHEST), "payload.intervals[0].end"),
    "a place with a NUL": (interval_with(place="eth\0"), "payload.intervals[0].place"),
    "a long place": (interval_with(place="e" * 256), "payload.intervals[0].place"),
    "a label that is not there": (usage((1, 0, 1, 1)), "intervals[0].usage: a row is of a label that is not among the 1"),
    "a label before the first": (usage((-1, 0, 1, 1)), "payload.intervals[0].usage[0][0]: Expected 'int' >= 0"),
    "a direction that is not counted": (usage((0, 3, 1, 1)), "payload.intervals[0].usage[0][1]: Expected 'int' <= 2"),
    "less than nothing": (usage((0, 0, -1, 1)), "payload.intervals[0].usage[0][2]: Expected 'int' >= 0"),
    "more than 63 bits": (usage((0, 0, 1, HIGHEST + 1)), "payload.intervals[0].usage[0][3]"),
    "two rows of one label": (usage((0, 0, 50, 5000), (0, 0, 50, 5000)), "two rows are of the same label and direction"),
    "two rows of one label under two places": (
        {**usage((0, 0, 50, 5000), (1, 0, 50, 5000)), "labels": [ONE_LABEL, msgspec.structs.replace(ONE_LABEL, name="anew")]},
        "two rows are of the same label and direction",
    ),
    "more than the point": (usage((0, 0, 101, 10)), "intervals[0].usage: a label counts more than the point"),
    "usage without totals": (usage((0, 1, 1, 1)), "intervals[0].usage: a label counts more than the point"),
    "more than was matched": (usage((0, 0, 100, 10_000), totals=(0, 100, 10_000, 1, 0)), "a label counts more than the point"),
    "matched by no label": (usage((0, 0, 99, 10_000)), "intervals[0].totals: more was matched than all labels count"),
    "parts beyond the whole": (usage(totals=(0, 1, 1, 1, 1, 1, 0)), "intervals[0].totals: its parts exceed the whole"),
    "two totals of one direction": (
        interval_with(totals=[DirectionTotals(0, 10, 1000)] * 2),
        "intervals[0].totals: two are of the same direction",
    ),
    "projects that are no list": (interval_with(project_usage=b"\x07"), "intervals[0].project_usage: Expected `array`, got `int`"),
    "projects that are too deep": (interval_with(project_usage=TOO_DEEP), "intervals[0].project_usage: "),
    "a project twice": (parted(("p1", 0, 10, 1000, 0, 0), ("p1", 0, 10, 1000, 10, 1000)), "two rows are of the same project and direction"),
    "more than all labels of the project": (parted(("p1", 0, 11, 1000, 10, 1000)), "used what its own labels cannot have counted"),
    "less than a label of the project": (parted(("p1", 0, 10, 999, 10, 999)), "project 'p1' used what its own labels cannot have counted"),
    "more alone than in all": (parted(("p1", 0, 10, 1000, 11, 1000)), "project 'p1' used what its own labels cannot have counted"),
    "a project without labels": (parted(PARTED, ("p2", 0, 10, 1000, 0, 0)), "project 'p2' used what its own labels cannot have counted"),
    "a project left out": (parted(), "intervals[0].project_usage: it lacks a project whose own labels counted"),
    "parts that are not all": (parted(("p1", 0, 10, 1000, 9, 1000)), "what projects used alone, several and shared are not all"),
    "parts beyond all": (
        parted(PARTED, totals=(0, 10, 1000, 0, 0, 0, 0, 1, 100)),
        "what projects used alone, several and shared are not all that was matched",
    ),
    "several without projects": (usage((0, 0, 100, 10_000), totals=(0, 100, 10_000, 0, 0, 0, 0, 1, 100)), "several or shared without"),
}


@pytest.mark.parametrize("large", [batch.LARGE, 0], ids=["at once", "value by value"])
@pytest.mark.parametrize("case", BAD_BATCHES)
def test_a_batch_that_contradicts_itself(case: str, large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    changed, said = BAD_BATCHES[case]
    monkeypatch.setattr(batch, "LARGE", large)
    with pytest.raises(InvalidBatchError) as refused:
        read_batch(SpoolOfTests().seal(**({"intervals": ()} | changed)))
    assert said in str(refused.value)


class Payload2(msgspec.Struct, kw_only=True):
    """A form to come: what version 1 calls intervals has another name."""

    version: int
    sealed_at: int
    points: list[BatchPoint]
    labels: list[BatchLabel]
    metered: list[MeteredInterval]


def _decode_version_2(payload: bytes) -> Batch:
    read = msgspec.msgpack.decode(payload, type=Payload2)
    return Batch(version=2, sealed_at=read.sealed_at, points=read.points, labels=read.labels, intervals=read.metered)


def test_a_version_comes_beside_those_before(monkeypatch: pytest.MonkeyPatch) -> None:
    spool = SpoolOfTests()
    first = spool.seal(make_interval(0, usage=[(0, 0, 10, 1000)]))
    point, label = make_batch_point(), make_batch_label()
    later = Payload2(version=2, sealed_at=BEGINNING, points=[point], labels=[label], metered=[make_interval(1)])
    second = spool.envelope(2, first.digest, encode_batch(later))
    with pytest.raises(InvalidBatchError, match=r"payload\.version: 2 is not known here"):
        read_batch(second)
    forms = {**batch.BATCH_FORMS, 2: _decode_version_2}
    monkeypatch.setattr(batch, "BATCH_FORMS", forms)
    monkeypatch.setattr(checks, "BATCH_FORMS", forms)
    assert read_batch(second).intervals == [make_interval(1)]
    assert read_batch(first).version == 1


@given(st.binary(max_size=400))
def test_whatever_arrives_is_refused_or_read(content: bytes) -> None:
    for body in (content, compress(content)):
        try:
            envelope = read_envelope(body)
        except InvalidBatchError:
            continue
        assert isinstance(envelope, Envelope)


@given(st.integers(0, len(ENVELOPE.payload) - 1), st.integers(0, 255))
def test_a_payload_with_one_octet_changed_is_refused_or_read(place: int, octet: int) -> None:
    changed = bytearray(ENVELOPE.payload)
    changed[place] = octet
    try:
        batch = read_batch(SPOOL.envelope(1, bytes(32), bytes(changed)))
    except InvalidBatchError:
        return
    assert isinstance(batch, Batch)
    assert all(interval.end >= interval.start for interval in batch.intervals)
