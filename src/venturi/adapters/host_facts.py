"""Facts of this host that decide what can count on it: the kernel, what it permits, the libraries and programs there are.

Owns where each is found. Nothing here judges; whether a driver can run is for its probe.
"""

import ctypes
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_TYPES = Path("/sys/kernel/btf/vmlinux")
_LOCKDOWN = Path("/sys/kernel/security/lockdown")
_MOUNTS = Path("/proc/self/mounts")
_STATUS = Path("/proc/self/status")
_LIBBPF = "libbpf.so.1"
_CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13, "CAP_SYS_ADMIN": 21, "CAP_PERFMON": 38, "CAP_BPF": 39}


@dataclass(frozen=True, kw_only=True)
class HostFacts:
    """What a host is like; a text is empty for what it does not have.

    ``kernel_types`` is whether the kernel tells its types (BTF), ``lockdown`` the mode that it is locked down in, ``capabilities`` are
    those of this process that drivers use, ``bpf_file_systems`` the folders where one is mounted.
    """

    kernel: str
    machine: str
    kernel_types: bool
    lockdown: str
    capabilities: tuple[str, ...]
    bpf_file_systems: tuple[str, ...]
    libbpf: str
    nft: str


def read_host_facts() -> HostFacts:
    """Look the facts up."""
    return HostFacts(
        kernel=platform.release(),
        machine=platform.machine(),
        kernel_types=_TYPES.exists(),
        lockdown=_lockdown(),
        capabilities=_capabilities(),
        bpf_file_systems=_bpf_file_systems(),
        libbpf=_libbpf_version(),
        nft=_nft_version(),
    )


def _lockdown() -> str:
    try:
        modes = _LOCKDOWN.read_text(encoding="ascii")
    except OSError:
        return ""
    return modes.partition("[")[2].partition("]")[0]


def _capabilities() -> tuple[str, ...]:
    lines = dict(line.split(":\t", 1) for line in _STATUS.read_text(encoding="utf-8").splitlines() if ":\t" in line)
    effective = int(lines["CapEff"], 16)
    return tuple(name for name, bit in _CAPABILITIES.items() if effective >> bit & 1)


def _bpf_file_systems() -> tuple[str, ...]:
    mounts = (line.split() for line in _MOUNTS.read_text(encoding="utf-8").splitlines())
    return tuple(folder for _, folder, kind, *_ in mounts if kind == "bpf")


def _libbpf_version() -> str:
    try:
        version = ctypes.CDLL(_LIBBPF).libbpf_version_string
    except (OSError, AttributeError):
        return ""
    version.restype = ctypes.c_char_p
    spelled: bytes = version()
    return spelled.decode()


def _nft_version() -> str:
    program = shutil.which("nft", path="/usr/local/sbin:/usr/sbin:/sbin:/usr/bin")
    if program is None:
        return ""
    return subprocess.run((program, "--version"), capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - a path of our own
