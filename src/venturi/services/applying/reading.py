"""The two sides of the comparison: labels as rules files want them, and as the server has them.

Owns which part of the server is read. What the two make together is for ``difference``.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from urllib.parse import quote

from venturi.adapters.client.collections import LABELS, RULES
from venturi.adapters.client.resources import Resources
from venturi.core.domain.label import MeteringLabel, MeteringLabelRule
from venturi.core.rules.document import RulesDocument
from venturi.core.rules.rule_fields import RuleFields
from venturi.services.applying.difference import AccountedLabel
from venturi.services.applying.wire import read_label, read_rule

_NAMED_AT_ONCE = 40
"""How many ids a query names: few enough for every server's limit of a URL."""

_LONGEST_QUERY = 4000
"""How many characters of project ids a query names, likewise."""

_READ_SINGLY = 1000
"""Of how many labels the rules are asked for by label; of more, all rules of the server are read."""


def wanted_labels(document: RulesDocument, project_id: str) -> list[AccountedLabel]:
    """Give the labels of rules files; ``project_id`` is the project of those that name none."""
    return [
        AccountedLabel(
            replace(entry.label, id="", project_id=entry.label.project_id or project_id),
            tuple(_given_fields(rule, remote=rule.id in document.remote_rule_ids) for rule in entry.rules),
        )
        for entry in document.labels
    ]


def present_labels(resources: Resources, projects: Collection[str] | None) -> list[MeteringLabel]:
    """Read the server's labels of ``projects``, None for all that the caller may see."""
    named = sorted(projects or ())
    few = named if sum(len(quote(project_id)) for project_id in named) < _LONGEST_QUERY and len(named) <= _NAMED_AT_ONCE else []
    labels = (read_label(each) for each in resources.find_all(LABELS, [("project_id", project_id) for project_id in few]))
    return [label for label in labels if projects is None or label.project_id in projects]


def present_accounts(resources: Resources, labels: Sequence[MeteringLabel]) -> list[AccountedLabel]:
    """Read the rules of ``labels`` from the server."""
    rules: defaultdict[str, list[RuleFields]] = defaultdict(list)
    for filters in _rule_filters(labels):
        for resource in resources.find_all(RULES, filters):
            rules[str(resource.get("metering_label_id"))].append(read_rule(resource))
    return [AccountedLabel(label, tuple(rules[label.id])) for label in labels]


def _rule_filters(labels: Sequence[MeteringLabel]) -> Iterator[list[tuple[str, str]]]:
    if len(labels) > _READ_SINGLY:
        yield []
        return
    rest = iter(labels)
    while chunk := list(islice(rest, _NAMED_AT_ONCE)):
        yield [("metering_label_id", label.id) for label in chunk]


def _given_fields(rule: MeteringLabelRule, *, remote: bool) -> RuleFields:
    """Give a rule's values as its file has them: the one prefix of a rule given by ``remote_ip_prefix`` goes back there."""
    source, destination = rule.source_ip_prefix, rule.destination_ip_prefix
    if remote:
        return RuleFields(rule.direction, rule.excluded, source or destination, None, None)
    return RuleFields(rule.direction, rule.excluded, None, source, destination)
