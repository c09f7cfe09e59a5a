"""What an agent makes of what it finds when it starts: generations in its spool, and generations in the kernel.

Owns the cases. A generation that both know goes on; one that only the spool knows is a gap from its last reading on; what only the kernel
knows is another spool's, whose history nobody here knows.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from venturi.adapters.drivers.protocol import FoundGeneration
from venturi.adapters.spool.values import GenerationState, Moment, SpooledGeneration
from venturi.core.domain.coverage import CoverageReason
from venturi.core.domain.generation import MeteredDevice
from venturi.services.agent.classification import Classification, Classifications, classify_by
from venturi.services.agent.metering.counting import PlaceCounting
from venturi.services.agent.metering.outbox import Outbox
from venturi.services.agent.metering.parts import MeteringParts
from venturi.services.agent.metering.records import nothing_read
from venturi.services.agent.metering.state import Counting, Place, Uncovered


class Recovery:
    """Turns what is found into places."""

    def __init__(self, parts: MeteringParts, outbox: Outbox, counting: PlaceCounting, classifications: Classifications) -> None:
        self._parts = parts
        self._outbox = outbox
        self._counting = counting
        self._classifications = classifications

    def recover(self) -> tuple[dict[MeteredDevice, Place], list[FoundGeneration]]:
        """Give the places that the spool knows, and the generations in the kernel that it does not know, of the drivers that count."""
        found = {each.generation.id: each for each in self._parts.drivers.find()}
        rows: defaultdict[MeteredDevice, list[SpooledGeneration]] = defaultdict(list)
        for row in self._parts.spool.generations():
            rows[row.metered].append(row)
            if row.generation.id in found and self._is_of_another_boot(row):
                self._outbox.retire(row.metered, found.pop(row.generation.id).generation, forget=False)
        places = {metered: self._recover_place(metered, known, found) for metered, known in rows.items()}
        known_ids = {row.generation.id for known in rows.values() for row in known}
        strangers = [each for name, each in found.items() if name not in known_ids]
        return places, [each for each in strangers if self._parts.drivers.is_chosen(each.metered, each.generation)]

    def _is_of_another_boot(self, row: SpooledGeneration) -> bool:
        """Tell whether a generation is only a copy, of counters that went with an earlier boot."""
        moment = row.entered if row.last is None else row.last.moment
        return moment.boot_id != self._parts.clock.now().boot_id

    def _recover_place(self, metered: MeteredDevice, known: Sequence[SpooledGeneration], found: Mapping[str, FoundGeneration]) -> Place:
        place = Place(metered, known[-1].point, expected=True)
        rows = [row for row in known if row.generation.id in found or row.last is not None] or list(known[:1])
        for row in known:
            if row not in rows:
                self._outbox.forget(row.generation.id)
        for row, successor in zip(rows, [*rows[1:], None], strict=True):
            there = found.get(row.generation.id)
            if row.state is GenerationState.RETIRED or there is None:
                self._leave(place, row, successor, there)
            else:
                self._take_up(place, row, successor, there)
        if place.current is not None and not self._parts.host.hold(metered):
            place.uncovered = Uncovered(place.current.base.moment, CoverageReason.NOT_METERED, place.current.generation.id)
            place.current = None
        self._counting.settle(place)
        return place

    def _leave(self, place: Place, row: SpooledGeneration, successor: SpooledGeneration | None, there: FoundGeneration | None) -> None:
        """Account for a generation that counts no more: what passed after its last reading is a gap, unless it was recorded to its end."""
        since = row.entered if row.last is None else row.last.moment
        reason = CoverageReason.NOT_METERED if row.state is GenerationState.RETIRED else CoverageReason.COUNTERS_LOST
        if there is not None:
            self._outbox.retire(row.metered, row.generation, forget=successor is not None)
        if successor is None:
            moment = since if row.state is GenerationState.RETIRED else self._parts.clock.now()
            self._outbox.add_gap(row.point, row.metered, (since, moment), reason)
            self._outbox.advance(row.generation.id, nothing_read(moment), GenerationState.RETIRED)
            place.uncovered = Uncovered(moment, reason, row.generation.id)
            return
        if successor.last is None or row.state is not GenerationState.RETIRED:
            self._outbox.add_gap(row.point, row.metered, (since, successor.entered), reason)
        if there is None:
            self._outbox.forget(row.generation.id)

    def _take_up(self, place: Place, row: SpooledGeneration, successor: SpooledGeneration | None, there: FoundGeneration) -> None:
        """Go on with a generation from its last reading, or from zero where it was never read."""
        base = row.last or nothing_read(row.entered)
        counting = Counting(row, self._classification(row), base, base)
        if successor is not None:
            counting.until = successor.entered
            place.replaced.append(counting)
        elif there.counting:
            place.current = counting
        else:
            self._counting.lose(place, counting, CoverageReason.DEVICE_GONE)
        self._parts.observer.note("found", device=row.metered.place, generation=row.generation.id, counting=there.counting)

    def _classification(self, row: SpooledGeneration) -> Classification:
        digest = row.generation.digest
        known = self._classifications.get(digest)
        return known or self._classifications.take(classify_by(self._parts.spool.classifier(digest)))


def latest_moment(rows: Iterable[SpooledGeneration]) -> Moment | None:
    """Give the latest moment that a spool knows of, by the wall clock; None for a spool that knows nothing."""
    moments = [row.entered if row.last is None else max(row.entered, row.last.moment, key=_wall) for row in rows]
    return max(moments, key=_wall, default=None)


def _wall(moment: Moment) -> int:
    return moment.wall
