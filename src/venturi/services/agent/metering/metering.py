"""Metering: what an agent does at each look at its host and at each reading.

Owns which places there are. Sleeps never and starts no thread: whoever drives it says when to ``watch`` and when to ``read``. How one
place is metered is for ``counting``.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import chain

from venturi.adapters.drivers.protocol import FoundGeneration
from venturi.adapters.spool.values import Moment, Renewal
from venturi.core.domain.coverage import CoverageReason
from venturi.core.domain.generation import MeteredDevice
from venturi.services.agent.classification import Classifications
from venturi.services.agent.metering.counting import PlaceCounting
from venturi.services.agent.metering.outbox import Outbox
from venturi.services.agent.metering.parts import MeteringParts
from venturi.services.agent.metering.places import ExpectedPlace, expected_places
from venturi.services.agent.metering.recovering import Recovery, latest_moment
from venturi.services.agent.metering.state import Counting, Place, Uncovered
from venturi.services.agent.observing import AgentAlarm
from venturi.services.agent.plan import AgentPlan


class Metering:
    """Meters the places of a plan. Used by one thread."""

    def __init__(self, parts: MeteringParts) -> None:
        self._parts = parts
        self._outbox = Outbox(parts.spool, parts.drivers, parts.observer)
        self._counting = PlaceCounting(parts, self._outbox)
        self._classifications = Classifications()
        self._plan: AgentPlan | None = None
        self._started = parts.clock.now()
        self._watched: Moment | None = None
        self._watched_points: frozenset[str] = frozenset()
        self._strangers: list[FoundGeneration] = []
        self.places: dict[MeteredDevice, Place] = {}

    @property
    def plan_revision(self) -> int | None:
        """The revision of the plan that is followed, None before there is one."""
        return None if self._plan is None else self._plan.revision

    @property
    def unretired(self) -> int:
        """How many generations count no more and could not be removed from the kernel yet."""
        return self._outbox.unretired

    def start(self) -> None:
        """Take up what is found in the spool and in the kernel; raises ``SpoolError`` and ``DriverError`` where neither can be asked."""
        recovery = Recovery(self._parts, self._outbox, self._counting, self._classifications)
        self.places, self._strangers = recovery.recover()
        self._watched = latest_moment(self._parts.spool.generations())
        self._flush()

    def resume(self, plan: AgentPlan) -> None:
        """Meter by the plan that was followed when this agent was last alive."""
        self.follow(plan)
        self._watched_points = frozenset(point.id for point in plan.points)

    def follow(self, plan: AgentPlan) -> None:
        """Meter by another plan from the next ``watch`` on; names take effect at once."""
        taken = {name: self._classifications.take(given) for name, given in plan.classifications.items()}
        self._plan = AgentPlan(revision=plan.revision, points=plan.points, classifications=taken)
        for counting in chain.from_iterable(place.all_counting() for place in self.places.values()):
            counting.classification = self._classifications.get(counting.generation.digest) or counting.classification
        self._classifications.keep(self._digests() | {classification.digest for classification in taken.values()})

    def watch(self) -> None:
        """Make what is metered what the plan says and the host has."""
        if self._plan is not None:
            moment = self._parts.clock.now()
            expected = expected_places(self._plan, self._parts.host)
            ended = self._end_others(expected)
            for metered, each in expected.items():
                place = self.places.get(metered)
                if place is None:
                    place = self.places[metered] = Place(metered, each.point, uncovered=self._history(metered, ended))
                self._tend(place, each)
            self._retire_strangers()
            self._watched, self._watched_points = moment, frozenset(point.id for point in self._plan.points)
        self._flush()

    def read(self, *, to_the_end: bool = False) -> None:
        """Read all places, and record those that have not been since the last report border, all of them ``to_the_end``."""
        recording = self._flush()
        for place in self.places.values():
            if place.replaced:
                self._counting.settle(place)
            if place.current is not None:
                self._read(place, place.current, recording=recording, to_the_end=to_the_end)
            elif place.uncovered is not None and recording:
                moment = self._parts.clock.now()
                if to_the_end or self._is_due(place.uncovered.since, moment):
                    self._counting.report_gap(place, place.uncovered, moment)
        self._flush()

    def renew(self) -> Renewal:
        """Begin anew with the spool, which is older than what the ledger has; totals count from now on.

        Raises ``SpoolError`` where it cannot be written; nothing has changed then.
        """
        readings = {name: reading for name, reading in map(self._counting.read_anew, self._all_current()) if reading is not None}
        moment = self._parts.clock.now()
        renewal = self._parts.spool.renew(moment, {name: replace(reading, moment=moment) for name, reading in readings.items()})
        self._outbox.discard()
        told = {(gap.point.id, gap.interval.place) for gap in renewal.gaps}
        for place in self.places.values():
            if place.uncovered is not None and (place.point.id, place.metered.place) in told:
                place.uncovered.since = moment
            self._counting.rebase(place, moment, readings)
        self._flush()
        return renewal

    def _tend(self, place: Place, expected: ExpectedPlace) -> None:
        """Bring one place to where it should be."""
        place.point, place.expected = expected.point, True
        if place.current is not None and not self._parts.drivers.is_chosen(place.metered, place.current.generation):
            self._counting.give_over(place, place.current)
            self._flush()
        if place.current is not None and place.identity != expected.identity:
            self._look_closer(place, place.current, expected)
        if place.current is None:
            first_seen = self._parts.clock.now()
            if expected.identity is not None:
                self._counting.begin(place, expected)
            self._remember_uncovered(place, expected, first_seen)
        elif place.current.generation.digest != expected.classification.digest:
            if self._counting.is_counting(place, place.current):
                self._counting.switch(place, place.current, expected)
            else:
                self._lose(place, place.current)

    def _look_closer(self, place: Place, current: Counting, expected: ExpectedPlace) -> None:
        """Find out whether a device that is not what it was is still counted, as one that was only given other properties is."""
        if self._counting.is_counting(place, current):
            place.identity = expected.identity
        else:
            self._lose(place, current)

    def _lose(self, place: Place, current: Counting) -> None:
        """Give a generation up; that must be recorded before another begins, which would pass for its successor."""
        devices = self._parts.host.list_devices(place.metered.namespace)
        same = place.metered.device in devices and place.identity in {None, devices[place.metered.device]}
        self._counting.lose(place, current, CoverageReason.COUNTERS_LOST if same else CoverageReason.DEVICE_GONE)
        self._flush()

    def _remember_uncovered(self, place: Place, expected: ExpectedPlace, first_seen: Moment) -> None:
        if place.current is not None:
            return
        if place.uncovered is None:
            place.uncovered = Uncovered(first_seen, CoverageReason.NOT_METERED)
            if expected.identity is None:
                message = "there is no such device, or its namespace cannot be entered"
                self._parts.observer.raise_alarm(AgentAlarm.COVERAGE_LOST, message, device=place.metered.place)
        if place.uncovered.row is None and not self._outbox.refused:
            self._counting.anchor(place, expected, place.uncovered)

    def _read(self, place: Place, current: Counting, *, recording: bool, to_the_end: bool) -> None:
        if not self._counting.read(place, current):
            self._lose(place, current)
        elif recording and (to_the_end or self._is_due(current.base.moment, current.last.moment)):
            self._counting.report(place, current)

    def _end_others(self, expected: Collection[MeteredDevice]) -> dict[str, Moment]:
        """End the places that are not expected any more, and tell when that was, by point and device."""
        ended: dict[str, Moment] = {}
        for metered in [metered for metered in self.places if metered not in expected]:
            ended[_location(metered)] = self._counting.end(self.places.pop(metered))
        return ended

    def _history(self, metered: MeteredDevice, ended: Mapping[str, Moment]) -> Uncovered | None:
        """Tell since when a new place has not been metered: it was in another way until now, or the device came since the last look.

        None where the plan has only now come to name it.
        """
        if _location(metered) in ended:
            return Uncovered(ended[_location(metered)], CoverageReason.NOT_METERED)
        if any(stranger.metered == metered for stranger in self._strangers):
            return Uncovered(self._watched or self._started, CoverageReason.FOREIGN_COUNTERS)
        if self._watched is not None and metered.point_id in self._watched_points:
            return Uncovered(self._watched, CoverageReason.NOT_METERED)
        return None

    def _retire_strangers(self) -> None:
        """Remove what the kernel has of other spools at devices that are metered; elsewhere it may be of an agent that comes back."""
        metered = {place.metered.place for place in self.places.values() if place.current is not None}
        for stranger in [each for each in self._strangers if each.metered.place in metered]:
            self._outbox.retire(stranger.metered, stranger.generation, forget=False)
            self._strangers.remove(stranger)

    def _all_current(self) -> Iterator[tuple[Place, Counting]]:
        return ((place, place.current) for place in self.places.values() if place.current is not None)

    def _digests(self) -> set[str]:
        return {each.generation.digest for place in self.places.values() for each in place.all_counting()}

    def _is_due(self, since: Moment, moment: Moment) -> bool:
        return self._parts.crosses_border(since.wall, moment.wall)

    def _flush(self) -> bool:
        return self._outbox.flush(self._parts.clock.now())


def _location(metered: MeteredDevice) -> str:
    return f"{metered.point_id} {metered.place}"
