"""What hosts were told, as the ledger checks it: points, classifiers and labels, at the revisions at which they were in plans.

Owns the look-ups. What is recorded, and when, is for ``telling``; what becomes of an interval that fails is for the services.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from sqlalchemy import Connection

from venturi.adapters.store.ledger.told_labels import ToldLabels
from venturi.adapters.store.ledger.told_points import PointState, find_states
from venturi.adapters.store.ledger.told_reading import RecordVersion, find_sinces, find_times, read_version
from venturi.adapters.store.tables.label_changes import LabelScope, last_label_changes
from venturi.core.domain.errors import StoreError
from venturi.core.domain.interval import Nanoseconds
from venturi.core.domain.point import PointKind
from venturi.core.ledger.batch import BatchLabel, BatchPoint
from venturi.core.ledger.trust import HeldReason

_MOST_REMEMBERED = 50_000


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What an interval of a batch says it was counted by.

    ``classifier`` is the digest in hexadecimal digits and ``revision`` the one at which it came into force; both are empty or 0 in a gap.
    ``label_ids`` are the labels of its usage. ``counted`` says whether it counted any packet. ``end`` is the time of its end.
    """

    point_id: str
    classifier: str
    revision: int
    label_ids: frozenset[str]
    counted: bool
    end: Nanoseconds


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is known of a claim: ``problem`` is None if the host was told what it says.

    ``point`` and ``labels`` (by id, at least those of the claim) are as they were in the store when the interval ended, while what the
    host was told held; without a problem, ``point`` None means that the host meters by a plan file, and what its batch says is believed.
    ``told_since`` is the server's time of the first revision whose plan of the host had the point; None if there was none, or for a plan
    file. ``line_rate`` is the present setting of the point in bits per second, None if it has none; ``boundary`` is the one that an
    operator had named when the interval ended, for a plan file the present one, empty for the default.
    """

    problem: HeldReason | None
    point: BatchPoint | None = None
    labels: Mapping[str, BatchLabel] = field(default_factory=dict)
    told_since: Nanoseconds | None = None
    line_rate: int | None = None
    boundary: str = ""


BY_PLAN_FILE = Told(problem=None)
"""What is known of every claim of a host that meters by a plan file."""

_Key = tuple[str, str, str, int]
"""What a standing depends on: the host, and point, classifier and revision of a claim."""


@dataclass(frozen=True, kw_only=True)
class _Standing:
    """What a host was told of a point, from a time on: the point, and the labels as they stood since a revision; None for a gap.

    ``free`` says that it was told only because the router had no host.
    """

    at: Nanoseconds
    point: BatchPoint
    scope: LabelScope
    since: int | None
    free: bool
    boundary: str


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What is known of claims that differ in labels, counts and time alone; ``others`` says that other hosts meter the router now."""

    problem: HeldReason | None
    standings: Sequence[_Standing] = ()
    others: bool = False
    told_since: Nanoseconds | None = None
    line_rate: int | None = None

    def choose(self, claim: Claim) -> "_Standing | HeldReason":
        """Give what held at the end of a claim's interval, or say why nothing did."""
        if self.problem is not None:
            return self.problem
        standings = [each for each in self.standings if not (each.free and self.others and claim.counted)]
        if not standings:
            return HeldReason.OTHER_HOST
        return next((each for each in reversed(standings) if each.at <= claim.end), standings[0])


class ToldMemory:
    """What was looked up before; for one thread at a time."""

    def __init__(self) -> None:
        self._version: RecordVersion | None = None
        self.known: dict[_Key, _Known] = {}
        self.labels = ToldLabels()

    @property
    def seen(self) -> int:
        """The latest revision when this was asked last."""
        return 0 if self._version is None else self._version.latest

    def begin(self, version: RecordVersion) -> None:
        """Take up the state of the record; forget what may be otherwise by it, or everything if the database was put back."""
        if self._version is not None and version.seen_at != self._version.latest_at:
            self.labels = ToldLabels()
        if self._version is None or version.content != self._version.content or len(self.known) > _MOST_REMEMBERED:
            self.known = {}
        self._version = version


