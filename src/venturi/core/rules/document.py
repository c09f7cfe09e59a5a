"""The rules document: everything that one or more rules files say, checked.

Owns the way from located values to labels with rules. Reading files and parsing text belong to the adapters.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from venturi.core.domain.errors import RulesFileError
from venturi.core.domain.label import LabelWithRules
from venturi.core.domain.prefix import Prefix
from venturi.core.rules.forms import Entries, read_document
from venturi.core.rules.joining import Joiner
from venturi.core.rules.located import LocatedDocument, Problem, Problems


@dataclass(frozen=True)
class RulesDocument:
    """The labels with their rules, and the prefixes that lie inside the network.

    ``notes`` say what had to be assumed, for whoever reads the figures. ``remote_rule_ids`` names the rules that were given by the
    deprecated ``remote_ip_prefix``, whose one prefix that was.
    """

    inside: tuple[Prefix, ...]
    labels: tuple[LabelWithRules, ...]
    notes: tuple[str, ...] = ()
    remote_rule_ids: frozenset[str] = frozenset()


@dataclass(frozen=True)
class RulesReading:
    """What became of reading rules: the document, empty if there are problems; the first problems; how many there are."""

    document: RulesDocument
    problems: tuple[Problem, ...]
    problem_count: int

    def require(self) -> RulesDocument:
        """Give the document; raises ``RulesFileError`` with the first problem and the number of others."""
        if self.problems:
            others = f" (and {self.problem_count - 1} more)" if self.problem_count > 1 else ""
            message = f"{self.problems[0]}{others}"
            raise RulesFileError(message)
        return self.document


def read_rules(documents: Iterable[LocatedDocument]) -> RulesReading:
    """Check documents of any form (rules file, API document, client listing) and join them; none is held longer than it is read."""
    problems = Problems()
    entries = Entries()
    for document in documents:
        read_document(document, entries, problems)
        del document
    joiner = Joiner(problems)
    labels = joiner.join(entries)
    rules_document = RulesDocument(tuple(entries.inside), labels, tuple(joiner.notes), frozenset(joiner.remote_rule_ids))
    return RulesReading(rules_document, tuple(problems.kept), problems.count)
