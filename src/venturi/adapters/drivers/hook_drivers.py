"""The drivers of an agent: the one that counts at each hook, and those that counted before and are to be read to the end.

Owns whose a generation is. Which driver is chosen is for ``selection``.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Self

from venturi.adapters.drivers.protocol import Driver, FoundGeneration, Reading
from venturi.adapters.edges import KERNEL_EDGE
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.errors import DriverError, GenerationGoneError
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.point import Hook


@KERNEL_EDGE.adapter
class HookDrivers:
    """Does what a ``Driver`` does, each time by the driver that it concerns. Used by one thread."""

    def __init__(self, chosen: Mapping[Hook, Driver], refused: Mapping[Hook, str], others: Sequence[Driver] = ()) -> None:
        """Count at each hook by the driver that is ``chosen`` there; ``refused`` says why none is at the rest.

        ``others`` are drivers by which agents of this host may have counted before.
        """
        self._chosen = chosen
        self._refused = refused
        self._others = others
        self._counting = tuple(dict.fromkeys(chosen.values()))
        self._earlier: list[Driver] = []
        self._of: dict[str, Driver] = {}

    @classmethod
    def only(cls, driver: Driver) -> Self:
        """Count by one driver at every hook."""
        return cls(dict.fromkeys(Hook, driver), {})

    def __str__(self) -> str:
        """Name the drivers that count; where they differ by hook, the hooks too."""
        names = {hook: driver.name.value for hook, driver in self._chosen.items()}
        if len(set(names.values())) == 1:
            return next(iter(names.values()))
        return ", ".join(f"{name} at {hook}" for hook, name in names.items())

    def start(self, before: Collection[str] = ()) -> list[str]:
        """Start what counts, and the others that are named in ``before``; say, a sentence for each, which of those cannot run.

        Raises ``DriverError`` where a driver that counts cannot.
        """
        for driver in self._counting:
            driver.start()
        problems = []
        for driver in self._others:
            if driver.name in before:
                try:
                    driver.start()
                    self._earlier.append(driver)
                except DriverError as error:
                    problems.append(f"what counts by {driver.name} cannot be read any more: {error}")
        return problems

    def stop(self) -> None:
        """Stop all; the kernel keeps counting."""
        for driver in (*self._counting, *self._earlier):
            driver.stop()
        self._earlier.clear()

    def name_at(self, hook: Hook) -> str:
        """Name the driver that counts at a hook, "" where none does."""
        return self._chosen[hook].name.value if hook in self._chosen else ""

    def is_chosen(self, metered: MeteredDevice, generation: Generation) -> bool:
        """Tell whether a generation is of the driver that counts at the device's hook now."""
        return self._of.get(generation.id) is self._chosen.get(metered.hook)

    def apply(self, metered: MeteredDevice, classifier: CompiledClassifier, generation: Generation) -> None:
        """Count under a new generation; raises ``DriverError``, also where no driver counts at the device's hook."""
        driver = self._chosen.get(metered.hook)
        if driver is None:
            raise DriverError(self._refused[metered.hook])
        driver.apply(metered, classifier, generation)
        self._of[generation.id] = driver

    def read(self, metered: MeteredDevice, generation: Generation) -> Reading:
        """Give the totals of a generation; raises ``DriverError``."""
        return self._driver_of(generation).read(metered, generation)

    def retire(self, metered: MeteredDevice, generation: Generation) -> None:
        """Remove a generation; raises ``GenerationGoneError`` where it is not there, and any other ``DriverError`` where it stays."""
        try:
            self._driver_of(generation).retire(metered, generation)
        except GenerationGoneError:
            self.forget(generation)
            raise
        self.forget(generation)

    def forget(self, generation: Generation) -> None:
        """Know no more of a generation, whether it is there or not."""
        self._of.pop(generation.id, None)

    def is_counting(self, metered: MeteredDevice, generation: Generation) -> bool:
        """Tell whether a generation sees the packets of the device as it is now; raises ``DriverError``."""
        return generation.id in self._of and self._of[generation.id].is_counting(metered, generation)

    def has_bypass(self, metered: MeteredDevice, generation: Generation) -> bool:
        """Tell whether anything may have kept packets from a generation since this was asked last; raises ``DriverError``."""
        return bool(self._driver_of(generation).find_bypasses(metered, generation))

    def find(self) -> Sequence[FoundGeneration]:
        """List the generations of all these drivers; raises ``DriverError``."""
        found: list[FoundGeneration] = []
        for driver in (*self._counting, *self._earlier):
            theirs = driver.find()
            found += theirs
            self._of |= {each.generation.id: driver for each in theirs}
        return found

    def _driver_of(self, generation: Generation) -> Driver:
        if generation.id not in self._of:
            message = f"no driver knows generation '{generation.id}'"
            raise GenerationGoneError(message)
        return self._of[generation.id]
