"""Selection: which driver counts at a hook of this host.

Owns the order of preference. What each driver needs is asked of the driver itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from venturi.adapters.drivers.choice import DriverChoice
from venturi.adapters.drivers.hook_drivers import HookDrivers
from venturi.adapters.drivers.protocol import Answer, Driver, Support
from venturi.core.domain.errors import DriverError
from venturi.core.domain.point import Hook


@dataclass(frozen=True)
class ProbedDriver:
    """A driver and whether it can run."""

    driver: Driver
    support: Support


def probe_drivers(drivers: Sequence[Driver], hook: Hook) -> list[ProbedDriver]:
    """Ask each driver whether it can count at a hook of this host, in order of preference."""
    return [ProbedDriver(driver, driver.probe(hook)) for driver in drivers]


def select_driver(choice: DriverChoice, probed: Sequence[ProbedDriver]) -> Driver:
    """Take the first driver that can run, or the one that was asked for; raises ``DriverError``, with reasons and remedies."""
    candidates = [candidate for candidate in probed if choice in {DriverChoice.AUTO, candidate.driver.name.value}]
    for candidate in candidates:
        if candidate.support.answer is Answer.YES:
            return candidate.driver
    reasons = "; ".join(f"{candidate.driver.name}: {_spell(candidate.support)}" for candidate in candidates)
    message = f"no driver can count on this host: {reasons}"
    raise DriverError(message)


def _spell(support: Support) -> str:
    return f"{support.because}, {support.remedy}" if support.remedy else support.because


def select_drivers(choice: DriverChoice, drivers: Sequence[Driver]) -> HookDrivers:
    """Take a driver for each hook; raises ``DriverError`` with the reasons where none can count at any."""
    chosen: dict[Hook, Driver] = {}
    refused: dict[Hook, str] = {}
    for hook in Hook:
        try:
            chosen[hook] = select_driver(choice, probe_drivers(drivers, hook))
        except DriverError as error:
            refused[hook] = f"at the hook '{hook}', {error}"
    if not chosen:
        raise DriverError(refused[Hook.NETFILTER])
    return HookDrivers(chosen, refused, [driver for driver in drivers if driver not in chosen.values()])
