"""The attachment of a device: the program that stays at its hooks, and the slot of the one that it calls.

Owns links, filters and the switch. What the called program counts in is for the driver.
"""

import errno
import os
import socket
import struct
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from venturi.adapters.drivers.ebpf.bpf import clsact
from venturi.adapters.drivers.ebpf.bpf.attached import AttachedLinks
from venturi.adapters.drivers.ebpf.bpf.libbpf import Libbpf, MapShape
from venturi.adapters.drivers.ebpf.bpf.links import LinkDescription, describe_link, link_netfilter, link_tcx, program_id
from venturi.adapters.drivers.ebpf.bpf.program import ProgramFile
from venturi.adapters.drivers.ebpf.layout import root_constants
from venturi.adapters.drivers.ebpf.meta import DevicePlace, GenerationRecord
from venturi.adapters.drivers.ebpf.order import Order, look_at_order
from venturi.adapters.drivers.ebpf.pins import ROOT, make_folder, remove_folder
from venturi.adapters.network.namespaces import inside, namespace_identity
from venturi.core.domain.errors import DriverError, KernelRefusedError
from venturi.core.domain.generation import MeteredDevice
from venturi.core.domain.point import Hook, PointTraffic

SLOT = "current"
"""The map that holds the current generation's program."""

_SEEN_ORDER = "seen_order"
"""The map that holds the revisions of the order when it was looked at last, by whichever process."""

_ARRAY = 2  # BPF_MAP_TYPE_ARRAY
_REVISIONS = struct.Struct("=QQ")

_FIRST = bytes(4)
_HOOK_NUMBERS = {"local_in": 1, "forward": 2, "local_out": 3}  # enum nf_inet_hooks
_HOOKS = {
    PointTraffic.FORWARDED: ("forward",),
    PointTraffic.LOCAL: ("local_in", "local_out"),
    PointTraffic.BOTH: ("forward", "local_in", "local_out"),
}
_TCX_LINKS = {"tcx_ingress": False, "tcx_egress": True}
_NO_TCX = {errno.EINVAL, errno.EOPNOTSUPP}


def locate(metered: MeteredDevice) -> DevicePlace:
    """Tell which device the name stands for; raises ``DriverError`` where there is none."""
    with inside(metered.namespace):
        try:
            index = socket.if_nametoindex(metered.device)
        except OSError as error:
            where = "the agent's network namespace" if metered.namespace is None else f"network namespace '{metered.namespace}'"
            message = f"there is no device '{metered.device}' in {where}"
            raise DriverError(message) from error
    return DevicePlace(index, namespace_identity(metered.namespace))


