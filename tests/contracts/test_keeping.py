"""The keeping of contracts, on every database: versions, members and their rights, and when there is no percentile."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from typing import Any

import pytest

from tests.contracts.metering import IN, OUT, ContractsOfTests, label, point, project, seconds, terms
from tests.reports.filling import KnownVersion, MeteredRecord, version_id
from tests.support.control_values import OPERATOR, make_given_rule, new_id
from tests.support.databases import open_store
from venturi.core.contracts.periods import PeriodLength
from venturi.core.contracts.samples import rank
from venturi.core.contracts.terms import Contract, Of, PercentileMeasure, Terms
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import IMPLIED_ROLES, Principal, Role
from venturi.core.domain.coverage import Coverage
from venturi.core.domain.errors import (
    ContractNotFoundError,
    DuplicateContractError,
    ForbiddenError,
    InvalidContractError,
    InvalidPeriodError,
    LabelNotFoundError,
    MembersOverlapError,
    PointNotFoundError,
    VenturiError,
)
from venturi.core.domain.interval import format_time, parse_time
from venturi.services.contracts.keeping import ContractChanges, NewContract

LABELS = [KnownVersion(1, "p1"), KnownVersion(2, "p1"), KnownVersion(3, "p2"), KnownVersion(4, "p1", shared=True)]
POINTS = [KnownVersion(1, "p1"), KnownVersion(2, "p2", shared=True), KnownVersion(3, "p1", boundary="elsewhere")]
NIGHT = ("2026-03-10T00:00:00Z", "2026-03-10T02:00:00Z")
"""A contract of 24 samples."""


def caller(role: Role, project_id: str = "p1") -> Principal:
    return Principal(user_id=f"{role} of {project_id}", project_id=project_id, roles=IMPLIED_ROLES[role])


MANAGER, READER = caller(Role.MANAGER), caller(Role.READER)


@pytest.fixture
def contracts(database: str) -> Iterator[ContractsOfTests]:
    with open_store(database) as store:
        yield ContractsOfTests(store, database)


@pytest.fixture
def metered(contracts: ContractsOfTests) -> ContractsOfTests:
    """Contracts on a ledger in which sample n of the night has n × 75 octets of label 1 going in, and 300 of label 3."""
    start = seconds(NIGHT[0])
    records = [
        MeteredRecord(
            number, start + place * 300, start + place * 300 + 300, [(1, IN, 1, place * 75), (3, OUT, 1, 300)] if number == 1 else ()
        )
        for number in (1, 2)
        for place in range(24)
    ]
    contracts.meter(LABELS, POINTS, records)
    return contracts


def changes(**values: Any) -> ContractChanges:  # noqa: ANN401 - fields of changes
    own: dict[str, object] = {name: values.pop(name) for name in ("name", "ends_at") if name in values}
    return ContractChanges(own=own, takes_effect=values.pop("takes_effect", "next"), terms=values)


def refused(error: type[VenturiError], match: str, work: Callable[[], object]) -> None:
    with pytest.raises(error, match=match):
        work()


def test_a_contract_is_kept_as_it_was_agreed(metered: ContractsOfTests) -> None:
    said = terms(label(1), point(2), accepted_overlap="one uplink", unit="Gbit/s", decimals=2)
    made = metered.create(said, ("2026-01-01", "2027-01-01"), zone="Europe/Zurich", first_day=31, period=PeriodLength.QUARTER)
    assert metered.control.find(OPERATOR, made.id) == made
    assert made.versions[0].terms == said
    assert metered.control.list_contracts(READER, Listing()) == [made]
    assert metered.control.list_contracts(caller(Role.READER, "p2"), Listing()) == []
    refused(DuplicateContractError, "has a contract 'c' already", lambda: metered.create(said))
    assert metered.create(said, project_id="p2").name == "c"
    metered.control.delete(OPERATOR, made.id)
    refused(ContractNotFoundError, made.id, lambda: metered.control.find(OPERATOR, made.id))


def test_a_contract_begins_with_the_period_that_is_running(metered: ContractsOfTests) -> None:
    asked = NewContract(name="c", terms=terms(label(1)), project_id="p1", zone="Europe/Zurich", first_day=15)
    assert format_time(metered.control.create(OPERATOR, asked).begins_at) == "2026-11-14T23:00:00Z"


def settled_by(contracts: ContractsOfTests, contract: Contract, period: str) -> tuple[int, str]:
    measured = contracts.measure(contract, period, accept_missing=True)
    return measured.version.number, measured.version.terms.unit


def test_a_period_is_settled_by_the_version_in_force(metered: ContractsOfTests) -> None:
    """The clock stands in November."""
    contract = metered.create(terms(label(1)))
    metered.control.update(OPERATOR, contract.id, changes(unit="bit/s"))
    assert [settled_by(metered, metered.control.find(OPERATOR, contract.id), period) for period in ("2026-03", "2026-11")] == [
        (1, "kbit/s")
    ] * 2
    metered.control.update(OPERATOR, contract.id, changes(unit="Mbit/s", takes_effect="current"))
    metered.control.update(OPERATOR, contract.id, changes(unit="Gbit/s", takes_effect="2026-03"))
    assert settled_by(metered, contract, "2026-02") == (1, "kbit/s")
    assert settled_by(metered, contract, "2026-03") == (4, "Gbit/s")
    assert settled_by(metered, contract, "2026-11") == (4, "Gbit/s")
    kept = metered.control.find(OPERATOR, contract.id)
    assert [format_time(version.since)[:10] for version in kept.versions] == ["2026-01-01", "2026-12-01", "2026-11-01", "2026-03-01"]
    assert (
        metered.control.update(OPERATOR, contract.id, changes(unit="Gbit/s", name="new", ends_at=parse_time("2026-04-01"))).versions
        == kept.versions
    )
    refused(InvalidPeriodError, "holds at no time of 2026-11", lambda: metered.measure(contract, "2026-11"))
    assert metered.measures.measure(OPERATOR, contract.id, "2026-03", accept_missing=True).contract.name == "new"


MAY_NOT: list[tuple[str, Principal, Terms, type[VenturiError], str]] = [
    ("a reader", READER, terms(label(1)), ForbiddenError, "create_contract"),
    ("a manager", MANAGER, terms(label(1)), ForbiddenError, "create_contract"),
    ("no such point", OPERATOR, terms(point(9)), PointNotFoundError, version_id(9)),
    ("no such label", OPERATOR, terms(label(9)), LabelNotFoundError, version_id(9)),
    ("a point of another boundary", OPERATOR, terms(point(3)), InvalidContractError, "members: point 'point 3' is of boundary 'elsewhere'"),
    ("no such boundary", OPERATOR, terms(label(1), boundary="moon"), InvalidContractError, "boundary: no observation point"),
    ("a project and its label", OPERATOR, terms(project("p1"), label(1)), MembersOverlapError, "project:p1 and label:"),
    ("a point and a label there", OPERATOR, terms(point(1), label(1)), MembersOverlapError, "point:.* and label:"),
    ("a shared point and a project", OPERATOR, terms(point(2), project("p9")), MembersOverlapError, "point:.* and project:p9"),
]


@pytest.mark.parametrize(("who", "said", "error", "match"), [case[1:] for case in MAY_NOT], ids=[case[0] for case in MAY_NOT])
def test_members_that_may_not_be(metered: ContractsOfTests, who: Principal, said: Terms, error: type[VenturiError], match: str) -> None:
    refused(error, match, lambda: metered.create(said, caller=who))
    assert metered.control.list_contracts(OPERATOR, Listing()) == []


def test_labels_whose_rules_meet_are_refused_unless_that_is_accepted(metered: ContractsOfTests) -> None:
    with metered.store.writing(OPERATOR) as writer:
        writer.rules.insert(
            [make_given_rule(version_id(1), "ingress remote 10.0.0.0/8"), make_given_rule(version_id(2), "ingress remote 10.1.0.0/16")]
        )
    both = terms(label(1), label(2))
    refused(MembersOverlapError, "may count the same packet", lambda: metered.create(both))
    one = metered.create(terms(label(1)))
    refused(MembersOverlapError, "accepted_overlap", lambda: metered.control.update(OPERATOR, one.id, changes(members=both.members)))
    accepted = metered.create(terms(label(1), label(2), accepted_overlap="a test line"), name="accepted")
    assert accepted.versions[0].terms.accepted_overlap == "a test line"


def test_administrators_keep_contracts_and_the_project_reads_its_own(metered: ContractsOfTests) -> None:
    made = metered.create(terms(label(1), point(1), accepted_overlap="r"), NIGHT)
    metered.control.update(OPERATOR, made.id, changes(decimals=1))
    for each in (READER, MANAGER):
        assert metered.measure(made, caller=each).known == 24
        assert len(metered.measures.samples(each, made.id, "2026-03").samples) == 24
        refused(ForbiddenError, "update_contract", partial(metered.control.update, each, made.id, changes(decimals=2)))
        refused(ForbiddenError, "delete_contract", partial(metered.control.delete, each, made.id))
    stranger = caller(Role.MANAGER, "p2")
    for work in (
        lambda: metered.measure(made, caller=stranger),
        lambda: metered.measures.samples(stranger, made.id, None),
        lambda: metered.control.update(stranger, made.id, changes(decimals=2)),
    ):
        refused(ContractNotFoundError, "does not exist", work)
    metered.control.delete(OPERATOR, made.id)


def test_samples_of_foreign_members_are_shown_if_an_administrator_says_so(metered: ContractsOfTests) -> None:
    made = metered.create(terms(label(1), label(3)), NIGHT)
    assert metered.measure(made, caller=READER).exact == Fraction(22 * 75 * 8, 300)
    refused(ForbiddenError, "members of other projects", lambda: metered.measures.samples(READER, made.id, "2026-03"))
    for refusal in (changes(samples_visible=True), changes(members=(label(1),))):
        refused(ForbiddenError, "update_contract", partial(metered.control.update, MANAGER, made.id, refusal))
    refused(ForbiddenError, "delete_contract", lambda: metered.control.delete(MANAGER, made.id))
    metered.control.update(OPERATOR, made.id, changes(samples_visible=True, takes_effect="2026-03"))
    found = metered.measures.samples(READER, made.id, "2026-03")
    assert [octets for octets, _ in rank(found.samples, Of.EGRESS)] == [300] * 24
    assert metered.measures.samples(OPERATOR, made.id, "2026-03").known == 24


def test_a_deleted_label_stays_a_member(metered: ContractsOfTests) -> None:
    made = metered.create(terms(label(1)), NIGHT)
    with metered.store.writing(OPERATOR) as writer:
        writer.labels.delete_all([version_id(1)])
    assert metered.measure(made).exact == Fraction(22 * 75 * 8, 300)
    assert len(metered.control.update(OPERATOR, made.id, changes(decimals=5)).versions) == 2


@pytest.mark.parametrize(("least", "accept", "refusal"), [("90", False, None), ("92", False, "91.66 % of the samples"), ("92", True, None)])
def test_too_few_known_samples_give_no_percentile(contracts: ContractsOfTests, least: str, accept: bool, refusal: str | None) -> None:
    start = seconds(NIGHT[0])
    states = [Coverage.PARTIAL if place < 2 else Coverage.COMPLETE for place in range(24)]
    records = [
        MeteredRecord(1, start + place * 300, start + place * 300 + 300, [(1, IN, 1, 750)], state, "bypass" if place < 2 else "")
        for place, state in enumerate(states)
    ]
    contracts.meter(LABELS[:1], POINTS[:1], records)
    found = contracts.measure(contracts.create(terms(label(1), measure=PercentileMeasure(least_known=least)), NIGHT), accept_missing=accept)
    assert (found.known, tuple(found.missing_octets)) == (22, (1500, 0, 0))
    if refusal is None:
        assert found.refusal is None
        assert found.exact == 20
    else:
        assert found.refusal is not None
        assert found.refusal.startswith(refusal)
        assert (found.exact, found.figure, found.decision, list(found.lines)) == (None, None, None, [])


def test_a_running_period_is_told_so_far(metered: ContractsOfTests) -> None:
    made = metered.create(terms(label(1)), NIGHT)
    metered.now = parse_time("2026-03-10T01:02:00Z")
    found = metered.measure(made, "current")
    assert (found.so_far, len(found.samples)) == (True, 12)
    assert not metered.measures.measure(OPERATOR, metered.create(terms(label(1)), name="d").id, "previous", accept_missing=True).so_far
    assert metered.measure(made).decision is not None


def test_without_a_point_nothing_is_known(metered: ContractsOfTests) -> None:
    made = metered.create(terms(project("p1")), ("2026-02-10", "2026-02-10T01:00:00Z"))
    found = metered.measure(made, "2026-02", accept_missing=True)
    assert (len(found.samples), found.known, found.refusal) == (12, 0, "no sample is known")
    refused(ContractNotFoundError, "does not exist", lambda: metered.measures.measure(OPERATOR, new_id(), None))


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("zone", {"zone": "Mars/Olympus"}),
        ("zone", {"zone": "../etc/passwd"}),
        ("begins_at", {"lasting": ("2026-01-01T00:01:00Z", None)}),
        ("ends_at", {"lasting": ("2026-01-01", "2025-01-01")}),
    ],
)
def test_what_cannot_be_is_refused_by_field(metered: ContractsOfTests, field: str, given: dict[str, Any]) -> None:
    refused(InvalidContractError, f"^{field}: ", lambda: metered.create(terms(label(1)), **given))
