"""The making of plans: the points of a host and a classifier for each set of labels that applies at any of them.

Owns what is computed once and shared by all hosts, and that what a host is told is recorded before it is told. Leases, waiting and policy
are for ``plans``.
"""

import hashlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

import msgspec

from venturi.adapters.store.ledger.telling import ToldClassifier
from venturi.adapters.store.store import Store, StoreReader
from venturi.core.classify.digest import digests_of, normal_form
from venturi.core.domain.control.revision import LatestRevision
from venturi.core.domain.interval import Nanoseconds
from venturi.core.domain.label import LabelWithRules
from venturi.services.control.planning.form import PLAN_VERSION, planned_label, planned_point, planned_rule
from venturi.services.control.planning.pieces import Piece, deflate
from venturi.services.control.points_labels import read_applicable

_ENCODER = msgspec.json.Encoder()
_AHEAD_SECONDS = 0.2
"""How long a plan may wait for what other plans of its revision will tell, so that few transactions record it."""


@dataclass(frozen=True, kw_only=True)
class MadePlan:
    """A plan ready to be sent: ``pieces`` are its JSON text, ``content`` identifies all of it but the number of the revision."""

    host: str
    latest: LatestRevision
    content: str
    pieces: tuple[Piece, ...]

    @property
    def revision(self) -> int:
        """The number of the revision that it is of."""
        return self.latest.number


@dataclass(frozen=True, kw_only=True)
class _Classifier:
    """The classifier of a set of labels; ``digests`` has each form of its digest, the one by which plans name it first."""

    digests: tuple[str, ...]
    content: str
    piece: Piece

    @property
    def digest(self) -> str:
        """By what plans name it."""
        return self.digests[0]


_NOTHING = LatestRevision(-1, Nanoseconds(0))


@dataclass
class _Made:
    """What was made at one revision, when the record had been written a number of times."""

    latest: LatestRevision = _NOTHING
    recorded: int = 0
    plans: dict[str, MadePlan] = field(default_factory=dict)
    classifiers: dict[str | None, _Classifier] = field(default_factory=dict)


_Standing = tuple[int, Nanoseconds]
"""The revision since which the labels of a scope stand as they do, and its time, by which one database is told from another."""


class PlanMaker:
    """Makes the plans of the latest revision, each once; used by one thread at a time."""

    def __init__(self, store: Store) -> None:
        """Make plans of what ``store`` holds."""
        self._store = store
        self._made = _Made()
        self._standing: dict[str | None, tuple[_Standing, _Classifier]] = {}
        self._unrecorded: list[ToldClassifier] = []

    def make(self, host: str) -> MadePlan:
        """Give the plan of ``host`` at the latest revision, once it is recorded what it tells."""
        with self._store.reading() as reader:
            latest, recorded = reader.told.version()
            if recorded < self._made.recorded:  # the database was put back
                self._made, self._standing, self._unrecorded = _Made(), {}, []
            if latest != self._made.latest:
                self._made = _Made(latest, recorded)
            plan = self._made.plans.get(host) or self._make(reader, host)
            if self._unrecorded:
                self._make_ahead(reader)
        if self._unrecorded:
            with self._store.telling() as writer:
                self._made.recorded = writer.record(self._unrecorded)
            self._unrecorded = []
        self._made.plans[host] = plan
        return plan

    def _make(self, reader: StoreReader, host: str) -> MadePlan:
        points = sorted(reader.points.on_host(host), key=lambda point: point.id)
        applying = [self._classifier(reader, None if point.shared else point.project_id) for point in points]
        classifiers = {classifier.digest: classifier for classifier in applying}
        shared = [classifiers[digest] for digest in sorted(classifiers)]
        listed = _ENCODER.encode([planned_point(point, each.digest) for point, each in zip(points, applying, strict=True)])
        content = hashlib.sha256(_ENCODER.encode([PLAN_VERSION, host, [each.content for each in shared]]) + listed).hexdigest()
        head = _ENCODER.encode({"version": PLAN_VERSION, "host": host, "revision": self._made.latest.number}).removesuffix(b"}")
        pieces = [deflate([head, b',"points":', listed, b',"classifiers":['])]
        for number, classifier in enumerate(shared):
            pieces += [*([_COMMA] if number else []), classifier.piece]
        return MadePlan(host=host, latest=self._made.latest, content=content, pieces=(*pieces, _END))

    def _make_ahead(self, reader: StoreReader) -> None:
        """Make the classifiers of other scopes that plans were made for before, for a short time: a change of shared labels changes all."""
        deadline = time.monotonic() + _AHEAD_SECONDS
        for scope in [scope for scope in self._standing if scope not in self._made.classifiers]:
            if time.monotonic() >= deadline:
                return
            self._classifier(reader, scope)

    def _classifier(self, reader: StoreReader, project_id: str | None) -> _Classifier:
        """Give the classifier at the points of a project, at shared points for None: the one before if its labels stand as they did."""
        known = self._made.classifiers.get(project_id)
        if known is None:
            standing = reader.revisions.last_label_change(project_id)
            before = self._standing.get(project_id)
            if before is not None and before[0] == standing:
                known = before[1]
            else:
                known = _make_classifier(chain.from_iterable(read_applicable(reader, project_id)))
                self._standing[project_id] = (standing, known)
                self._unrecorded += [ToldClassifier(project_id, standing[0], digest) for digest in known.digests]
            self._made.classifiers[project_id] = known
        return known


_COMMA = deflate([b","])
_END = deflate([b"]}"])
_CHUNK = 1000


def _make_classifier(labels: Iterable[LabelWithRules]) -> _Classifier:
    listed: list[bytes] = []
    forms: set[str] = set()
    for entry in labels:
        if entry.rules:
            listed.append(_ENCODER.encode(planned_label(entry.label)))
            forms.update(map(normal_form, entry.rules))
    listed.sort()
    ordered = sorted(forms)
    digests = digests_of(ordered)
    digest = digests[0]
    content = hashlib.sha256(digest.encode())
    for label in listed:
        content.update(label)
    rules = (_ENCODER.encode(planned_rule(form)) for form in ordered)
    texts = chain([b'{"digest":"', digest.encode(), b'","labels":['], _joined(listed), [b'],"rules":['], _joined(rules), [b"]}"])
    return _Classifier(digests=tuple(digests), content=content.hexdigest(), piece=deflate(texts))


def _joined(values: Iterable[bytes]) -> Iterator[bytes]:
    """Separate values by commas, in chunks that are worth compressing at once."""
    chunk: list[bytes] = []
    first = True
    for value in values:
        chunk.append(value)
        if len(chunk) == _CHUNK:
            yield (b"" if first else b",") + b",".join(chunk)
            chunk, first = [], False
    if chunk:
        yield (b"" if first else b",") + b",".join(chunk)
