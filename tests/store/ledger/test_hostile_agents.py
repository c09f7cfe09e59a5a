"""What an agent says of what it was not told changes no figure of anybody, whoever posts it: all that was seen to go wrong, by name."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest

from tests.support.batches import SpoolOfTests, make_interval, part_usage
from tests.support.control_values import OPERATOR, new_id
from tests.support.ledgers import LedgerOfTests
from tests.support.telling import TellingServer
from venturi.adapters.store.ledger.held import HeldSelection
from venturi.adapters.store.ledger.proving.proof import prove_ledger
from venturi.adapters.store.store import Store
from venturi.core.domain.control.principal import IMPLIED_ROLES, Principal, Role
from venturi.core.domain.interval import SECOND, Nanoseconds
from venturi.core.domain.label import MeteringLabel
from venturi.core.domain.point import InterfacePlace, ObservationPoint, RouterPlace
from venturi.core.ledger.batch import HIGHEST, BatchLabel, BatchPoint, DirectionTotals, MeteredInterval
from venturi.core.ledger.bins import DAY, HOUR
from venturi.services.ledger.configuration import LedgerConfig
from venturi.services.reports.reporting import UsageReports
from venturi.services.reports.request import Grouping, Resolution, UsageRequest
from venturi.services.reports.rows import ReportInterval

AGENT_2 = Principal(user_id="agent", project_id="p2", roles=IMPLIED_ROLES[Role.AGENT], agent_id="agent-2", host="edge-2")
READER_1, READER_2 = (Principal(user_id="r", project_id=name, roles=IMPLIED_ROLES[Role.READER]) for name in ("p1", "p2"))
MINUTE = 60 * SECOND
GAP: dict[str, Any] = {"coverage": "gap", "reason": "device_gone", "generation": "", "classifier": "", "revision": 0}


@dataclass
class Site:
    """Two hosts that were told what they meter: ``edge-1`` of ``p1``, whose agent has posted honest usage, and ``edge-2`` of ``p2``."""

    ledger: LedgerOfTests
    server: TellingServer
    beginning: int
    label: MeteringLabel
    point: ObservationPoint
    foreign_label: MeteringLabel
    foreign_point: ObservationPoint

    def __post_init__(self) -> None:
        """Begin the spools of both agents."""
        self.honest = self.spool(1, self.point, self.label)
        self.hostile = self.spool(2, self.foreign_point, self.foreign_label)

    def spool(self, number: int, point: ObservationPoint, *labels: MeteringLabel) -> SpoolOfTests:
        """Give a spool of the agent of a host, whose batches have these points and labels."""
        named = [BatchLabel(label.id, label.name, label.project_id, label.shared) for label in labels]
        points = [BatchPoint(point.id, point.name, point.project_id, point.shared, point.kind.value)]
        return SpoolOfTests(f"agent-{number}", f"edge-{number}", points=points, labels=named)

    def interval(self, host: str, minute: int = 0, octets: int = 100, **others: Any) -> MeteredInterval:  # noqa: ANN401 - fields of an interval
        """Give the interval of a minute, metered as the plan of a host says."""
        plan = self.server.tell(host)
        start = self.beginning + minute * MINUTE
        given: dict[str, Any] = {"start": start, "end": start + MINUTE, "classifier": plan.points[0].classifier, "revision": plan.revision}
        return make_interval(usage=others.pop("usage", [(0, 0, 1, octets)]), **(given | others))

    def reports(self, *readers: Principal) -> list[list[ReportInterval]]:
        """Give the reports that readers get, of usage and totals, by 5 minutes and in all."""
        reports = UsageReports(self.ledger.store, lambda: self.ledger.now)
        found = []
        for reader in readers:
            for resolution in (Resolution.FIVE_MINUTES, Resolution.TOTAL):
                bounds = self.beginning - HOUR, self.beginning + 2 * HOUR
                by_point = UsageRequest(start=bounds[0], end=bounds[1], resolution=resolution, group_by=(Grouping.POINT,))
                ways = ((Grouping.LABEL, Grouping.POINT), (Grouping.PROJECT,))
                found += [list(reports.usage(reader, replace(by_point, group_by=group_by))) for group_by in ways]
                found.append(list(reports.point_totals(reader, by_point)))
        return found

    def figures(self) -> object:
        """Give all figures that anybody gets, whatever their coverage is."""
        found = self.reports(OPERATOR, READER_2)
        return [[[(row.group, tuple(row.counts)) for row in interval.rows] for interval in report] for report in found]

    def held(self) -> list[str]:
        """List the reasons of what is held."""
        return [reason for _, _, reason in self.ledger.held_reasons()]


@pytest.fixture
def site(store: Store) -> Site:
    now = time.time_ns()
    beginning = now // HOUR * HOUR
    server = TellingServer(store)
    site = Site(
        LedgerOfTests(store, LedgerConfig(), Nanoseconds(beginning + 2 * HOUR)),
        server,
        beginning,
        server.label("private"),
        server.point(InterfacePlace(host="edge-1", device="eth0")),
        server.label("foreign", project_id="p2"),
        server.point(InterfacePlace(host="edge-2", device="eth0"), project_id="p2"),
    )
    site.ledger.post(site.honest.seal(*(site.interval("edge-1", minute, 22) for minute in range(10))))
    site.ledger.post(site.hostile.seal(site.interval("edge-2", 0, 5)))
    return site


Claimed = Callable[[Site, SpoolOfTests], list[MeteredInterval]]


def _private_usage(site: Site, spool: SpoolOfTests) -> list[MeteredInterval]:
    spool.points, spool.labels = site.honest.points, site.honest.labels
    return [site.interval("edge-1", 20, 777), site.interval("edge-1", 3, 777)]


def _nonexistent_label(site: Site, spool: SpoolOfTests) -> list[MeteredInterval]:
    spool.labels = [*spool.labels, BatchLabel(new_id(), "never", "p1", shared=True)]
    return [site.interval("edge-2", 1, usage=[(1, 0, 1, 100)])]


def _private_label(site: Site, spool: SpoolOfTests) -> list[MeteredInterval]:
    spool.labels = [*spool.labels, *site.honest.labels]
    return [site.interval("edge-2", 1, usage=[(0, 0, 1, 100), (1, 0, 1, 100)])]


def _foreign_gap(site: Site, spool: SpoolOfTests) -> list[MeteredInterval]:
    spool.points = site.honest.points
    return [site.interval("edge-1", 3, usage=[], **GAP), site.interval("edge-1", 30, usage=[], **GAP)]


def _in_1970(site: Site, _: SpoolOfTests) -> list[MeteredInterval]:
    return [site.interval("edge-2", start=0, end=MINUTE)]


def _before_the_plan(site: Site, _: SpoolOfTests) -> list[MeteredInterval]:
    return [site.interval("edge-2", start=site.beginning - DAY - HOUR, end=site.beginning)]


def _same_again(site: Site, _: SpoolOfTests) -> list[MeteredInterval]:
    return [site.interval("edge-2", 0, 5), site.interval("edge-2", 0, 5)]


def _renamed(site: Site, spool: SpoolOfTests) -> list[MeteredInterval]:
    spool.points = [msgspec.structs.replace(site.honest.points[0], name="mine", project_id="p2")]
    spool.labels = [msgspec.structs.replace(site.honest.labels[0], name="mine", project_id="p2", shared=True)]
    return [site.interval("edge-1", 20)]


def _nowhere(site: Site, spool: SpoolOfTests) -> list[MeteredInterval]:
    spool.points = [BatchPoint(new_id(), "nowhere", "p1", shared=True, kind="router")]
    return [site.interval("edge-2")]


def _highest_numbers_for_a_day(site: Site, spool: SpoolOfTests) -> list[MeteredInterval]:
    spool.points, spool.labels = site.honest.points, []
    bounds: dict[str, Any] = {"start": site.beginning - HOUR, "end": site.beginning + 23 * HOUR}
    return [site.interval("edge-1", usage=[], totals=[DirectionTotals(0, HIGHEST, HIGHEST, HIGHEST, HIGHEST)], **bounds)]


def _unknown_revision(site: Site, _: SpoolOfTests) -> list[MeteredInterval]:
    return [site.interval("edge-2", 1, revision=10**6)]


def _unknown_classifier(site: Site, _: SpoolOfTests) -> list[MeteredInterval]:
    return [site.interval("edge-2", 1, classifier="c" * 64)]


def _own_label_as_another_project(site: Site, spool: SpoolOfTests) -> list[MeteredInterval]:
    spool.labels = [msgspec.structs.replace(spool.labels[0], project_id="p1")]
    return [part_usage(site.interval("edge-2", 1), spool.labels)]


FORGED: dict[str, tuple[Claimed, str]] = {
    "usage of another project's private label at a private point": (_private_usage, "untold_point"),
    "usage of a label that never existed": (_nonexistent_label, "untold_label"),
    "usage of another project's private label at its own point": (_private_label, "untold_label"),
    "a gap at a foreign point": (_foreign_gap, "untold_point"),
    "an interval in 1970": (_in_1970, "before_plan"),
    "an interval before the plan": (_before_the_plan, "before_plan"),
    "the same interval again": (_same_again, "overlapping"),
    "other names for another project's point and label": (_renamed, "untold_point"),
    "what another project used, by its own label": (_own_label_as_another_project, "untold_label"),
    "a point that never existed": (_nowhere, "untold_point"),
    "the highest numbers for a day": (_highest_numbers_for_a_day, "untold_point"),
    "a revision that there is not": (_unknown_revision, "unknown_revision"),
    "a classifier that there is not": (_unknown_classifier, "unknown_classifier"),
}


@pytest.mark.parametrize("caller", [AGENT_2, OPERATOR], ids=["by the token of an agent", "by an administrator"])
@pytest.mark.parametrize(("forge", "reason"), FORGED.values(), ids=FORGED.keys())
def test_no_figure_changes_by_what_an_agent_was_not_told(site: Site, database: str, forge: Claimed, reason: str, caller: Principal) -> None:
    before, figures = site.reports(READER_1), site.figures()
    spool = site.hostile.fork()
    spool.spool_id, spool.sealed = new_id().replace("-", ""), []
    intervals = forge(site, spool)
    answer = site.ledger.post(spool.seal(*intervals), caller=caller)
    assert (answer.posting, site.held()) == (3, [reason] * len(intervals))
    assert site.reports(READER_1) == before
    assert site.figures() == figures
    assert site.ledger.alarms == ["held"]
    sentence = site.ledger.sentences[-1]
    assert all(word in sentence for word in ("agent-2", "edge-2", spool.points[0].id, reason))
    site.ledger.post(site.honest.seal(*(site.interval("edge-1", minute, 22) for minute in range(10, 40))))
    assert site.held() == [reason] * len(intervals)
    prove_ledger(database)
    site.ledger.held.reject(OPERATOR, "forged", HeldSelection(agent_ids=["agent-2"]))
    prove_ledger(database)


def test_the_highest_numbers_block_nobody(site: Site) -> None:
    """Of the own point they are above the line rate, of another's they are nothing that was told."""
    spool = site.hostile.fork()
    for interval in (*_highest_numbers_for_a_day(site, spool), site.interval("edge-2", 1, HIGHEST)):
        site.ledger.post(spool.seal(interval))
        spool.points, spool.labels = site.hostile.points, site.hostile.labels
    assert site.held() == ["untold_point", "above_line_rate"]
    site.ledger.post(site.honest.seal(site.interval("edge-1", 20, 22)))
    site.ledger.post(spool.seal(site.interval("edge-2", 2, 5)))
    assert len(site.held()) == 2