class ToldRecord:
    """The record of what hosts were told, as one transaction sees it."""

    def __init__(self, connection: Connection, memory: ToldMemory) -> None:
        """Look up by ``connection`` what ``memory`` does not know."""
        self._connection = connection
        self._memory = memory

    def find(self, host: str, claims: Sequence[Claim]) -> list[Told]:
        """Say of each claim of ``host``, in order, whether the host was told so; the statements do not grow with their number.

        Raises ``StoreError`` while the record of a revision that is needed is still being worked out.
        """
        version = read_version(self._connection, self._memory.seen)
        self._memory.begin(version)
        keys = [(host.lower(), claim.point_id, claim.classifier, claim.revision) for claim in claims]
        self._learn(version, [key for key in dict.fromkeys(keys) if key not in self._memory.known])
        known = [self._memory.known[key] for key in keys]
        chosen = [each.choose(claim) for each, claim in zip(known, claims, strict=True)]
        labels = self._memory.labels
        labels.learn(
            self._connection,
            (
                (standing.scope, standing.since, claim.label_ids)
                for standing, claim in zip(chosen, claims, strict=True)
                if isinstance(standing, _Standing) and standing.since is not None
            ),
        )
        return [self._tell(claim, each, standing) for claim, each, standing in zip(claims, known, chosen, strict=True)]

    def _tell(self, claim: Claim, known: _Known, standing: _Standing | HeldReason) -> Told:
        if isinstance(standing, HeldReason):
            return Told(problem=standing, told_since=known.told_since, line_rate=known.line_rate)
        found = {} if standing.since is None else self._memory.labels.found(standing.scope, standing.since)
        problem = None if claim.label_ids <= found.keys() else HeldReason.UNTOLD_LABEL
        return Told(
            problem=problem,
            point=standing.point,
            labels=found,
            told_since=known.told_since,
            line_rate=known.line_rate,
            boundary=standing.boundary,
        )

    def _learn(self, version: RecordVersion, keys: Collection[_Key]) -> None:
        """Look up what is known of claims."""
        if not keys:
            return
        states = find_states(self._connection, {point_id for _, point_id, _, _ in keys})
        asked = [_Question.of(key, states.get(key[1], ()), version.latest) for key in keys]
        classified = [(question, state) for question in asked for state in question.candidates if question.classifier]
        sinces = find_sinces(
            self._connection, {question.classifier for question, _ in classified}, {state.scope for _, state in classified}
        )
        began = {(state.scope, max(state.since, question.revision)) for question, state in classified}
        changes = last_label_changes(self._connection, began)
        for question in asked:
            question.classify(version, sinces, changes)
        times = find_times(self._connection, {number for question in asked for number in question.numbers()})
        self._memory.known |= {question.key: question.answer(times) for question in asked}


@dataclass(kw_only=True)
class _Question:
    """What is asked about claims of one key, on its way to an answer."""

    key: _Key
    problem: HeldReason | None
    told: Sequence[PointState] = ()
    candidates: Sequence[PointState] = ()
    others: bool = False
    line_rate: int | None = None
    found: list[tuple[PointState, int, int | None]] = field(default_factory=list)
    """Each state that held, with the revision from which on it did and the one since which its labels stood."""

    @property
    def classifier(self) -> str:
        """The digest that is claimed, empty in a gap."""
        return self.key[2]

    @property
    def revision(self) -> int:
        """The revision that is claimed."""
        return self.key[3]

    @classmethod
    def of(cls, key: _Key, states: Sequence[PointState], latest: int) -> "_Question":
        """Find which of the states of a point the host was told, and which of them held at the revision that is claimed or later."""
        host, revision = key[0], key[3]
        told = [state for state in states if state.is_told(host)]
        line_rate = states[-1].line_rate if states else None
        if revision > latest:
            return cls(key=key, problem=HeldReason.UNKNOWN_REVISION, told=told, line_rate=line_rate)
        candidates = [state for state in told if state.until is None or state.until > revision]
        problem = None
        if not candidates:
            problem = HeldReason.OTHER_HOST if states and states[-1].point.kind == PointKind.ROUTER else HeldReason.UNTOLD_POINT
        others = bool(states) and not states[-1].is_told(host)
        return cls(key=key, problem=problem, told=told, candidates=candidates, others=others, line_rate=line_rate)

    def classify(
        self, version: RecordVersion, sinces: Mapping[tuple[LabelScope, str], Sequence[int]], changes: Mapping[tuple[LabelScope, int], int]
    ) -> None:
        """Find when the classifier was in force at the point; raises ``StoreError`` if that may still be found out."""
        for state in self.candidates:
            began = max(state.since, self.revision)
            if not self.classifier:
                self.found.append((state, began, None))
                continue
            known, first = sinces.get((state.scope, self.classifier), ()), changes[state.scope, began]
            if first in known:
                self.found.append((state, began, first))
            self.found += [(state, since, since) for since in known if began < since and (state.until is None or since < state.until)]
        if self.candidates and not self.found:
            if any(version.is_missing(max(state.since, self.revision), state.until) for state in self.candidates):
                message = "what hosts were told at that revision is still being worked out; try again"
                raise StoreError(message)
            self.problem = HeldReason.UNKNOWN_CLASSIFIER

    def numbers(self) -> Iterable[int]:
        """Give the revisions whose times the answer needs."""
        if self.told:
            yield self.told[0].since
        yield from (began for _, began, _ in self.found)

    def answer(self, times: Mapping[int, Nanoseconds]) -> _Known:
        """Give what is known, once the times of revisions are."""
        standings = [
            _Standing(
                at=times.get(began, Nanoseconds(0)),
                point=state.point,
                scope=state.scope,
                since=since,
                free=state.free,
                boundary=state.boundary,
            )
            for state, began, since in sorted(self.found, key=itemgetter(1))
        ]
        return _Known(
            problem=self.problem,
            standings=standings,
            others=self.others,
            told_since=times.get(self.told[0].since) if self.told else None,
            line_rate=self.line_rate,
        )
