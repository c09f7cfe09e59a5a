"""The doctor: what this host can count by, what goes around the hook, and which driver an agent would take.

Owns what is looked at and how it is told, to a person and to programs.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import TextIO

from venturi.adapters.drivers.ebpf.order import find_earlier_programs
from venturi.adapters.drivers.protocol import Answer, Driver
from venturi.adapters.drivers.selection import probe_drivers, select_driver
from venturi.adapters.host_facts import HostFacts, read_host_facts
from venturi.adapters.network.bypass import find_bypasses
from venturi.adapters.network.namespaces import list_devices, list_namespaces
from venturi.core.domain.errors import DriverError
from venturi.core.domain.point import Hook
from venturi.interfaces.agent.drivers import ebpf_config, list_drivers
from venturi.interfaces.render.resources.output import write_document, write_list, write_one
from venturi.interfaces.render.resources.view import View
from venturi.interfaces.standard_output import write_standard_output
from venturi.services.agent.configuration import AgentSettings

_CAN_COUNT = 0
_LOOPBACK = "lo"
_ABSENT = {"lockdown": "not locked down", "libbpf": "not installed", "nft": "not installed, and not needed"}


@dataclass(frozen=True)
class DriverRow:
    """What a driver says of a hook of this host, and what an operator can do where it cannot count there."""

    driver: str
    hook: str
    answer: str
    because: str
    remedy: str


@dataclass(frozen=True)
class BypassRow:
    """A way around the hook; ``namespace`` is "" for the one that the command runs in."""

    namespace: str
    device: str
    because: str


@dataclass(frozen=True)
class Examination:
    """All that was found; ``takes`` is the driver that an agent would count by, ``takes_at_tc`` the one at the tc hook, or why none."""

    host: HostFacts
    drivers: list[DriverRow]
    bypasses: list[BypassRow]
    takes: str
    takes_at_tc: str
    can_count: bool


def show_examination(settings: AgentSettings, view: View) -> int:
    """Examine the host and write what was found; give 0 if a driver can count where packets are forwarded, else that of ``DriverError``."""
    examination = _examine(settings)
    write_standard_output(partial(_write, examination, view))
    return _CAN_COUNT if examination.can_count else DriverError.exit_code


def _examine(settings: AgentSettings) -> Examination:
    drivers = list_drivers(settings)
    rows = [_driver_row(driver, hook) for hook in Hook for driver in drivers]
    (takes, can_count), (takes_at_tc, _) = (_select(settings, drivers, hook) for hook in (Hook.NETFILTER, Hook.TC))
    return Examination(read_host_facts(), rows, _list_bypasses(settings), takes, takes_at_tc, can_count)


def _select(settings: AgentSettings, drivers: Sequence[Driver], hook: Hook) -> tuple[str, bool]:
    """Name the driver that an agent would take at a hook, or say why none, and tell whether there is one."""
    try:
        return select_driver(settings.driver, probe_drivers(drivers, hook)).name.value, True
    except DriverError:
        return f"none: no driver can count at the hook '{hook}', for the reasons below", False


def _driver_row(driver: Driver, hook: Hook) -> DriverRow:
    support = driver.probe(hook)
    can = support.answer is Answer.YES
    because = support.because or ("it was tried" if can else "the driver does not say")
    return DriverRow(
        driver.name.value, hook.value, support.answer.value, because, support.remedy or ("none needed" if can else "none known")
    )


def _list_bypasses(settings: AgentSettings) -> list[BypassRow]:
    """Ask every device of every namespace; one that goes meanwhile, or cannot be entered, is left out."""
    rows = []
    for namespace in (None, *list_namespaces()):
        with suppress(DriverError):
            for device in list_devices(namespace):
                if device.name != _LOOPBACK:
                    found = [*find_bypasses(namespace, device.name), *find_earlier_programs(ebpf_config(settings), namespace, device.name)]
                    rows += [BypassRow(namespace or "", device.name, because) for because in found]
    return rows


def _write(examination: Examination, view: View, stream: TextIO) -> None:
    if view.form in {"json", "yaml"}:
        write_document(asdict(examination), view, stream)
        return
    facts = {name: _spell_fact(name, fact) for name, fact in asdict(examination.host).items()}
    host = {**facts, "takes": examination.takes, "takes_at_tc": examination.takes_at_tc}
    write_one(host, tuple(host), view, stream)
    for rows, columns in ((examination.drivers, DriverRow.__match_args__), (examination.bypasses, BypassRow.__match_args__)):
        if rows:
            stream.write("\n")
            write_list([asdict(row) for row in rows], columns, view, stream)


def _spell_fact(name: str, fact: object) -> object:
    """Spell a fact for people: what a host does not have by a word."""
    if isinstance(fact, tuple):
        return list(fact) or "none"
    if isinstance(fact, bool):
        return "yes" if fact else "no"
    return fact or _ABSENT.get(name, "none")
