"""What contracts come to, on every database: held to an independent computation on ledgers that are drawn by chance."""

import random
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import pytest

from tests.contracts.metering import EDGE, IN, OUT, UNKNOWN, ContractsOfTests, label, point, project, seconds, terms
from tests.reports.filling import KnownVersion, MeteredRecord
from tests.support.control_values import OPERATOR
from tests.support.databases import open_store
from venturi.core.contracts.settling import Measured
from venturi.core.contracts.terms import InterpolatedSamples, Member, Of, PercentileMeasure, VolumeMeasure
from venturi.core.domain.control.principal import IMPLIED_ROLES, Role
from venturi.core.domain.coverage import Coverage
from venturi.services.contracts.measuring import Unmeasured

FIRST, DAYS = "2026-03-10T00:00:00Z", 1
COUNT = DAYS * 288
LABELS = [KnownVersion(1, "p1"), KnownVersion(2, "p1"), KnownVersion(3, "p2")]
POINTS = [KnownVersion(1, "p1", shared=True), KnownVersion(2, "p1"), KnownVersion(3, "p2"), KnownVersion(4, "p1", boundary="elsewhere")]
SEEN_AT = {1: (1, 2), 2: (1, 2), 3: (1, 3)}
"""The points of the boundary that each label applies at."""


@pytest.fixture
def contracts(database: str) -> Iterator[ContractsOfTests]:
    with open_store(database) as store:
        yield ContractsOfTests(store, database)


