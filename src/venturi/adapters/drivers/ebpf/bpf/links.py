"""Links and identities by bpf(2) itself, for what libbpf 1.0 does not know yet.

Owns the layouts of ``union bpf_attr`` that are used (include/uapi/linux/bpf.h).
"""

import ctypes
import errno
import os
import platform
import struct
from typing import NamedTuple

from venturi.adapters.drivers.ebpf.bpf.libbpf import refusal
from venturi.core.domain.errors import KernelRefusedError

PROTOCOL_FAMILIES = {4: 2, 6: 10}
"""The kernel's numbers of the families (PF_INET, PF_INET6)."""

_SYSTEM_CALLS = {"x86_64": 321, "ppc64le": 361, "s390x": 351}
_SYSTEM_CALL = _SYSTEM_CALLS.get(platform.machine(), 280)  # aarch64, riscv64, loongarch64
_LIBC = ctypes.CDLL(None, use_errno=True)
_ATTRIBUTE_OCTETS = 128
_PROGRAM_BY_ID, _OBJECT_INFO, _PROGRAM_QUERY, _LINK_CREATE, _ITERATOR_CREATE = 13, 15, 16, 28, 33
_EVERY_LINK, _NETFILTER, _TCX_INGRESS, _TCX_EGRESS = 28, 45, 46, 47
_PRIORITIES = range(200, 1224)  # after filter and firewalld; one hook takes no two programs of the same priority, and no more than 1024
_BEFORE = 1 << 3  # BPF_F_BEFORE; without another program, before all of them
_PROGRAM_ID_OFFSET = 4
_PROGRAM_NAME = slice(64, 80)
_QUERY_COUNT_OFFSET, _QUERY_REVISION_OFFSET = 24, 56
_MOST_PROGRAMS = 64  # BPF_MPROG_MAX
_LINK_ID_OFFSET, _LINK_PROGRAM_OFFSET, _LINK_PLACE_OFFSET = 4, 8, 16
_READ_OCTETS = 1 << 16


def link_netfilter(program: int, family: int, hook: int) -> int:
    """Attach a program at a netfilter hook of a family in the thread's namespace, and give the link; raises ``KernelRefusedError``."""
    for priority in _PRIORITIES:
        attributes = struct.pack("=IIIIIIiI", program, 0, _NETFILTER, 0, PROTOCOL_FAMILIES[family], hook, priority, 0)
        try:
            return _bpf("the program cannot be linked to netfilter", _LINK_CREATE, attributes)
        except KernelRefusedError as error:
            if error.number != errno.EBUSY:
                raise
    message = "the program cannot be linked to netfilter"
    raise refusal(message, errno.EBUSY)


def link_tcx(program: int, device: int, *, egress: bool) -> int:
    """Attach a program at a device of the calling thread's namespace, before all others there, and give the link.

    Raises ``KernelRefusedError``.
    """
    attributes = struct.pack("=IIII", program, device, _tcx(egress=egress), _BEFORE)
    return _bpf("the program cannot be linked to the device", _LINK_CREATE, attributes)


class TcxChain(NamedTuple):
    """The programs that run one after the other at a device, by number, and a ``revision`` that grows with each change of them."""

    programs: tuple[int, ...] = ()
    revision: int = 0


def query_tcx(device: int, *, egress: bool) -> TcxChain:
    """Give the chain at a device of the calling thread's namespace, an empty one where there is none; raises ``KernelRefusedError``."""
    numbers = (ctypes.c_uint32 * _MOST_PROGRAMS)()
    query = struct.pack("=IIIIQIIQQQQ", device, _tcx(egress=egress), 0, 0, ctypes.addressof(numbers), _MOST_PROGRAMS, 0, 0, 0, 0, 0)
    buffer = ctypes.create_string_buffer(query, _ATTRIBUTE_OCTETS)
    try:
        _call("the programs at the device cannot be listed", _PROGRAM_QUERY, buffer)
    except KernelRefusedError as error:
        if error.number in {errno.ENOENT, errno.EINVAL}:  # no program there; no tcx in the kernel (before Linux 6.6)
            return TcxChain()
        raise
    count = struct.unpack_from("=I", buffer.raw, _QUERY_COUNT_OFFSET)[0]
    return TcxChain(tuple(numbers[:count]), struct.unpack_from("=Q", buffer.raw, _QUERY_REVISION_OFFSET)[0])


def program_name(number: int) -> str:
    """Give the name of the program of a number, the number itself where the program has none or is gone."""
    try:
        descriptor = _bpf("the program cannot be looked at", _PROGRAM_BY_ID, struct.pack("=III", number, 0, 0))
    except KernelRefusedError as error:
        if error.number == errno.ENOENT:
            return str(number)
        raise
    try:
        name = _describe(descriptor)[_PROGRAM_NAME].partition(b"\0")[0]
    finally:
        os.close(descriptor)
    return name.decode("ascii", "backslashreplace") or str(number)


def program_id(program: int) -> int:
    """Give the number by which the kernel knows a program."""
    return int(struct.unpack_from("=I", _describe(program), _PROGRAM_ID_OFFSET)[0])


class LinkDescription(NamedTuple):
    """What the kernel says of a link: its number and that of its program, and of a tcx link the ifIndex that it is at, 0 for none."""

    number: int
    program: int
    device: int


def describe_link(link: int) -> LinkDescription:
    """Describe a link; a netfilter link that was detached is described like any other (see ``attached_links``)."""
    description = _describe(link)
    offsets = (_LINK_ID_OFFSET, _LINK_PROGRAM_OFFSET, _LINK_PLACE_OFFSET)
    return LinkDescription(*(struct.unpack_from("=I", description, offset)[0] for offset in offsets))


def link_iterator(program: int) -> int:
    """Give the link by which a program runs over all links whenever it is read; raises ``KernelRefusedError``."""
    return _bpf("no program can run over BPF links", _LINK_CREATE, struct.pack("=IIII", program, 0, _EVERY_LINK, 0))


def read_iterator(link: int) -> bytes:
    """Run a program over all links, and give what it writes."""
    descriptor = _bpf("no program can run over BPF links", _ITERATOR_CREATE, struct.pack("=II", link, 0))
    try:
        return b"".join(iter(lambda: os.read(descriptor, _READ_OCTETS), b""))
    finally:
        os.close(descriptor)


def _describe(descriptor: int) -> bytes:
    description = ctypes.create_string_buffer(_ATTRIBUTE_OCTETS)
    attributes = struct.pack("=IIQ", descriptor, _ATTRIBUTE_OCTETS, ctypes.addressof(description))
    _bpf("a BPF object cannot be described", _OBJECT_INFO, attributes)
    return description.raw


def _tcx(*, egress: bool) -> int:
    return _TCX_EGRESS if egress else _TCX_INGRESS


def _bpf(message: str, command: int, attributes: bytes) -> int:
    return _call(message, command, ctypes.create_string_buffer(attributes, _ATTRIBUTE_OCTETS))


def _call(message: str, command: int, buffer: ctypes.Array[ctypes.c_char]) -> int:
    """Make the system call; ``buffer`` is read, and of a query written to."""
    answer: int = _LIBC.syscall(_SYSTEM_CALL, command, buffer, _ATTRIBUTE_OCTETS)
    if answer < 0:
        raise refusal(message, ctypes.get_errno() or errno.EINVAL)
    return answer
