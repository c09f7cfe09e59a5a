"""Programs out of the compiled object, each with maps of its own at the sizes that it needs.

Owns their loading. libbpf fits a program to the kernel by the types that both were built with, which takes longer than its verification; so
it does that once, and what it made of the instructions is loaded from then on. What the maps hold is not known here.
"""

import ctypes
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.adapters.drivers.ebpf.bpf.libbpf import Libbpf, MapShape, ProgramKind, refusal
from venturi.core.domain.errors import DriverError

_KINDS = {
    "netfilter": ProgramKind(32, 45),  # BPF_PROG_TYPE_NETFILTER, BPF_NETFILTER
    "tc": ProgramKind(3, 0),  # BPF_PROG_TYPE_SCHED_CLS
    "iter": ProgramKind(26, 28, "bpf_link"),  # BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER
}
_CONSTANTS, _VARIABLES = ".rodata", ".data."
_FIRST = bytes(4)
_INSTRUCTION = np.dtype([("operation", "u1"), ("registers", "u1"), ("offset", "i2"), ("immediate", "i4")])  # struct bpf_insn
_LOAD_ADDRESS = 0x18  # BPF_LD | BPF_IMM | BPF_DW
_OF_MAPS = (1, 2)  # BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE: the file descriptor of a map is the immediate


@dataclass(frozen=True, kw_only=True)
class ProgramSizes:
    """How large the maps of a program are: octets of the value or number of entries, by the name of the map."""

    value_octets: Mapping[str, int] = field(default_factory=dict)
    entries: Mapping[str, int] = field(default_factory=dict)

    def fit(self, name: str, shape: MapShape) -> MapShape:
        """Give the shape that a map is to have, of the one that it was written with."""
        return shape._replace(value_octets=self.value_octets.get(name, shape.value_octets), entries=self.entries.get(name, shape.entries))


class Program(NamedTuple):
    """A program in the kernel, by its file descriptor and those of its maps."""

    descriptor: int
    maps: Mapping[str, int]


class _Fitted(NamedTuple):
    """A program's instructions as this kernel takes them, where in them each map is meant, and the shapes of those maps."""

    instructions: NDArray[Any]
    places: Mapping[str, NDArray[np.intp]]
    shapes: Mapping[str, MapShape]


class ProgramFile:
    """The programs of a compiled object. Every method raises ``DriverError`` where the object or the kernel refuses."""

    def __init__(self, libbpf: Libbpf, path: Path) -> None:
        self._libbpf = libbpf
        self._path = path
        self._fitted: dict[str, _Fitted] = {}

    @contextmanager
    def loaded(self, name: str, constants: bytes, sizes: ProgramSizes | None = None) -> Iterator[Program]:
        """Have the kernel verify and compile a program; it and its maps are gone after the block where nothing else holds them.

        ``constants`` is the whole content of the read-only variables, and of no effect on maps but those that the program uses.
        """
        fitted = self._fit(name)
        with ExitStack() as stack:
            maps = {}
            for map_name, shape in fitted.shapes.items():
                maps[map_name] = self._libbpf.create_map(map_name, (sizes or ProgramSizes()).fit(map_name, shape))
                stack.callback(os.close, maps[map_name])
                if map_name.endswith(_CONSTANTS):
                    self._write_constants(maps[map_name], shape, constants)
            descriptor = self._libbpf.load_program(_kind_of(name), name, _mean(fitted, maps))
            stack.callback(os.close, descriptor)
            yield Program(descriptor, maps)

    def _write_constants(self, descriptor: int, shape: MapShape, constants: bytes) -> None:
        if shape.value_octets != len(constants):
            message = f"the eBPF programs have {shape.value_octets} octets of constants, not {len(constants)}: they are of another version"
            raise DriverError(message)
        self._libbpf.update(descriptor, _FIRST, constants)
        self._libbpf.check("the constants cannot be made so", "bpf_map_freeze", descriptor)

    def _fit(self, name: str) -> _Fitted:
        if name not in self._fitted:
            with self._opened() as handle:
                self._fitted[name] = self._fit_opened(handle, name)
        return self._fitted[name]

    @contextmanager
    def _opened(self) -> Iterator[int]:
        handle = self._libbpf.call("bpf_object__open_file", bytes(self._path), None)
        if not handle:
            message = f"the eBPF programs in '{self._path}' cannot be opened"
            raise refusal(message, ctypes.get_errno())
        try:
            yield handle
        finally:
            self._libbpf.call("bpf_object__close", handle)

    def _fit_opened(self, handle: int, name: str) -> _Fitted:
        programs, maps = self._list(handle, "program"), self._list(handle, "map")
        for other, program in programs.items():
            kind = _kind_of(other)
            self._libbpf.call("bpf_program__set_autoload", program, other == name)
            self._libbpf.call("bpf_program__set_type", program, kind.type)  # libbpf knows of netfilter since 1.2
            self._libbpf.call("bpf_program__set_expected_attach_type", program, kind.attachment)
        self._libbpf.check(f"the kernel does not take the eBPF program {name}", "bpf_object__load", handle)
        instructions = self._copy_instructions(programs[name])
        meant = {entry: _places_of(instructions, self._libbpf.call("bpf_map__fd", maps[entry])) for entry in maps}
        places = {entry: found for entry, found in meant.items() if len(found)}
        return _Fitted(instructions, places, {entry: self._libbpf.shape_of(maps[entry]) for entry in places})

    def _copy_instructions(self, program: int) -> NDArray[Any]:
        address = self._libbpf.call("bpf_program__insns", program)
        octets = self._libbpf.call("bpf_program__insn_cnt", program) * _INSTRUCTION.itemsize
        return np.frombuffer(ctypes.string_at(address, octets), dtype=_INSTRUCTION)

    def _list(self, handle: int, kind: str) -> dict[str, int]:
        entries: dict[str, int] = {}
        entry = self._libbpf.call(f"bpf_object__next_{kind}", handle, None)
        while entry:
            entries[self._libbpf.call(f"bpf_{kind}__name", entry).decode().removeprefix(_VARIABLES)] = entry
            entry = self._libbpf.call(f"bpf_object__next_{kind}", handle, entry)
        return entries


def _kind_of(name: str) -> ProgramKind:
    return _KINDS[name.split("_", maxsplit=1)[0]]


def _places_of(instructions: NDArray[Any], descriptor: int) -> NDArray[np.intp]:
    """Find the instructions that mean a map."""
    registers = instructions["registers"]
    source = registers >> 4 if sys.byteorder == "little" else registers & 15
    means_map = (instructions["operation"] == _LOAD_ADDRESS) & np.isin(source, _OF_MAPS)
    return np.flatnonzero(means_map & (instructions["immediate"] == descriptor))


def _mean(fitted: _Fitted, maps: Mapping[str, int]) -> NDArray[Any]:
    """Give the instructions of a program that means these maps."""
    instructions = fitted.instructions.copy()
    for name, places in fitted.places.items():
        instructions["immediate"][places] = maps[name]
    return instructions
