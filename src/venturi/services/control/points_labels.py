"""The labels that apply at a point, read in batches, so that memory does not grow with their number.

Owns the reading alone. Who may ask, and what is made of the labels, is for others.
"""

from collections import defaultdict
from collections.abc import Iterator

from venturi.adapters.store.store import StoreReader
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.label import LabelWithRules, MeteringLabel, MeteringLabelRule

_BATCH = 500


def read_applicable(reader: StoreReader, project_id: str | None) -> Iterator[list[LabelWithRules]]:
    """Give the labels that apply at the points of a project: shared ones and those of the project; None: all labels.

    They come batch by batch, each label once, within one transaction.
    """
    if project_id is None:
        yield from _read_batches(reader, {}, None)
    else:
        yield from _read_batches(reader, {"shared": (True,)}, None)
        yield from _read_batches(reader, {"shared": (False,)}, project_id)


def _read_batches(reader: StoreReader, filters: dict[str, tuple[object, ...]], project_id: str | None) -> Iterator[list[LabelWithRules]]:
    marker: str | None = None
    while True:
        labels = reader.labels.list(Listing(filters=filters, limit=_BATCH, marker=marker), project_id)
        if labels:
            yield _with_rules(reader, labels)
        if len(labels) < _BATCH:
            return
        marker = labels[-1].id


def _with_rules(reader: StoreReader, labels: list[MeteringLabel]) -> list[LabelWithRules]:
    rules: defaultdict[str, list[MeteringLabelRule]] = defaultdict(list)
    for given in reader.rules.list(Listing(filters={"metering_label_id": tuple(label.id for label in labels)})):
        rules[given.metering_label_id].append(given.rule)
    return [LabelWithRules(label, tuple(rules[label.id])) for label in labels]
