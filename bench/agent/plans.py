"""The plan that an agent follows: one device of a router, and labels that apply there."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.dataplane.routers import EXTERNAL_DEVICE
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.label import LabelWithRules, MeteringLabelRule
from venturi.services.control.planning.form import PLAN_VERSION, Plan, PlannedClassifier, PlannedPoint, PlannedRule, planned_label

HOST = "benchmark"
"""The host whose plan it is."""


def write_plan(path: Path, namespace: str, labels: Sequence[LabelWithRules]) -> None:
    """Write the plan of a router in a namespace."""
    digest = CompiledClassifier(labels).digest
    point = PlannedPoint(
        id="external",
        name="external",
        project_id="",
        shared=True,
        traffic="forwarded",
        kind="interface",
        classifier=digest,
        host=HOST,
        namespace=namespace,
        device=EXTERNAL_DEVICE,
    )
    rules = [_plan_rule(rule) for entry in labels for rule in entry.rules]
    classifier = PlannedClassifier(digest=digest, labels=[planned_label(entry.label) for entry in labels], rules=rules)
    path.write_bytes(msgspec.json.encode(Plan(version=PLAN_VERSION, host=HOST, revision=1, points=[point], classifiers=[classifier])))


def _plan_rule(rule: MeteringLabelRule) -> PlannedRule:
    source, destination = (None if prefix is None else str(prefix) for prefix in (rule.source_ip_prefix, rule.destination_ip_prefix))
    return PlannedRule(
        metering_label_id=rule.metering_label_id,
        direction=rule.direction,
        source_ip_prefix=source,
        destination_ip_prefix=destination,
        excluded=rule.excluded,
    )