def test_names_are_those_of_the_store(site: Site) -> None:
    honest = site.honest
    honest.points = [msgspec.structs.replace(honest.points[0], name="mine", shared=True)]
    honest.labels = [msgspec.structs.replace(honest.labels[0], name="mine", project_id="p2", shared=True)]
    site.ledger.post(honest.seal(site.interval("edge-1", 10, 22)))
    assert site.held() == []
    with site.ledger.store.reading() as reader:
        assert {(label.name, label.project_id, label.shared) for label in reader.usage.label_versions()} == {
            ("private", "p1", False),
            ("foreign", "p2", False),
        }
        assert {point.name for point in reader.usage.point_versions()} == {"uplink"}


def test_labels_that_nothing_counts_for_are_not_even_kept(site: Site) -> None:
    """A batch may list what it likes: only what has usage that counts is in reports."""
    spool = site.hostile
    spool.labels = [*spool.labels, BatchLabel(site.label.id, "mine", "p2", shared=True)]
    site.ledger.post(spool.seal(site.interval("edge-2", 60, 0, usage=[])))
    with site.ledger.store.reading() as reader:
        assert {label.name for label in reader.usage.label_versions()} == {"private", "foreign"}


def test_an_interval_is_held_whole_and_others_of_the_batch_count(site: Site, database: str) -> None:
    spool = site.hostile
    spool.labels = [*spool.labels, *site.honest.labels]
    mixed = site.interval("edge-2", 2, usage=[(0, 0, 1, 100), (1, 0, 1, 100)])
    site.ledger.post(spool.seal(site.interval("edge-2", 1, 7), mixed, site.interval("edge-2", 3, 7)))
    assert site.held() == ["untold_label"]
    with site.ledger.store.reading() as reader:
        (own,) = [label.version for label in reader.usage.label_versions() if label.name == "foreign"]
    assert own
    assert site.ledger.usage(site.foreign_label.id, 3600) != {}
    assert sum(octets for _, octets in site.ledger.usage(site.foreign_label.id).values()) == 5 + 7 + 7
    prove_ledger(database)


