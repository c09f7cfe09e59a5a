"""What applying rules files would change, in lines that begin with ``+``, ``~`` or ``-``, and what it did change."""

from collections.abc import Iterator
from typing import TextIO

from venturi.core.domain.control.revision import ChangeKind
from venturi.core.rules.checks import printable
from venturi.interfaces.render.resources.state import describe_rule
from venturi.services.applying.applying import Done
from venturi.services.applying.difference import Difference, LabelDifference
from venturi.services.applying.wire import rule_body

_SIGNS = {ChangeKind.CREATED: "+", ChangeKind.CHANGED: "~", ChangeKind.DELETED: "-"}


def write_difference(difference: Difference, stream: TextIO) -> None:
    """Write each label with what becomes of it and of its rules, and how many there are of each; or that there is nothing to do."""
    if not difference.labels:
        stream.write("nothing to do\n")
        return
    for each in difference.labels:
        stream.writelines(f"{line}\n" for line in _label_lines(each))
    labels = ", ".join(f"{len(difference.of_kind(kind))} {kind}" for kind in ChangeKind)
    created = sum(len(each.created_rules) for each in difference.labels)
    deleted = sum(len(each.deleted_rules) for each in difference.labels)
    stream.write(f"labels: {labels}; rules: {created} created, {deleted} deleted\n")


def write_done(done: Done, stream: TextIO) -> None:
    """Write what was done, and that it is not all where it is not."""
    word = "done" if done.finished else "stopped; done until then"
    labels = f"{done.labels_created} created, {done.labels_changed} changed, {done.labels_deleted} deleted"
    stream.write(f"{word}: labels: {labels}; rules: {done.rules_created} created, {done.rules_deleted} deleted\n")


def _label_lines(difference: LabelDifference) -> Iterator[str]:
    label = difference.label
    shared = ", shared" if label.shared else ""
    identifier = f", {label.id}" if label.id else ""
    yield f"{_SIGNS[difference.kind]} label '{label.name}' (project '{label.project_id}'{shared}{identifier})"
    if difference.description:
        before, after = difference.description
        yield f"    ~ description '{printable(before)}' -> '{printable(after)}'"
    yield from (f"    + {describe_rule(rule_body(fields))}" for fields in difference.created_rules)
    yield from (f"    - {describe_rule(rule_body(fields))}" for fields in difference.deleted_rules)
