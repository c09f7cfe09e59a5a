"""Sentences that a reader of a report must know: what was assumed, what could not be told.

Owns their wording and when they apply. Losses have figures of their own; the notes name the first, and ``--strict``, which refuses them.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from venturi.core.domain.counts import Counts
from venturi.core.domain.label import LabelWithRules
from venturi.core.meter.summing import MOST_PARTS

_NAMED = 5


class RunNotes:
    """Gathers what there is to note, source by source, and puts it into words."""

    def __init__(self) -> None:
        """Start with nothing to say."""
        self._unknown: dict[str, Counts] = {}
        self._unsplit: dict[str, int] = {}
        self._replaced: dict[str, int] = {}
        self._untimed: dict[str, int] = {}

    def add_source(self, name: str, *, unknown_direction: Counts, unsplit_flows: int, replaced_times: int, untimed: int) -> None:
        """Take what one source came to."""
        if unknown_direction != Counts():
            self._unknown[name] = unknown_direction
        if unsplit_flows:
            self._unsplit[name] = unsplit_flows
        if replaced_times:
            self._replaced[name] = replaced_times
        if untimed:
            self._untimed[name] = untimed

    def sentences(self, labels: Collection[LabelWithRules], labels_with_usage: Collection[str], losses: Iterable[str]) -> tuple[str, ...]:
        """Give the sentences; ``labels_with_usage`` are the ids of the labels that counted anything, ``losses`` what may be missing."""
        return (*self._about_sources(), *_about_losses(losses), *_about_labels(labels, labels_with_usage))

    def _about_sources(self) -> Iterator[str]:
        for name, counts in self._unknown.items():
            yield (
                f"{name}: the direction of {counts.packets:,} packets ({counts.octets:,} octets) is unknown, "
                "so rules of both directions were matched; --inside or --outside-interface would tell it"
            )
        for name, count in self._unsplit.items():
            yield f"{name}: {count:,} flows span more than {MOST_PARTS:,} intervals and were counted whole in their last one"
        for name, count in self._replaced.items():
            yield f"{name}: the times of {count:,} flows contradict the export's clock, and were replaced by the time of export or receipt"
        for name, count in self._untimed.items():
            yield (
                f"{name}: {count:,} packets have no time, or one that cannot be; with --interval they are in rows of their own, "
                "with --from or --to outside the window"
            )


def _about_losses(losses: Iterable[str]) -> Iterator[str]:
    first, *others = (*losses, "")
    if first:
        more = f" (and {len(others) - 1:,} more)" if len(others) > 1 else ""
        yield f"traffic may be missing: {first}{more}; with --strict such a run fails"


def _about_labels(labels: Collection[LabelWithRules], labels_with_usage: Collection[str]) -> Iterator[str]:
    silent_count = len(labels) - len(labels_with_usage)
    if silent_count and labels_with_usage:
        silent = (entry.label.name or entry.label.id for entry in labels if entry.label.id not in labels_with_usage)
        names = ", ".join(islice(silent, _NAMED)) + (", …" if silent_count > _NAMED else "")
        yield f"{silent_count:,} of {len(labels):,} labels had no traffic: {names}"
    elif silent_count:
        yield "no label counted anything; the rules may be of another network, or the inside prefixes may be wrong"
