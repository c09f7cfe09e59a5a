"""Programs of others at the tc hook, which let every packet pass and end the chain.

Owns how a test attaches and takes away such a program.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from venturi.adapters.drivers.ebpf.bpf.libbpf import Libbpf, ProgramKind
from venturi.adapters.drivers.ebpf.bpf.links import link_tcx
from venturi.adapters.network.namespaces import device_index, inside
from venturi.core.domain.generation import MeteredDevice

NAME = "lets_pass"

_SCHED_CLS, _TCX_EGRESS = 3, 47
_PASS = np.frombuffer(bytes.fromhex("b7000000000000009500000000000000"), dtype=np.uint64)
"""r0 = TCX_PASS; exit."""


@contextmanager
def passing_at(metered: MeteredDevice) -> Iterator[None]:
    """Have a program before all others at a device, on egress, that ends the chain, until the end of the block."""
    index = device_index(metered.namespace, metered.device)
    assert index is not None
    program = Libbpf().load_program(ProgramKind(_SCHED_CLS, _TCX_EGRESS), NAME, _PASS)
    try:
        with inside(metered.namespace):
            link = link_tcx(program, index, egress=True)
        yield
        os.close(link)
    finally:
        os.close(program)
