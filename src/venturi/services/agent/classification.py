"""What an agent attributes by: labels with their rules, compiled once for each digest.

Owns what becomes of a rename: other names, the same classifier.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.partition import LabelOwners, find_owners
from venturi.core.domain.label import LabelWithRules, MeteringLabel
from venturi.core.ledger.batch import BatchLabel
from venturi.core.ledger.recorded import LabelSet


@dataclass(frozen=True)
class Classification:
    """Labels in the order of their ids, as they are called now, and the classifier of their rules, which numbers them in that order."""

    labels: tuple[LabelWithRules, ...]
    classifier: CompiledClassifier

    @cached_property
    def label_set(self) -> LabelSet:
        """The labels as records name them."""
        return LabelSet(tuple(_batch_label(entry.label) for entry in self.labels))

    @cached_property
    def owners(self) -> LabelOwners:
        """Whose own the labels are by now; those of the compiled form may be older."""
        return find_owners([entry.label for entry in self.labels])

    @property
    def digest(self) -> str:
        """What identifies the rules."""
        return self.classifier.digest


def classify_by(labels: Iterable[LabelWithRules]) -> Classification:
    """Make the classification by labels; those without rules have no part in it."""
    ordered = tuple(sorted((entry for entry in labels if entry.rules), key=lambda entry: entry.label.id))
    return Classification(ordered, CompiledClassifier(ordered))


class Classifications:
    """Those in use, by digest: rules that were compiled are not compiled again, whatever their labels are called by now."""

    def __init__(self) -> None:
        self._known: dict[str, Classification] = {}

    def get(self, digest: str) -> Classification | None:
        """Give the classification of a digest, None where it is not in use."""
        return self._known.get(digest)

    def take(self, given: Classification) -> Classification:
        """Use a classification, with the names of its labels, and the compiled form of the one before where the rules are the same."""
        known = self._known.get(given.digest)
        taken = given if known is None else replace(known, labels=given.labels)
        self._known[given.digest] = taken
        return taken

    def keep(self, digests: Iterable[str]) -> None:
        """Forget all but those of ``digests``."""
        kept = set(digests)
        self._known = {digest: known for digest, known in self._known.items() if digest in kept}


def _batch_label(label: MeteringLabel) -> BatchLabel:
    return BatchLabel(id=label.id, name=label.name, project_id=label.project_id, shared=label.shared)
