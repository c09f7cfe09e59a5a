"""Whether this host can run the eBPF driver, found out by trying.

Owns the sentences that say why not.
"""

import errno
from contextlib import closing
from pathlib import Path

from venturi.adapters.drivers.ebpf.bpf.attached import AttachedLinks
from venturi.adapters.drivers.ebpf.bpf.file_system import is_bpf_file_system
from venturi.adapters.drivers.ebpf.bpf.libbpf import Libbpf
from venturi.adapters.drivers.ebpf.bpf.program import ProgramFile
from venturi.adapters.drivers.ebpf.configuration import EbpfConfig
from venturi.adapters.drivers.ebpf.layout import plan_layout
from venturi.adapters.drivers.ebpf.leaf import loaded_leaf
from venturi.adapters.drivers.protocol import Answer, Support
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.errors import DriverError, KernelRefusedError
from venturi.core.domain.point import Hook

_TYPES_FILE = Path("/sys/kernel/btf/vmlinux")
_LOCKDOWN_FILE = Path("/sys/kernel/security/lockdown")
_ANY_DEVICE = 1
_KERNELS = {
    Hook.NETFILTER: "boot Linux 6.4 or later with CONFIG_NETFILTER_BPF_LINK",
    Hook.TC: "boot Linux 6.2 or later with CONFIG_NET_CLS_BPF",
}


def probe_host(config: EbpfConfig, hook: Hook) -> Support:
    """Tell whether the programs can be loaded and pinned on this host."""
    missing = _find_missing(config)
    if missing is not None:
        return missing
    try:
        libbpf = Libbpf()
    except DriverError as error:
        return Support(Answer.NO, str(error), "install libbpf 1.0 or later: apt install libbpf1, dnf install libbpf")
    try:
        programs, layout = ProgramFile(libbpf, config.program_file), plan_layout(CompiledClassifier(()), config.array_pairs)
        with loaded_leaf(libbpf, programs, config, hook, _ANY_DEVICE, layout), closing(AttachedLinks(programs)) as links:
            links.numbers()
            return Support(Answer.YES)
    except KernelRefusedError as error:
        return _explain(error, hook)
    except DriverError as error:
        return Support(Answer.NO, str(error), _KERNELS[hook])


def _find_missing(config: EbpfConfig) -> Support | None:
    if not config.program_file.exists():
        remedy = "install a wheel or package, which have them, or clang, and then venturi again"
        return Support(Answer.NO, "venturi was built without clang, so the eBPF programs are missing", remedy)
    if not _TYPES_FILE.exists():
        because = f"the kernel does not tell its types: '{_TYPES_FILE}' is missing (CONFIG_DEBUG_INFO_BTF)"
        return Support(Answer.NO, because, "boot a kernel that is built with it, such as those of Debian and Ubuntu")
    if not (config.mount_bpffs or is_bpf_file_system(config.bpffs)):
        return Support(Answer.NO, f"there is no BPF file system at '{config.bpffs}'", f"mount one: mount -t bpf bpf {config.bpffs}")
    return None


def _explain(error: KernelRefusedError, hook: Hook) -> Support:
    if error.number in {errno.EPERM, errno.EACCES} and _locked_down():
        because = f"the kernel is locked down (confidentiality), which forbids what eBPF reads: {error}"
        return Support(Answer.NO, because, "boot with lockdown=integrity or none")
    if error.number == errno.EPERM:
        return Support(Answer.NO, "the rights are missing", "run it as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON")
    if error.number == errno.ENOMEM:
        return Support(Answer.UNKNOWN, f"the kernel had no memory to try: {error}", "try again with more memory free")
    return Support(Answer.NO, f"the kernel does not take the program: {error}", _KERNELS[hook])


def _locked_down() -> bool:
    return _LOCKDOWN_FILE.exists() and "[confidentiality]" in _LOCKDOWN_FILE.read_text(encoding="ascii")
