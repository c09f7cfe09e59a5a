"""``venturi meter`` on a stream: bounded memory at any length, and Ctrl-C that keeps what was counted."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.packets import Packet, capture_of

_RULES = "labels:\n  - name: all\n    rules:\n      - {direction: egress, source_ip_prefix: 0.0.0.0/0}\n"
_PCAP_HEADER_LENGTH = 24
_MOST_KIBIBYTES = 400_000_000 // 1024


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """The command that meters standard input, as a process of its own."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(_RULES)
    return [sys.executable, "-m", "venturi", "meter", "-", "--rules", str(rules), "-f", "json", "--quiet", "--inside", "10.0.0.0/8"]


def test_memory_stays_bounded(command: list[str]) -> None:
    """Half a gigabyte of small packets is counted whole within 400 MB."""
    capture = capture_of(Packet(1_000_000_000 + number, "10.0.0.1", "192.0.2.1", 40) for number in range(60_000))
    header, records = capture[:_PCAP_HEADER_LENGTH], capture[_PCAP_HEADER_LENGTH:]
    repeats = 500_000_000 // len(records)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(header)
        for _ in range(repeats):
            process.stdin.write(records)
        peak = _peak_kibibytes(process.pid)
        process.stdin.close()
        report = json.load(process.stdout)
    assert process.returncode == 0
    assert report["usage"][0]["packets"] == repeats * 60_000
    assert report["usage"][0]["octets"] == repeats * 60_000 * 40
    assert peak < _MOST_KIBIBYTES


def test_ctrl_c_reports_what_was_counted_and_says_that_it_is_partial(command: list[str]) -> None:
    """A first buffer is metered, then the input stalls, then Ctrl-C comes: exit code 130, a whole report, no traceback."""
    capture = capture_of(Packet(1_000_000_000, "10.0.0.1", "192.0.2.1", 1500) for _ in range(12_000))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(capture)
        process.stdin.flush()
        _wait_until_idle(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert process.stderr is not None
        output, errors = process.stdout.read(), process.stderr.read()
    assert process.returncode == 130
    report = json.loads(output)
    assert report["partial"] is True
    assert 0 < report["usage"][0]["packets"] < 12_000
    assert b"Traceback" not in errors


def _peak_kibibytes(pid: int) -> int:
    """Give the most memory that a running process has held so far, all but the end of its input behind it."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1])


def _wait_until_idle(pid: int) -> None:
    """Wait until a process has not used the processor for a second."""
    before = -1
    for _ in range(120):
        used = sum(int(field) for field in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13])
        if used == before:
            return
        before = used
        signal.sigtimedwait([], 1)
    pytest.fail("the process never came to rest")