def test_held_time_is_a_gap_at_a_point_that_the_host_was_told_where_nothing_else_is_known(site: Site) -> None:
    spool = site.hostile
    site.ledger.post(spool.seal(site.interval("edge-2", 1, 10**15), *(site.interval("edge-2", minute, 5) for minute in range(2, 10))))
    site.ledger.post(spool.seal(site.interval("edge-2", 5, 7)))
    reports = UsageReports(site.ledger.store, lambda: site.ledger.now)
    request = UsageRequest(
        start=site.beginning, end=site.beginning + 10 * MINUTE, resolution=Resolution.FIVE_MINUTES, group_by=(Grouping.POINT,)
    )
    found = list(reports.usage(READER_2, request))
    assert [(interval.coverage.state.value, interval.coverage.reason_names) for interval in found] == [("gap", ["held"]), ("complete", [])]


def test_a_router_is_reported_by_its_hosts_and_the_first_that_counts_is_one(site: Site, database: str) -> None:
    router = site.server.point(RouterPlace(router_id="r1"), shared=True, name="router")
    plan = site.server.tell("edge-1")
    claimed: dict[str, Any] = {"classifier": {each.id: each.classifier for each in plan.points}[router.id], "revision": plan.revision}
    for number, reasons in ((1, []), (2, ["other_host"])):
        spool = site.spool(number, router, site.label)
        site.ledger.post(spool.seal(site.interval("edge-1", 5, **claimed, usage=[(0, 0, 1, 22)])))
        assert site.held() == reasons
    assert site.ledger.alarms == ["router_host", "held"]
    site.server.change(replace(router, place=RouterPlace(router_id="r1", hosts=("edge-1", "edge-2"))))
    site.ledger.held.accept(OPERATOR, "it meters the router too", HeldSelection(agent_ids=["agent-2"]))
    site.ledger.post(site.spool(2, router, site.label).seal(site.interval("edge-1", 6, **claimed, usage=[(0, 0, 1, 22)])))
    assert site.held() == []
    assert sum(octets for _, octets in site.ledger.usage(site.label.id).values()) == 10 * 22 + 3 * 22
    prove_ledger(database)


