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
_NEEDS = {Hook.NETFILTER: "Linux 6.4 with CONFIG_NETFILTER_BPF_LINK", Hook.TC: "Linux 6.2 with CONFIG_NET_CLS_BPF"}


def probe_host(config: EbpfConfig, hook: Hook) -> Support:
    """Tell whether the programs can be loaded and pinned on this host."""
    because = _missing_file(config)
    if because:
        return Support(Answer.NO, because)
    try:
        libbpf = Libbpf()
        programs, layout = ProgramFile(libbpf, config.program_file), plan_layout(CompiledClassifier(()), config.array_pairs)
        with loaded_leaf(libbpf, programs, config, hook, _ANY_DEVICE, layout), closing(AttachedLinks(programs)) as links:
            links.numbers()
            return Support(Answer.YES)
    except KernelRefusedError as error:
        return _explain(error, hook)
    except DriverError as error:
        return Support(Answer.NO, str(error))


def _missing_file(config: EbpfConfig) -> str:
    if not config.program_file.exists():
        return "venturi was built without clang, so the eBPF programs are missing"
    if not _TYPES_FILE.exists():
        return f"the kernel does not tell its types: '{_TYPES_FILE}' is missing (CONFIG_DEBUG_INFO_BTF)"
    if not (config.mount_bpffs or is_bpf_file_system(config.bpffs)):
        return f"there is no BPF file system at '{config.bpffs}': mount one there (mount -t bpf bpf {config.bpffs})"
    return ""


def _explain(error: KernelRefusedError, hook: Hook) -> Support:
    if error.number in {errno.EPERM, errno.EACCES} and _locked_down():
        return Support(Answer.NO, f"the kernel is locked down (confidentiality), which forbids what eBPF reads: {error}")
    if error.number == errno.EPERM:
        return Support(Answer.NO, "the rights are missing: CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, or root")
    if error.number == errno.ENOMEM:
        return Support(Answer.UNKNOWN, f"the kernel had no memory to try: {error}")
    return Support(Answer.NO, f"the kernel does not take the program, which needs {_NEEDS[hook]}: {error}")


def _locked_down() -> bool:
    return _LOCKDOWN_FILE.exists() and "[confidentiality]" in _LOCKDOWN_FILE.read_text(encoding="ascii")
