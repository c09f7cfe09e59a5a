"""The program of a generation: loaded with tables of its own and pinned with its counters.

Owns the making of a generation up to its switch. Where it is attached is for ``attachment``.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from venturi.adapters.drivers.ebpf.bpf.libbpf import Libbpf, MapShape, highest_cpu
from venturi.adapters.drivers.ebpf.bpf.program import Program, ProgramFile
from venturi.adapters.drivers.ebpf.configuration import EbpfConfig
from venturi.adapters.drivers.ebpf.layout import (
    BAD_IP_HEADERS,
    COUNTERS,
    HASHED_PAIRS,
    TABLES,
    UNATTRIBUTED,
    GenerationLayout,
    LeafMetering,
    leaf_constants,
    sizes_of,
)
from venturi.adapters.drivers.ebpf.meta import META_OCTETS, GenerationRecord, encode_record
from venturi.adapters.drivers.ebpf.pins import META, PROGRAM, make_folder
from venturi.core.domain.point import Hook

_ARRAY = 2  # BPF_MAP_TYPE_ARRAY
_COUNTED = (COUNTERS, HASHED_PAIRS, UNATTRIBUTED, BAD_IP_HEADERS)


@contextmanager
def loaded_leaf(
    libbpf: Libbpf, programs: ProgramFile, config: EbpfConfig, hook: Hook, device: int, layout: GenerationLayout
) -> Iterator[Program]:
    """Have the kernel load the program of a generation, with its tables filled; raises ``DriverError``."""
    kind = "tc" if hook is Hook.TC else "netfilter"
    cpus = highest_cpu() + 1
    metering = LeafMetering(device, config.segments, hook is Hook.NETFILTER or _is_preemptible_everywhere())
    constants = leaf_constants(metering, layout, cpus)
    with programs.loaded(f"{kind}_leaf", constants, sizes_of(layout, config.hashed_pairs, cpus)) as program:
        for name, table in zip(TABLES, layout.tables, strict=True):
            libbpf.write_only_element(program.maps[name], table.content)
        yield program


def pin_leaf(libbpf: Libbpf, program: Program, record: GenerationRecord, folder: Path) -> None:
    """Pin a generation's record, program and counters in a folder; raises ``DriverError``."""
    make_folder(folder)
    with libbpf.created_map("venturi_meta", MapShape(_ARRAY, 4, META_OCTETS, 1)) as meta:
        libbpf.update(meta, bytes(4), encode_record(record))
        libbpf.pin(meta, folder / META)
    for name in _COUNTED:
        if name in program.maps:
            libbpf.pin(program.maps[name], folder / name)
    libbpf.pin(program.descriptor, folder / PROGRAM)


def is_pinned_whole(folder: Path) -> bool:
    """Tell whether all is there by which a generation counts and can be read."""
    return all((folder / name).exists() for name in (META, PROGRAM, COUNTERS, HASHED_PAIRS, UNATTRIBUTED))


def _is_preemptible_everywhere() -> bool:
    """Tell whether this is a real-time kernel, where threads of softirqs may take turns on a CPU."""
    return "PREEMPT_RT" in os.uname().version