class Attachment:
    """What is pinned in one folder for one device. Every method raises ``DriverError`` where the kernel refuses."""

    def __init__(self, libbpf: Libbpf, programs: ProgramFile, links: AttachedLinks, folder: Path, *, tcx: bool) -> None:
        self._libbpf = libbpf
        self._programs = programs
        self._links = links
        self._tcx = tcx
        self._folder = folder

    def attach(self, metered: MeteredDevice, place: DevicePlace) -> None:
        """Put the program that stays at the hooks; it counts nothing before the first switch."""
        make_folder(self._folder)
        kind = "tc" if metered.hook is Hook.TC else "netfilter"
        with self._programs.loaded(f"{kind}_root", root_constants(place.index)) as program:
            self._libbpf.pin(program.maps[SLOT], self._folder / SLOT)
            self._libbpf.pin(program.descriptor, self._folder / ROOT)
            with inside(metered.namespace):
                if metered.hook is Hook.TC:
                    self._attach_tc(program.descriptor, place.index)
                else:
                    self._attach_netfilter(program.descriptor, metered.traffic)

    def switch(self, program: int) -> None:
        """Make a program the current one, from one moment on for both families, both directions and all hooks."""
        with self._libbpf.opened(self._folder / SLOT) as slot:
            self._libbpf.update(slot, _FIRST, struct.pack("=I", program))

    def current(self) -> int:
        """Give the number by which the kernel knows the current program, 0 for none."""
        if not (self._folder / SLOT).exists():
            return 0
        with self._libbpf.opened(self._folder / SLOT) as slot:
            value = self._libbpf.lookup(slot, _FIRST, 4)
        return 0 if value is None else int(struct.unpack("=I", value)[0])

    def detach(self, record: GenerationRecord | None) -> None:
        """Take everything away; ``record`` tells of a device whose filters are to go, which no pin holds."""
        if record is not None and record.metered.hook is Hook.TC:
            self._remove_filters(record)
        remove_folder(self._folder)

    def is_whole(self, record: GenerationRecord) -> bool:
        """Tell whether all links are there, are attached with the program that stays, and see the device as it is now."""
        try:
            if locate(record.metered) != record.place:
                return False
        except DriverError:
            return False
        if not (self._folder / ROOT).exists():
            return False
        if record.metered.hook is Hook.TC:
            return self._sees_by_tc(record)
        links = self._describe_links([name for name, _, _ in _netfilter_links(record.metered.traffic)])
        return links is not None and {link.number for link in links} <= self._links.numbers()

    def look_at_order(self, record: GenerationRecord, own: Callable[[], Collection[int]]) -> Order:
        """Tell what comes before the program that stays, at the tc hook; ``own`` gives venturi's programs."""
        with inside(record.metered.namespace):
            return look_at_order(record.place.index, own, by_filters=not self._has_tcx_links())

    def seen_revisions(self) -> tuple[int, ...] | None:
        """Give the revisions of the order that were noted last, None where none were since the program was put at the hooks."""
        if not (self._folder / _SEEN_ORDER).exists():
            return None
        with self._libbpf.opened(self._folder / _SEEN_ORDER) as seen:
            value = self._libbpf.lookup(seen, _FIRST, _REVISIONS.size)
        return None if value is None else _REVISIONS.unpack(value)

    def note_revisions(self, revisions: tuple[int, ...]) -> None:
        """Note the revisions of the order in the kernel, so that the next process knows what changed while none ran."""
        pin = self._folder / _SEEN_ORDER
        if pin.exists():
            with self._libbpf.opened(pin) as seen:
                self._libbpf.update(seen, _FIRST, _REVISIONS.pack(*revisions))
            return
        with self._libbpf.created_map("venturi_order", MapShape(_ARRAY, 4, _REVISIONS.size, 1)) as seen:
            self._libbpf.update(seen, _FIRST, _REVISIONS.pack(*revisions))
            self._libbpf.pin(seen, pin)

    def _attach_netfilter(self, program: int, traffic: PointTraffic) -> None:
        for name, family, hook in _netfilter_links(traffic):
            self._pin_link(link_netfilter(program, family, hook), name)

    def _attach_tc(self, program: int, device: int) -> None:
        if not self._tcx or not self._attach_tcx(program, device):
            clsact.add_filters(program, device)

    def _attach_tcx(self, program: int, device: int) -> bool:
        """Link both ways; False where the kernel has no tcx."""
        for name, egress in _TCX_LINKS.items():
            try:
                self._pin_link(link_tcx(program, device, egress=egress), name)
            except KernelRefusedError as error:
                if error.number in _NO_TCX:
                    return False
                raise
        return True

    def _pin_link(self, link: int, name: str) -> None:
        try:
            self._libbpf.pin(link, self._folder / name)
        finally:
            os.close(link)

    def _sees_by_tc(self, record: GenerationRecord) -> bool:
        if self._has_tcx_links():
            links = self._describe_links(list(_TCX_LINKS))
            return links is not None and {link.device for link in links} == {record.place.index}
        with inside(record.metered.namespace):
            return clsact.has_filters(self._root_id(), record.place.index)

    def _has_tcx_links(self) -> bool:
        return any((self._folder / name).exists() for name in _TCX_LINKS)

    def _describe_links(self, names: Sequence[str]) -> list[LinkDescription] | None:
        """Describe the links of names, None unless all are there with the program that stays."""
        pins = [self._folder / name for name in names]
        if not all(pin.exists() for pin in pins):
            return None
        links = []
        for pin in pins:
            with self._libbpf.opened(pin) as link:
                links.append(describe_link(link))
        return links if {link.program for link in links} == {self._root_id()} else None

    def _root_id(self) -> int:
        with self._libbpf.opened(self._folder / ROOT) as root:
            return program_id(root)

    def _remove_filters(self, record: GenerationRecord) -> None:
        """Remove clsact filters, unless they went with the device."""
        try:
            gone = locate(record.metered) != record.place
        except DriverError:
            gone = True
        if not gone and (self._folder / ROOT).exists():
            with inside(record.metered.namespace):
                clsact.remove_filters(self._root_id(), record.place.index)


def _netfilter_links(traffic: PointTraffic) -> Iterator[tuple[str, int, int]]:
    """Name the links of a point's traffic, with family and number of the hook."""
    for hook in _HOOKS[traffic]:
        for family in (4, 6):
            yield f"{hook}_ipv{family}", family, _HOOK_NUMBERS[hook]
