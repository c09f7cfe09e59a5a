"""The probe says yes where the driver runs, and else why not."""

import os
from pathlib import Path

import pytest

from tests.kernel.ebpf.conftest import MakeDriver
from tests.support.kernel.bpf_folder import new_bpf_folder
from tests.support.tools import needs
from venturi.adapters.drivers.ebpf.configuration import EbpfConfig
from venturi.adapters.drivers.ebpf.driver import EbpfDriver
from venturi.adapters.drivers.protocol import Answer
from venturi.core.domain.errors import DriverError
from venturi.core.domain.point import Hook

pytestmark = [pytest.mark.root, needs("clang")]

_NOBODY = 65_534


@pytest.mark.parametrize("hook", Hook)
def test_a_host_that_can(hook: Hook, make_driver: MakeDriver) -> None:
    support = make_driver(EbpfConfig()).probe(hook)
    assert (support.answer, support.because) == (Answer.YES, "")


def test_a_build_without_clang(tmp_path: Path) -> None:
    support = EbpfDriver(EbpfConfig(bpffs=new_bpf_folder("unbuilt"), program_file=tmp_path / "missing")).probe(Hook.NETFILTER)
    assert (support.answer, support.because) == (Answer.NO, "venturi was built without clang, so the eBPF programs are missing")


def test_programs_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "broken.o").write_bytes(b"no object")
    support = EbpfDriver(EbpfConfig(bpffs=new_bpf_folder("broken"), program_file=tmp_path / "broken.o")).probe(Hook.NETFILTER)
    assert support.answer is Answer.NO
    assert "cannot be opened" in support.because


def test_no_bpf_file_system(tmp_path: Path) -> None:
    driver = EbpfDriver(EbpfConfig(bpffs=tmp_path))
    assert "there is no BPF file system" in driver.probe(Hook.NETFILTER).because
    with pytest.raises(DriverError, match="there is no BPF file system"):
        driver.start()


def test_a_bpf_file_system_is_mounted_when_told(tmp_path: Path) -> None:
    driver = EbpfDriver(EbpfConfig(bpffs=tmp_path, mount_bpffs=True))
    driver.start()
    driver.stop()
    assert tmp_path.is_mount()
    os.system(f"umount {tmp_path}")  # noqa: S605 - a folder of this test


def test_missing_rights() -> None:
    """A process that is nobody asks, and says so by how it ends."""
    driver = EbpfDriver(EbpfConfig(bpffs=new_bpf_folder("rights")))
    process = os.fork()
    if process == 0:
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
        support = driver.probe(Hook.NETFILTER)
        os._exit(0 if support.answer is Answer.NO and "rights" in support.because else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
