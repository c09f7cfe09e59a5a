"""The counting at one place: how it begins, goes over to other rules, is read, is lost, and ends.

Owns the steps and their order, so that whatever is killed between two of them, every packet is recorded once or lies within a gap. All that
is recorded goes through the outbox.
"""

from collections.abc import Hashable, Mapping
from dataclasses import replace

from venturi.adapters.spool.values import GenerationState, LastReading, Moment, SpooledGeneration
from venturi.core.domain.coverage import Coverage, CoverageReason
from venturi.core.domain.errors import DriverError, SpoolError
from venturi.core.domain.generation import Generation
from venturi.core.domain.interval import SECOND
from venturi.services.agent.metering.outbox import Outbox
from venturi.services.agent.metering.parts import MeteringParts
from venturi.services.agent.metering.places import ExpectedPlace
from venturi.services.agent.metering.records import counted_between, nothing_read
from venturi.services.agent.metering.state import Counting, Place, Uncovered
from venturi.services.agent.observing import AgentAlarm

_RETRY = 10 * SECOND
"""How long what the kernel refused is not tried again."""


class PlaceCounting:
    """Counts at places, one step at a time."""

    def __init__(self, parts: MeteringParts, outbox: Outbox) -> None:
        self._parts = parts
        self._outbox = outbox

    def begin(self, place: Place, expected: ExpectedPlace) -> None:
        """Begin to count at a device that is there; until then there is a gap, if the place was known before."""
        if not self._may_try(place):
            return
        if not self._parts.host.hold(place.metered):
            self._alarm(AgentAlarm.DEVICE_HELD, "another process meters it", place)
            self._put_off(place)
            return
        counting = self._apply(place, expected)
        if counting is None:
            return
        if place.uncovered is not None:
            span = (place.uncovered.since, counting.base.moment)
            self._outbox.add_gap(place.point, place.metered, span, place.uncovered.reason)
            if place.uncovered.row is not None:
                self._outbox.forget(place.uncovered.row)
        place.current, place.uncovered, place.identity = counting, None, expected.identity

    def switch(self, place: Place, old: Counting, expected: ExpectedPlace) -> None:
        """Count by other rules from one moment on; what was counted until then is recorded by the rules of then."""
        if not self._may_try(place):
            return
        counting = self._apply(place, expected)
        if counting is None:
            return
        old.until = counting.base.moment
        old.bypassed |= counting.bypassed
        old.lost = place.identity is not None and self._identity(place) != place.identity
        self._outbox.advance(old.generation.id, old.base, GenerationState.REPLACED)
        place.replaced.append(old)
        place.current, place.identity = counting, expected.identity
        self.settle(place)

    def settle(self, place: Place) -> None:
        """Record the last totals of the generations that were replaced, and retire them."""
        for old in list(place.replaced):
            final = self._read(place, old, old.until)
            if final is None and not old.note_failure():
                continue
            place.replaced.remove(old)
            reason = CoverageReason.DEVICE_GONE if old.lost else CoverageReason.COUNTERS_LOST
            self._close(place, old, final, old.until or old.last.moment, reason, known=not old.lost)
            self._outbox.retire(place.metered, old.generation, forget=True)

    def read(self, place: Place, current: Counting) -> bool:
        """Read what counts at a place; False where it does not count any more, so that what passed lately is lost.

        That it counts is asked after its totals, so that they are known to be all up to their moment.
        """
        reading = self._read(place, current, None)
        if not self.is_counting(place, current):
            return False
        if reading is None:
            return True
        if counted_between(current.last, reading) is None:
            return False
        current.last = reading
        return True

    def report(self, place: Place, current: Counting) -> None:
        """Record what was counted since the last report."""
        current.bypassed |= (bypassed := self._parts.host.has_bypass(place.metered))
        counted = counted_between(current.base, current.last)
        if counted is not None and current.last.moment.wall > current.base.moment.wall:
            self._outbox.add(place.record(current, current.last.moment, counted))
            self._outbox.advance(current.generation.id, current.last)
            current.base, current.bypassed_before, current.bypassed = current.last, current.bypassed, bypassed

    def report_gap(self, place: Place, uncovered: Uncovered, moment: Moment) -> None:
        """Record that a place has not been metered up to ``moment``, and remember that in the spool."""
        self._outbox.add_gap(place.point, place.metered, (uncovered.since, moment), uncovered.reason)
        uncovered.since = moment
        if uncovered.row is not None:
            self._outbox.advance(uncovered.row, nothing_read(moment), GenerationState.RETIRED)

    def lose(self, place: Place, current: Counting, reason: CoverageReason) -> Moment:
        """Give up a generation that does not count any more, and give the moment: from its last reading to now is a gap."""
        final = self._read(place, current, None)
        moment = self._parts.clock.now() if final is None else final.moment
        self._alarm(AgentAlarm.COVERAGE_LOST, f"what passed since the last reading is not known ({reason})", place)
        self.report(place, current)
        self._close(place, current, final, moment, reason, known=False)
        self._abandon(place, current, moment, reason)
        return moment

    def give_over(self, place: Place, current: Counting) -> None:
        """End what counts by a driver that is in use no more: from its last totals on there is a gap, until the one in use begins."""
        if not self.is_counting(place, current):
            self.lose(place, current, CoverageReason.COUNTERS_LOST)
            return
        final = self._read(place, current, None)
        moment = self._parts.clock.now() if final is None else final.moment
        self._close(place, current, final, moment, CoverageReason.COUNTERS_LOST)
        self._abandon(place, current, moment, CoverageReason.NOT_METERED)

    def end(self, place: Place) -> Moment:
        """Meter a place no longer, from the moment on that is given: its point left the plan, or its router the host."""
        self.settle(place)
        moment = self._parts.clock.now()
        if place.current is not None:
            moment = self._end_counting(place, place.current)
        elif place.uncovered is not None and place.expected:
            self.report_gap(place, place.uncovered, moment)
        if place.uncovered is not None and place.uncovered.row is not None:
            self._outbox.forget(place.uncovered.row)
        self._parts.host.release(place.metered)
        return moment

    def read_anew(self, counted: tuple[Place, Counting]) -> tuple[str, LastReading | None]:
        """Read the totals at a place, whatever was recorded of them, and give the id of the generation with them."""
        place, current = counted
        return current.generation.id, self._read(place, current, None)

    def rebase(self, place: Place, moment: Moment, readings: Mapping[str, LastReading]) -> None:
        """Count from ``moment`` on, after the spool was renewed with ``readings``; what it has no reading of, it has forgotten."""
        for old in place.replaced:
            self._outbox.retire(place.metered, old.generation, forget=False)
        place.replaced = []
        if place.current is not None:
            reading = readings.get(place.current.generation.id)
            if reading is not None:
                place.current.base = place.current.last = replace(reading, moment=moment)
                return
            self._outbox.retire(place.metered, place.current.generation, forget=False)
            place.current, place.uncovered = None, Uncovered(moment, CoverageReason.COUNTERS_LOST)
        elif place.uncovered is not None:
            self._outbox.add_gap(place.point, place.metered, (place.uncovered.since, moment), place.uncovered.reason)
            place.uncovered = Uncovered(moment, place.uncovered.reason)

    def anchor(self, place: Place, expected: ExpectedPlace, uncovered: Uncovered) -> None:
        """Have the spool remember since when a place that was never metered is not."""
        spooled = self._new_generation(place, expected, uncovered.since)
        row = replace(spooled, state=GenerationState.RETIRED, last=nothing_read(uncovered.since))
        if self._enter(row, expected):
            uncovered.row = row.generation.id

    def is_counting(self, place: Place, current: Counting) -> bool:
        """Tell whether a generation sees the packets of the device as it is now; where that cannot be told, it is not taken for granted.

        Note where packets may have been kept from it.
        """
        drivers = self._parts.drivers
        try:
            counting = drivers.is_counting(place.metered, current.generation)
            current.bypassed |= counting and drivers.has_bypass(place.metered, current.generation)
        except DriverError as error:
            self._alarm(AgentAlarm.READING_FAILED, str(error), place)
            return False
        return counting

    def _end_counting(self, place: Place, current: Counting) -> Moment:
        if not self.is_counting(place, current):
            return self.lose(place, current, CoverageReason.DEVICE_GONE)
        final = self._read(place, current, None)
        moment = self._parts.clock.now() if final is None else final.moment
        self._close(place, current, final, moment, CoverageReason.COUNTERS_LOST)
        self._outbox.retire(place.metered, current.generation, forget=True)
        return moment

    def _abandon(self, place: Place, current: Counting, moment: Moment, reason: CoverageReason) -> None:
        """Retire what counted until ``moment``, from which on nothing does."""
        self._outbox.advance(current.generation.id, nothing_read(moment), GenerationState.RETIRED)
        self._outbox.retire(place.metered, current.generation, forget=False)
        place.current, place.identity, place.retry_at = None, None, 0
        place.uncovered = Uncovered(moment, reason, current.generation.id)

    def _close(
        self, place: Place, counting: Counting, final: LastReading | None, end: Moment, reason: CoverageReason, *, known: bool = True
    ) -> None:
        """Record what a generation counted last, up to ``end``: as a gap where it is not ``known`` to be all, or cannot be told."""
        if end.wall <= counting.base.moment.wall:
            return
        counted = None if final is None else counted_between(counting.base, final)
        if counted is None:
            self.report(place, counting)
            self._outbox.add_gap(place.point, place.metered, (counting.base.moment, end), reason)
            return
        self._outbox.add(place.record(counting, end, counted, coverage=None if known else (Coverage.GAP, reason)))
        if final is not None:
            self._outbox.advance(counting.generation.id, final, GenerationState.RETIRED)

    def _may_try(self, place: Place) -> bool:
        """Tell whether the kernel may be asked: not while the spool refuses, nor soon after a refusal."""
        return not self._outbox.refused and self._parts.clock.now().monotonic >= place.retry_at

    def _put_off(self, place: Place) -> None:
        place.retry_at = self._parts.clock.now().monotonic + _RETRY

    def _apply(self, place: Place, expected: ExpectedPlace) -> Counting | None:
        """Have the driver count by what is expected, under a generation that the spool knows; None where either refuses."""
        entered = self._new_generation(place, expected, self._parts.clock.now())
        if not self._enter(entered, expected):
            return None
        try:
            self._parts.drivers.apply(place.metered, expected.classification.classifier, entered.generation)
        except DriverError as error:
            self._alarm(AgentAlarm.APPLY_REFUSED, str(error), place)
            self._outbox.forget(entered.generation.id)
            self._put_off(place)
            return None
        base = nothing_read(self._parts.clock.now())
        self._outbox.advance(entered.generation.id, base, GenerationState.COUNTING)
        self._parts.observer.note(
            "metering", device=place.metered.place, generation=entered.generation.id, digest=entered.generation.digest
        )
        for alarm in (AgentAlarm.APPLY_REFUSED, AgentAlarm.DEVICE_HELD):
            self._parts.observer.clear_alarm(alarm, device=place.metered.place)
        counting = Counting(entered, expected.classification, base, base, bypassed=self._parts.host.has_bypass(place.metered))
        self.is_counting(place, counting)
        return counting

    def _new_generation(self, place: Place, expected: ExpectedPlace, moment: Moment) -> SpooledGeneration:
        identity = Generation(id=self._parts.new_id(), spool_id=self._parts.spool.spool_id, digest=expected.classification.digest)
        return SpooledGeneration(
            generation=identity,
            metered=place.metered,
            point=place.point,
            driver=self._parts.drivers.name_at(place.metered.hook),
            revision=expected.revision,
            entered=moment,
        )

    def _enter(self, spooled: SpooledGeneration, expected: ExpectedPlace) -> bool:
        try:
            self._parts.spool.enter(spooled, expected.classification.labels)
        except SpoolError as error:
            self._parts.observer.raise_alarm(AgentAlarm.SPOOL_REFUSED, str(error))
            return False
        return True

    def _read(self, place: Place, counting: Counting, until: Moment | None) -> LastReading | None:
        """Read the totals of a generation, as those of ``until`` if that is given; None where the driver cannot.

        The clock is looked at first: what passes between both is counted, and what a gap from then on may lose passed after that moment.
        """
        moment = until or self._parts.clock.now()
        try:
            reading = self._parts.drivers.read(place.metered, counting.generation)
        except DriverError as error:
            self._alarm(AgentAlarm.READING_FAILED, str(error), place)
            return None
        counting.segments = reading.segments
        bad_ip_headers = sum(counts.packets for counts in reading.bad_ip_headers.values())
        place.bad_ip_headers += max(0, bad_ip_headers - counting.bad_ip_headers)
        counting.bad_ip_headers = bad_ip_headers
        return LastReading(moment=moment, pairs=reading.pairs, unattributed=reading.unattributed)

    def _identity(self, place: Place) -> Hashable | None:
        return self._parts.host.list_devices(place.metered.namespace).get(place.metered.device)

    def _alarm(self, alarm: AgentAlarm, message: str, place: Place) -> None:
        self._parts.observer.raise_alarm(alarm, message, device=place.metered.place, point=place.metered.point_id)