def test_usage_of_what_was_deleted_since_stays_welcome(site: Site) -> None:
    interval = site.interval("edge-1", 10, 22)
    site.server.delete(site.label, site.point)
    site.ledger.post(site.honest.seal(interval))
    assert site.held() == []


def octets_by_boundary(site: Site) -> list[tuple[str | None, int]]:
    """Give what counted at the honest point, by boundary."""
    start, end, wanted = site.beginning - HOUR, site.beginning + 2 * HOUR, frozenset({site.point.id})
    request = UsageRequest(start=start, end=end, resolution=Resolution.TOTAL, group_by=(Grouping.POINT,), point_ids=wanted)
    (interval,) = UsageReports(site.ledger.store, lambda: site.ledger.now).usage(OPERATOR, request)
    return [(row.group.boundary, row.counts[1]) for row in interval.rows]


def test_a_boundary_is_kept_as_it_was_when_the_interval_ended(site: Site) -> None:
    before = site.interval("edge-1", -5, 5)
    site.server.change(replace(site.point, named_boundary="uplinks"))
    site.ledger.post(site.honest.seal(before, site.interval("edge-1", 90, 7)))
    assert octets_by_boundary(site) == [(site.point.id, 225), ("uplinks", 7)]


def test_by_a_plan_file_the_boundary_is_the_present_one(site: Site) -> None:
    site.ledger.config = LedgerConfig(plan_file_hosts=("edge-1",))
    before = site.interval("edge-1", -5, 5)
    site.server.change(replace(site.point, named_boundary="uplinks"))
    site.ledger.post(site.honest.seal(before))
    assert octets_by_boundary(site) == [(site.point.id, 220), ("uplinks", 5)]


