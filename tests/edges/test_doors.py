"""Whatever the layers above call of an adapter is guarded by an edge and has every error raised in it, or it is said here why not."""

import ast
import dataclasses
import enum
import importlib
import inspect

import pytest

from tests.edges import test_edges, test_kernel_edges, test_store_edges
from tests.edges.holding import doors_of
from tests.support.sources import list_modules
from venturi.adapters.edges import GUARDED

WITHIN = "speaks within a transaction of the store, whose edge converts"
THROUGH = "speaks through Connection alone"
PURE = "touches nothing outside"
HANDLES = "answers every error itself"

UNGUARDED = {
    "client.agents.PlanClient": THROUGH,
    "client.agents.StatusClient": THROUGH,
    "client.ledger.LedgerClient": THROUGH,
    "client.resources.Resources": THROUGH,
    "drivers.memory_host.MemoryHost": PURE,
    "drivers.selection.probe_drivers": "asks drivers, which are guarded",
    "drivers.selection.select_driver": "asks drivers, which are guarded",
    "drivers.selection.select_drivers": "asks drivers, which are guarded",
    "ending.Ending": PURE,
    "host_clocks.look_at_clocks": "clocks can always be looked at",
    "host_clocks.tell_process": HANDLES,
    "host_facts.read_host_facts": HANDLES,
    "kernel_cache.KernelCache": HANDLES,
    "laboratory.network.laboratory_name": PURE,
    "laboratory.traffic.Traffic": "a process of the demonstration, whose end is told by the demonstration",
    "logs.log.hide_secrets": PURE,
    "logs.log.running_log": "writes the log, where a failure could not be told",
    "reused_memory.ReusedMemory": PURE,
    "server.background.running_beside": "runs what is given to it",
    "server.listening.is_loopback": PURE,
    "server.memory.trim_memory": HANDLES,
    "service_manager.notify_service_manager": HANDLES,
    "spool.dating.move_moment": PURE,
    "store.ledger.corrected.find_correction": WITHIN,
    "store.ledger.corrected.find_entry": WITHIN,
    "store.ledger.held.HeldTable": WITHIN,
    "store.ledger.long_intervals.count_long_gaps": WITHIN,
    "store.ledger.long_intervals.end_long_gaps": WITHIN,
    "store.ledger.overlaps.find_accounted": WITHIN,
    "store.ledger.postings.LedgerWriter": WITHIN,
    "store.ledger.rolling.watermark.fold_border": PURE,
    "store.ledger.rolling.watermark.fold_time": PURE,
    "store.ledger.spools.read_spools": WITHIN,
    "store.ledger.told.ToldMemory": PURE,
    "store.ledger.told.ToldRecord": WITHIN,
    "store.ledger.told_history.HistoryWalk": PURE,
    "store.ledger.told_points.find_states": WITHIN,
    "store.maintenance.opening.open_for_reading": "converts what is raised within its block, by the same edge",
    "store.store.StoreReader": WITHIN,
    "store.store.StoreWriter": WITHIN,
    "store.usage.lifetimes.read_unmetered": WITHIN,
    "threads.backoff.Backoff": PURE,
    "threads.backoff.Pause": PURE,
    "threads.backoff.Recovery": PURE,
    "threads.metrics_server.MetricsServer": "converts what the socket refuses, and tells of faults of its readers",
    "threads.supervisor.Supervisor": "tells of every error of the threads that it starts",
    "whole_files.read_whole": HANDLES,
    "whole_files.write_whole": "its callers go on without the file, and say so",
}
WITHOUT_ERRORS = {
    "drivers.hook_drivers.HookDrivers": "calls drivers alone, in which errors are raised",
    "drivers.memory.MemoryDriver": PURE,
}
"""The doors that are guarded without need, since a driver is what callers know."""

SCENARIOS = (test_edges, test_kernel_edges, test_store_edges)
ABOVE = ("src/venturi/services", "src/venturi/interfaces", "src/venturi/composition", "src/venturi/cli")


def list_doors() -> dict[str, object]:
    """Give the classes and functions of adapters that the layers above import; values, enumerations and protocols do nothing."""
    doors: dict[str, object] = {}
    for module in [module for folder in ABOVE for module in list_modules(folder)]:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("venturi.adapters."):
                adapter = importlib.import_module(node.module or "")
                for alias in node.names:
                    doors[f"{node.module}.{alias.name}".removeprefix("venturi.adapters.")] = getattr(adapter, alias.name)
    return {name: door for name, door in doors.items() if inspect.isfunction(door) or (inspect.isclass(door) and _does(door))}


def _does(door: type) -> bool:
    is_value = dataclasses.is_dataclass(door) or issubclass(door, enum.Enum | tuple) or hasattr(door, "__struct_fields__")
    return not is_value and not getattr(door, "_is_protocol", False)


@pytest.mark.parametrize(("name", "door"), sorted(list_doors().items()))
def test_a_door_is_guarded(name: str, door: object) -> None:
    assert (GUARDED in vars(door)) != (name in UNGUARDED)


def test_nothing_is_left_out_that_is_not_there() -> None:
    assert set(UNGUARDED) <= set(list_doors())


def test_errors_are_raised_behind_each_door() -> None:
    struck = {door for scenarios in SCENARIOS for test in vars(scenarios).values() for door in doors_of(test)}
    guarded = {name: door for name, door in list_doors().items() if GUARDED in vars(door)}
    assert {name for name, door in guarded.items() if door not in struck} == set(WITHOUT_ERRORS)
