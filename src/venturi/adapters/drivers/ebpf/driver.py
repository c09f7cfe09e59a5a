"""The eBPF driver: generations of programs and maps, applied, read and retired by the protocol of drivers.

Owns the order of steps, so that a process may die between any two of them. A generation is made under a pending name; one update of the
slot switches it on; then it gets its name for good. Whatever a dead process left pending is settled by what the slot says.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, NamedTuple

from venturi.adapters.drivers.ebpf.attachment import Attachment, locate
from venturi.adapters.drivers.ebpf.bpf.attached import AttachedLinks
from venturi.adapters.drivers.ebpf.bpf.file_system import is_bpf_file_system, mount_bpf_file_system
from venturi.adapters.drivers.ebpf.bpf.grace import GracePeriod
from venturi.adapters.drivers.ebpf.bpf.libbpf import Libbpf
from venturi.adapters.drivers.ebpf.bpf.links import program_id
from venturi.adapters.drivers.ebpf.bpf.program import ProgramFile
from venturi.adapters.drivers.ebpf.configuration import EbpfConfig
from venturi.adapters.drivers.ebpf.counters import read_bad_ip_headers, read_pairs, read_unattributed
from venturi.adapters.drivers.ebpf.layout import plan_layout
from venturi.adapters.drivers.ebpf.leaf import is_pinned_whole, loaded_leaf, pin_leaf
from venturi.adapters.drivers.ebpf.meta import META_OCTETS, DevicePlace, GenerationRecord, decode_record
from venturi.adapters.drivers.ebpf.order import list_roots
from venturi.adapters.drivers.ebpf.pins import META, PROGRAM, DevicePins, Pins
from venturi.adapters.drivers.ebpf.probe import probe_host
from venturi.adapters.drivers.protocol import DriverName, FoundGeneration, Reading, Support
from venturi.adapters.edges import KERNEL_EDGE
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.errors import DriverError
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.point import Hook


class _Loaded(NamedTuple):
    """What a started driver holds."""

    libbpf: Libbpf
    programs: ProgramFile
    grace: GracePeriod
    links: AttachedLinks


@KERNEL_EDGE.adapter
class EbpfDriver:
    """A ``Driver`` by eBPF programs on netfilter links, tcx links or clsact filters."""

    name: ClassVar[DriverName] = DriverName.EBPF

    def __init__(self, config: EbpfConfig) -> None:
        self._config = config
        self._pins = Pins(config.bpffs, config.layout_versions)
        self._loaded: _Loaded | None = None
        self._ended: set[str] = set()
        self._revisions: dict[Path, tuple[int, ...]] = {}

    def probe(self, hook: Hook) -> Support:
        """Tell whether this host can count so at a hook, having loaded the programs."""
        return probe_host(self._config, hook)

    def start(self) -> None:
        """Load the library and see to the BPF file system; raises ``DriverError``."""
        if not is_bpf_file_system(self._config.bpffs):
            if not self._config.mount_bpffs:
                message = f"there is no BPF file system at '{self._config.bpffs}': mount one there (mount -t bpf bpf {self._config.bpffs})"
                raise DriverError(message)
            mount_bpf_file_system(self._config.bpffs)
        libbpf = Libbpf()
        programs = ProgramFile(libbpf, self._config.program_file)
        self._loaded = _Loaded(libbpf, programs, GracePeriod(libbpf), AttachedLinks(programs))

    def stop(self) -> None:
        """Let go of what the process holds; what is pinned keeps counting."""
        if self._loaded is not None:
            self._loaded.grace.close()
            self._loaded.links.close()
            self._loaded = None

    def apply(self, metered: MeteredDevice, classifier: CompiledClassifier, generation: Generation) -> None:
        """Switch a device to a new generation, or leave everything as it was; raises ``DriverError``."""
        layout = plan_layout(classifier, self._config.array_pairs)
        place = locate(metered)
        record = GenerationRecord(
            metered=metered, generation=generation, place=place, segments=self._config.segments, sets=list(layout.sets)
        )
        device = self._pins.device(metered)
        pending = device.pending(generation)
        with self._pins.locked():
            self._settle(device)
            try:
                with loaded_leaf(self._libbpf, self._started.programs, self._config, metered.hook, place.index, layout) as leaf:
                    pin_leaf(self._libbpf, leaf, record, pending)
                    self._attached(device, metered, place).switch(leaf.descriptor)
                device.settle(pending)
            except DriverError:
                self._settle(device)
                raise

    def read(self, metered: MeteredDevice, generation: Generation) -> Reading:
        """Give the totals of a generation, the last ones of one that was replaced; raises ``DriverError``."""
        device, folder = self._pins.find(metered, generation)
        record = self._record(folder)
        if not self._is_current(device, folder):
            self._wait_for(generation)
        return Reading(
            record.generation,
            read_pairs(self._libbpf, folder, record.sets),
            read_unattributed(self._libbpf, folder),
            record.segments,
            read_bad_ip_headers(self._libbpf, folder),
        )

    def retire(self, metered: MeteredDevice, generation: Generation) -> None:
        """Remove a generation, and the attachment with the one that counts; raises ``DriverError``."""
        with self._pins.locked():
            device, folder = self._pins.find(metered, generation)
            if self._is_current(device, folder):
                self._attachment(device).detach(self._record(folder) if (folder / META).exists() else None)
                self._revisions.pop(device.folder, None)
            device.discard(folder)
            self._ended.discard(generation.id)
            self._settle(device)

    def is_counting(self, metered: MeteredDevice, generation: Generation) -> bool:
        """Tell whether the program of a generation is the current one and its device, links and namespace are as they were."""
        try:
            device, folder = self._pins.find(metered, generation)
        except DriverError:
            return False
        return (folder / META).exists() and self._is_counting(device, folder, self._record(folder))

    def find_bypasses(self, metered: MeteredDevice, generation: Generation) -> Sequence[str]:
        """Say what can end the chain at the tc hook before the program that counts, and whether that may have been so meanwhile.

        Meanwhile is since any process asked last: what came and went while no agent ran is told by the next one.
        """
        if metered.hook is not Hook.TC:
            return []
        device, folder = self._pins.find(metered, generation)
        attachment = self._attachment(device)
        order = attachment.look_at_order(self._record(folder), partial(list_roots, self._libbpf, self._pins))
        before = self._revisions.get(device.folder) or attachment.seen_revisions()
        if order.revisions != before:
            attachment.note_revisions(order.revisions)
        self._revisions[device.folder] = order.revisions
        if not order.earlier and before not in {None, order.revisions}:
            return ["had other programs at the tc hook since they were looked at last, which may have passed packets on uncounted"]
        return order.earlier

    def find(self) -> Sequence[FoundGeneration]:
        """List the generations on the host, once what a dead process left half done is settled."""
        found = []
        with self._pins.locked():
            for device in self._pins.list_devices():
                self._settle(device)
                for folder in device.list_generations():
                    record = self._record(folder)
                    counting = self._is_counting(device, folder, record)
                    found.append(FoundGeneration(metered=record.metered, generation=record.generation, counting=counting))
        return found

    def purge(self) -> int:
        """Remove everything of this driver from the host, whatever version put it there; raises ``DriverError``."""
        removed = 0
        with self._pins.locked():
            for device in self._pins.list_devices():
                self._settle(device)
                folders = device.list_generations()
                removed += len(folders)
                self._attachment(device).detach(self._current_record(device))
                for folder in folders:
                    device.discard(folder)
            self._pins.remove_all()
        return removed

    @property
    def _libbpf(self) -> Libbpf:
        return self._started.libbpf

    @property
    def _started(self) -> _Loaded:
        if self._loaded is None:
            message = "the eBPF driver was not started"
            raise DriverError(message)
        return self._loaded

    def _attached(self, device: DevicePins, metered: MeteredDevice, place: DevicePlace) -> Attachment:
        """Give the attachment of a device as it is now, anew where the device or its namespace is another than before.

        That of an older layout is taken over, so that the switch from one layout to the next is like any other.
        """
        attachment = self._attachment(device)
        before = self._current_record(device)
        for older in self._pins.older(metered):
            before = before or self._current_record(older)
            device.take_over(older)
        if before is None or not attachment.is_whole(before):
            attachment.detach(before)
            attachment.attach(metered, place)
            self._revisions.pop(device.folder, None)
        return attachment

    def _attachment(self, device: DevicePins) -> Attachment:
        return Attachment(self._libbpf, self._started.programs, self._started.links, device.attached, tcx=self._config.tcx)

    def _settle(self, device: DevicePins) -> None:
        """Finish or undo what a process left half done; generations that never counted go, and so does an attachment without any.

        So do generations from which somebody took what they are: nobody can tell any more what they counted.
        """
        device.clear()
        for folder in device.list_generations():
            if not (folder / META).exists():
                device.discard(folder)
        record = None
        for pending in device.list_pending():
            if self._is_current(device, pending):
                device.settle(pending)
            else:
                record = self._record(pending) if (pending / PROGRAM).exists() else None
                device.discard(pending)
        if not device.list_generations():
            self._attachment(device).detach(record)
            device.remove_if_empty()

    def _wait_for(self, generation: Generation) -> None:
        """Wait until no packet is within a generation that was replaced; one wait does for all that were before it."""
        if generation.id not in self._ended:
            replaced = {folder.name for device in self._pins.list_devices() for folder in self._replaced(device)}
            self._started.grace.wait()
            self._ended = replaced

    def _replaced(self, device: DevicePins) -> Iterator[Path]:
        return (folder for folder in device.list_generations() if not self._is_current(device, folder))

    def _is_counting(self, device: DevicePins, folder: Path, record: GenerationRecord) -> bool:
        return is_pinned_whole(folder) and self._is_current(device, folder) and self._attachment(device).is_whole(record)

    def _is_current(self, device: DevicePins, folder: Path) -> bool:
        current = self._attachment(device).current()
        if not current or not (folder / PROGRAM).exists():
            return False
        with self._libbpf.opened(folder / PROGRAM) as program:
            return program_id(program) == current

    def _current_record(self, device: DevicePins) -> GenerationRecord | None:
        return next((self._record(folder) for folder in device.list_generations() if self._is_current(device, folder)), None)

    def _record(self, folder: Path) -> GenerationRecord:
        with self._libbpf.opened(folder / META) as meta:
            octets = self._libbpf.lookup(meta, bytes(4), META_OCTETS)
        if octets is None:
            message = f"the pinned generation '{folder}' is not described"
            raise DriverError(message)
        return decode_record(octets)
