"""The order of programs at the tc hook: what packets come to before venturi counts them.

Owns what is asked of the kernel and the sentences. A program that answers anything but "next" ends the chain: its packets pass, and what
comes after never sees them. What a program will answer cannot be told by looking at it.
"""

from collections.abc import Callable, Collection
from typing import NamedTuple

from venturi.adapters.drivers.ebpf.bpf import clsact
from venturi.adapters.drivers.ebpf.bpf.libbpf import Libbpf
from venturi.adapters.drivers.ebpf.bpf.links import program_id, program_name, query_tcx
from venturi.adapters.drivers.ebpf.configuration import EbpfConfig
from venturi.adapters.drivers.ebpf.pins import Pins
from venturi.adapters.edges import KERNEL_EDGE
from venturi.adapters.network.namespaces import device_index, inside

_EGRESS = {"ingress": False, "egress": True}


class Order(NamedTuple):
    """What comes before venturi at a device, a sentence for each, and a ``revision`` for each direction, which grows with each change."""

    earlier: list[str]
    revisions: tuple[int, ...]


def look_at_order(device: int, own: Callable[[], Collection[int]], *, by_filters: bool) -> Order:
    """Look at a device of the calling thread's namespace; raises ``DriverError``.

    ``own`` gives venturi's programs by number, which pass everything on. ``by_filters``, they are no links but filters, to which packets
    come after all links.
    """
    earlier, revisions = [], []
    for side, egress in _EGRESS.items():
        chain = query_tcx(device, egress=egress)
        revisions.append(chain.revision)
        if by_filters or len(chain.programs) > 1:
            known = own()
            places = [place for place, program in enumerate(chain.programs) if program in known]
            end = len(chain.programs) if by_filters else max(places, default=0)
            earlier += [_tell(f"program '{program_name(program)}'", side) for program in chain.programs[:end] if program not in known]
    if by_filters:
        earlier += [_tell("filter", side) for side, has_earlier in clsact.earlier_filters(device).items() if has_earlier]
    return Order(earlier, tuple(revisions))


@KERNEL_EDGE.function
def find_earlier_programs(config: EbpfConfig, namespace: str | None, device: str) -> list[str]:
    """Say, a sentence for each, what can end the chain at a device before venturi's program there; nothing where it has none.

    Raises ``DriverError`` where the kernel cannot be asked.
    """
    index = device_index(namespace, device)
    if index is None:
        return []
    with inside(namespace):
        by_filters = bool(clsact.earlier_filters(index))
        order = look_at_order(index, lambda: list_roots(Libbpf(), Pins(config.bpffs, config.layout_versions)), by_filters=by_filters)
    return [f"'{device}' {sentence}" for sentence in order.earlier]


def list_roots(libbpf: Libbpf, pins: Pins) -> set[int]:
    """Give the numbers of the programs that stay at the hooks, at all devices."""
    numbers = set()
    for pin in pins.list_roots():
        with libbpf.opened(pin) as root:
            numbers.add(program_id(root))
    return numbers


def _tell(what: str, side: str) -> str:
    return f"has a tc {what} before that of venturi ({side}), which can pass packets on uncounted"
