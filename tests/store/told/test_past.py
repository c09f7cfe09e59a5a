"""What was told before there was a record: worked out in pieces, each for good, and asked for again until then."""

import random
import threading
from dataclasses import replace

import pytest
from sqlalchemy import delete, select, update

from tests.support.control_values import OPERATOR, make_given_rule, make_label
from tests.support.databases import writing_connection
from tests.support.telling import TellingServer
from venturi.adapters.store.ledger.told import Claim
from venturi.adapters.store.ledger.told_history import HistoryWalk
from venturi.adapters.store.schema.tables import REVISION_COUNTER, TOLD_CLASSIFIERS, TOLD_STATE
from venturi.adapters.store.store import Store, StoreWriter
from venturi.adapters.store.tables.label_changes import last_label_changes
from venturi.core.classify.digest import digest_of, normal_forms
from venturi.core.domain.errors import StoreError
from venturi.core.domain.label import MeteringLabel
from venturi.core.domain.point import InterfacePlace
from venturi.core.ledger.trust import HeldReason
from venturi.core.rules.given_rule import GivenRule
from venturi.services.control.planning.past import PastPlans

PROJECTS = ("p1", "p2")


@pytest.fixture
def server(store: Store) -> TellingServer:
    return TellingServer(store)


def forget_record(database: str) -> None:
    """Leave a database as it is just after the upgrade: nothing is recorded, all of it is history."""
    with writing_connection(database) as connection:
        connection.execute(delete(TOLD_CLASSIFIERS))
        connection.execute(update(TOLD_STATE).values(history_end=select(REVISION_COUNTER.c.number).scalar_subquery(), worked_out=0))


class Life:
    """Labels and rules that are changed by chance."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - no secret
        self._labels: list[MeteringLabel] = []
        self._rules: list[GivenRule] = []

    def change(self, writer: StoreWriter) -> None:
        """Change one thing in a transaction."""
        changes = [self._make, self._rule, self._rule, self._unrule, self._share, self._rename, self._delete]
        change = self._chance.choice(changes) if self._labels and self._rules else self._make
        change(writer)

    def _make(self, writer: StoreWriter) -> None:
        label = make_label(project_id=self._chance.choice(PROJECTS), shared=self._chance.random() < 0.3)
        writer.labels.insert([label])
        self._labels.append(label)
        self._rule(writer)

    def _rule(self, writer: StoreWriter) -> None:
        rule = make_given_rule(self._chance.choice(self._labels).id, f"egress source 10.0.{self._chance.randint(0, 3)}.0/24")
        writer.rules.insert([rule])
        self._rules.append(rule)

    def _unrule(self, writer: StoreWriter) -> None:
        rule = self._rules.pop(self._chance.randrange(len(self._rules)))
        writer.rules.delete(rule.id)

    def _share(self, writer: StoreWriter) -> None:
        place = self._chance.randrange(len(self._labels))
        self._labels[place] = replace(self._labels[place], shared=not self._labels[place].shared)
        writer.labels.update(self._labels[place])

    def _rename(self, writer: StoreWriter) -> None:
        writer.labels.update(replace(self._chance.choice(self._labels), name=str(self._chance.random())))

    def _delete(self, writer: StoreWriter) -> None:
        label = self._labels.pop(self._chance.randrange(len(self._labels)))
        self._rules = [rule for rule in self._rules if rule.metering_label_id != label.id]
        writer.labels.delete(label.id)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_past_is_what_plans_said(server: TellingServer, database: str, seed: int) -> None:
    for number, project in enumerate((*PROJECTS, "p3")):
        server.point(InterfacePlace(host="h1", device=f"eth{number}"), project_id=project, shared=project == "p3")
    life = Life(seed)
    for number in range(25):
        with server.store.writing(OPERATOR) as writer:
            for _ in range(1 + number % 3):
                life.change(writer)
    forget_record(database)
    past, walk = PastPlans(server.store, piece=4), None
    while (walk := past.work(walk)) is not None:
        pass
    with server.store.reading() as reader:
        latest = reader.revisions.latest()
        told = {
            (None if row.shared else row.project_id, row.since): row.classifier
            for row in reader.connection.execute(TOLD_CLASSIFIERS.select())
        }
        for revision in range(latest + 1):
            labels = reader.revisions.labels_at(revision)
            for scope in (*PROJECTS, None):
                applying = [
                    rule.rule for label, rules in labels if scope is None or label.shared or label.project_id == scope for rule in rules
                ]
                since = last_label_changes(reader.connection, [(scope, revision)])[scope, revision]
                assert told[scope, since] == digest_of(normal_forms(applying)), (scope, revision)


def claims_of_the_past(server: TellingServer) -> list[Claim]:
    """Tell a host of one label after another, and give what its agent claims by each plan."""
    point = server.point()
    return [server.claim("h1", point, server.label(f"label {number}")) for number in range(6)]


def test_a_batch_that_needs_what_is_not_worked_out_is_asked_for_again(server: TellingServer, database: str) -> None:
    claims = claims_of_the_past(server)
    forget_record(database)
    past = PastPlans(server.store, piece=4)
    for claim in claims:
        with pytest.raises(StoreError, match="still being worked out; try again"):
            server.find("h1", claim)
    assert past.work() is not None
    answers: list[str | None] = []
    for claim in claims:
        try:
            answers.append(server.find("h1", claim)[0].problem)
        except StoreError:
            answers.append("again")
    assert answers == [None, None, None, None, "again", "again"]
    while past.work() is not None:
        pass
    assert [told.problem for told in server.find("h1", *claims)] == [None] * 6
    wrong = replace(claims[0], classifier="b" * 64)
    assert server.ask("h1", wrong).problem == HeldReason.UNKNOWN_CLASSIFIER


def test_what_was_told_since_needs_no_past(server: TellingServer, database: str) -> None:
    old = claims_of_the_past(server)[-1]
    forget_record(database)
    started_anew = TellingServer(server.store)
    new = replace(old, revision=started_anew.tell().revision)
    assert started_anew.ask("h1", new).problem is None


def test_a_server_killed_half_way_goes_on_where_it_was(server: TellingServer, database: str) -> None:
    claims = claims_of_the_past(server)
    forget_record(database)
    done = [PastPlans(server.store, piece=2).work() for _ in range(2)]
    assert [walk.reached for walk in done if walk is not None] == [3, 5]
    rows = server.count(TOLD_CLASSIFIERS)
    threads_before = threading.active_count()
    past = PastPlans(server.store, piece=2)
    past.start()
    past._thread.join(60) if past._thread else None
    assert server.count(TOLD_CLASSIFIERS) > rows
    past.stop()
    assert threading.active_count() == threads_before
    assert [told.problem for told in server.find("h1", *claims)] == [None] * 6


def test_two_servers_work_out_the_past_together(server: TellingServer, database: str) -> None:
    claims = claims_of_the_past(server)
    forget_record(database)
    walks: list[HistoryWalk | None] = [None, None]
    pasts = [PastPlans(server.store, piece=1), PastPlans(server.store, piece=2)]
    for _ in range(20):
        walks = [past.work(walk) for past, walk in zip(pasts, walks, strict=True)]
    assert walks == [None, None]
    assert [told.problem for told in server.find("h1", *claims)] == [None] * 6