def test_the_line_rate_of_a_point_goes_before_the_default(site: Site) -> None:
    site.server.change(replace(site.foreign_point, line_rate=8_000))
    site.ledger.post(site.hostile.seal(site.interval("edge-2", 1, 61_000), site.interval("edge-2", 2, 61_001)))
    assert site.held() == ["above_line_rate"]


def test_projects_hear_of_what_is_held_of_their_labels_at_a_point_of_another(site: Site) -> None:
    others = [site.server.label(f"other {number}", project_id=f"q{number:02}") for number in range(25)]
    router = site.server.point(RouterPlace(router_id="r1"), shared=True, name="router")
    plan = site.server.tell("edge-1")
    claimed: dict[str, Any] = {"classifier": {each.id: each.classifier for each in plan.points}[router.id], "revision": plan.revision}
    spool = site.spool(1, router, site.label, *others)
    for usage in ([(0, 0, 1, 22)], [(0, 0, 1, 22), (1, 0, 1, 22)], [(number, 0, 1, 22) for number in range(26)]):
        site.ledger.post(spool.seal(site.interval("edge-1", 5, **claimed, usage=usage)))
    assert site.held() == ["overlapping"] * 2
    assert site.ledger.alarms == ["router_host", *["held"] * (1 + 1 + 1 + 20)]
    told = [sentence for sentence in site.ledger.sentences if "labels of project" in sentence]
    assert "an interval that agent 'agent-1' posted (posting 4) with usage of labels of project 'q00' count nowhere until" in told[0]
    assert [sentence.partition("of project '")[2][:3] for sentence in told[1:]] == [f"q{number:02}" for number in range(20)]