class DrawnLedger:
    """A day of records at each point, in samples that are whole, lacking, longer than a sample, or of several records."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - no secret
        self.records: list[MeteredRecord] = []
        self.octets: dict[tuple[int, int, int, int], int] = {}
        self.states: dict[tuple[int, int], str] = {}
        for number in (1, 2, 3, 4):
            self._fill(number)

    def _fill(self, number: int) -> None:
        place = 0
        while place < COUNT:
            kind = self.chance.choices(("whole", "partial", "absent", "long", "two"), (90, 2, 1, 2, 5))[0]
            length = 2 if kind == "long" else 1
            start = seconds(FIRST) + place * 300
            for each in range(place, min(place + length, COUNT)):
                self.states[number, each] = kind
            if kind == "two":
                self._record(number, start, start + 120, place, 1, Coverage.COMPLETE)
                self._record(number, start + 120, start + 300, place, 1, Coverage.COMPLETE)
            elif kind != "absent":
                state = Coverage.PARTIAL if kind == "partial" else Coverage.COMPLETE
                self._record(number, start, start + length * 300, place, length, state)
            place += length

    def _record(self, number: int, start: int, end: int, place: int, length: int, state: Coverage) -> None:
        usage = []
        for each, points in SEEN_AT.items():
            for direction in (IN, OUT, UNKNOWN):
                if number in points and self.chance.random() < 0.6:
                    octets = self.chance.choice((0, 1, 75, self.chance.randrange(10**9))) * length
                    usage.append((each, direction, 1, octets))
                    for share in range(length):
                        key = number, place + share, each, direction
                        self.octets[key] = self.octets.get(key, 0) + octets // length
        reason = "bypass" if state is Coverage.PARTIAL else ""
        self.records.append(MeteredRecord(number, start, end, usage, state, reason))

    def sample(self, place: int, labels: tuple[int, ...]) -> tuple[int, int, int]:
        """Add up what labels counted at the points of the boundary."""
        return tuple(  # type: ignore[return-value] # three of them
            sum(self.octets.get((number, place, each, direction), 0) for each in labels for number in (1, 2, 3))
            for direction in (IN, OUT, UNKNOWN)
        )

    def is_known(self, place: int, points: tuple[int, ...], *, interpolated: bool) -> bool:
        fine = {"whole", "two", "long"} if interpolated else {"whole", "two"}
        return all(self.states.get((number, place)) in fine for number in points)


VALUES = {
    Of.INGRESS: lambda octets: octets[0],
    Of.EGRESS: lambda octets: octets[1],
    Of.MAX: lambda octets: max(octets[:2]),
    Of.SUM: sum,
}


def by_hand(values: list[int], percentile: str) -> int:
    """Find a percentile by counting: the lowest value that at least p percent of all values do not exceed."""
    wanted = Fraction(percentile) / 100 * len(values)
    return next(value for value in sorted(values) if sum(each <= value for each in values) >= wanted)


MEMBERS = [
    ("a label", (label(1),), (1,), (1, 2)),
    ("two labels", (label(1), label(2)), (1, 2), (1, 2)),
    ("a project", (project("p1"),), (1, 2), (1, 2)),
    ("labels of two projects", (label(1), label(3)), (1, 3), (1, 2, 3)),
]


@pytest.mark.parametrize(("members", "labels", "points"), [case[1:] for case in MEMBERS], ids=[case[0] for case in MEMBERS])
def test_percentiles_are_those_by_hand(
    contracts: ContractsOfTests, members: tuple[Member, ...], labels: tuple[int, ...], points: tuple[int, ...]
) -> None:
    ledger = DrawnLedger(7)
    contracts.meter(LABELS, POINTS, ledger.records)
    choice = random.Random(3)  # noqa: S311 - no secret
    for number, of in enumerate(Of):
        percentile, interpolated = choice.choice(("95", "50", "99.9", "100", "0.1")), choice.choice(list(InterpolatedSamples))
        measure = PercentileMeasure(of=of, percentile=percentile, interpolated=interpolated, least_known="0")
        contract = contracts.create(terms(*members, measure=measure), (FIRST, "2026-03-11"), name=f"c{number}")
        found = contracts.measure(contract)
        bears = interpolated is InterpolatedSamples.KNOWN
        samples = [(ledger.sample(place, labels), ledger.is_known(place, points, interpolated=bears)) for place in range(COUNT)]
        assert [(tuple(sample.octets), sample.known) for sample in found.samples] == samples
        known = [octets for octets, is_known in samples if is_known]
        if of is Of.MAX_OF_PERCENTILES:
            expected = max(by_hand([octets[side] for octets in known], percentile) for side in (0, 1))
        else:
            expected = by_hand([VALUES[of](octets) for octets in known], percentile)
        assert found.decision is not None
        assert found.decision.octets == expected
        assert found.exact == Fraction(expected * 8, 300)
        missing = [octets for octets, is_known in samples if not is_known]
        assert tuple(found.missing_octets) == tuple(sum(each[side] for each in missing) for side in range(3))


def test_volumes_are_those_by_hand(contracts: ContractsOfTests) -> None:
    ledger = DrawnLedger(11)
    contracts.meter(LABELS, POINTS, ledger.records)
    sums = [sum(ledger.sample(place, (1, 2))[side] for place in range(COUNT)) for side in range(3)]
    for of, expected in ((Of.INGRESS, sums[0]), (Of.EGRESS, sums[1]), (Of.MAX, max(sums[:2])), (Of.SUM, sum(sums))):
        contract = contracts.create(terms(label(1), label(2), measure=VolumeMeasure(of=of)), name=str(of))
        assert contracts.measure(contract).exact == expected


def test_whole_points_count_all_that_passed(contracts: ContractsOfTests) -> None:
    start = seconds(FIRST)
    records = [MeteredRecord(number, start, start + 300, [(1, OUT, 1, 500)], unmatched=100 * number) for number in (1, 2, 4)]
    contracts.meter(LABELS[:1], POINTS, records)
    contract = contracts.create(terms(point(1), point(2)), (FIRST, "2026-03-10T00:05:00Z"))
    assert [(tuple(sample.octets), sample.known) for sample in contracts.measure(contract).samples] == [((0, 300, 0), True)]
    assert contract.versions[0].terms.boundary == EDGE


def test_many_contracts_are_measured_as_each_by_itself(contracts: ContractsOfTests) -> None:
    contracts.meter(LABELS, POINTS, DrawnLedger(17).records)
    lenient = PercentileMeasure(of=Of.SUM, interpolated=InterpolatedSamples.KNOWN, least_known="0")
    said = {
        "labels": (terms(label(1), label(2), measure=lenient), ("2026-03-01", None)),
        "a label": (terms(label(1), measure=PercentileMeasure(percentile="50", of=Of.MAX_OF_PERCENTILES)), ("2026-03-10T03:00:00Z", None)),
        "a foreign label": (terms(label(3), measure=lenient), ("2026-01-01", "2026-03-10T20:00:00Z")),
        "a project": (terms(project("p1"), measure=VolumeMeasure()), ("2026-03-10", None)),
        "points": (terms(point(1), point(2), measure=lenient), ("2026-01-01", None)),
        "elsewhere": (terms(point(4), boundary="elsewhere", measure=VolumeMeasure()), ("2026-01-01", None)),
        "a point and another's label": (terms(point(2), label(3), measure=lenient), ("2026-01-01", None)),
        "ended": (terms(label(1)), ("2026-01-01", "2026-02-01")),
    }
    made = [contracts.create(each, lasting, name=name) for name, (each, lasting) in said.items()]
    told: dict[str, Measured | Unmeasured] = {}
    for accept in (False, True):
        told = {each.contract.name: each for each in contracts.measures.measure_all(OPERATOR, made, "2026-03", accept_missing=accept)}
        assert sorted(told) == sorted(said)
        ended = told.pop("ended")
        assert isinstance(ended, Unmeasured)
        assert ended.reason == "period: the contract holds at no time of 2026-03"
        for contract in made[:-1]:
            assert told[contract.name] == contracts.measure(contract, accept_missing=accept), contract.name
    assert any(isinstance(each, Measured) and each.known and each.missing_octets != (0, 0, 0) for each in told.values())


def test_of_many_contracts_a_caller_measures_those_of_its_project(contracts: ContractsOfTests) -> None:
    contracts.meter(LABELS, POINTS, DrawnLedger(18).records)
    made = [contracts.create(terms(label(1))), contracts.create(terms(label(3)), project_id="p2", name="theirs")]
    reader = replace(OPERATOR, project_id="p2", roles=IMPLIED_ROLES[Role.READER])
    assert [each.contract.name for each in contracts.measures.measure_all(reader, made, "2026-03")] == ["theirs"]
