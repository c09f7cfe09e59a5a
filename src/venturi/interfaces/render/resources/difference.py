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


def write_difference(difference: Difference, listed: int | None, stream: TextIO) -> None:
    """Write labels with what becomes of them and of their rules, in about ``listed`` lines or in all.

    Without any difference, write that there is nothing to do.
    """
    if not difference.labels:
        stream.write("nothing to do\n")
        return
    written = labels = 0
    for each in difference.labels:
        if listed is not None and written >= listed:
            break
        lines = [f"{line}\n" for line in _label_lines(each)]
        shown = lines if listed is None else lines[: listed - written]
        stream.writelines(shown)
        if len(shown) < len(lines):
            stream.write(f"    … and {len(lines) - len(shown)} more rules\n")
        written, labels = written + len(lines), labels + 1
    left = len(difference.labels) - labels
    if left and listed:
        stream.write(f"… and {left} more {'label' if left == 1 else 'labels'}; --all lists each\n")


def write_plan(difference: Difference, stream: TextIO) -> None:
    """Write how many labels and rules would be created, changed and deleted."""
    verbs = {ChangeKind.CREATED: "create", ChangeKind.CHANGED: "change", ChangeKind.DELETED: "delete"}
    counts = [(verb, len(difference.of_kind(kind)), "label") for kind, verb in verbs.items()]
    counts += [("create", sum(len(each.created_rules) for each in difference.labels), "rule")]
    counts += [("delete", sum(len(each.deleted_rules) for each in difference.labels), "rule")]
    parts = [f"{verb} {count} {noun if count == 1 else noun + 's'}" for verb, count, noun in counts if count]
    stream.write(f"would {', '.join(parts)}\n")


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
