"""The hour itself: every host at work, tcpdump at the router's outside interface."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from scripts.example import addresses
from scripts.example.network import UPLINK_DEVICE, inside, network
from scripts.example.plan import HOUR_SECONDS

SNAP_LENGTH = 96
SETTLING_SECONDS = 3.0


def record(capture: Path, seed: int, duration: float) -> None:
    """Play the hour in `duration` seconds and write the capture, snap length 96 octets; raises CalledProcessError when a host fails."""
    with network():
        writer = _start_capture(capture)
        try:
            hosts = _start_hosts(seed, duration)
            for host in hosts:
                host.wait(timeout=duration + 300)
        finally:
            writer.send_signal(signal.SIGINT)
            writer.wait(timeout=30)
    for host in hosts:
        if host.returncode:
            raise subprocess.CalledProcessError(host.returncode, host.args)


def _start_capture(capture: Path) -> subprocess.Popen[bytes]:
    options = ["-i", UPLINK_DEVICE, "-s", str(SNAP_LENGTH), "-n", "-U", "-B", "8192", "-Z", "root", "-w", str(capture)]
    return subprocess.Popen(inside(addresses.ROUTER, "tcpdump", *options))


def _start_hosts(seed: int, duration: float) -> list[subprocess.Popen[bytes]]:
    start = time.monotonic() + SETTLING_SECONDS
    arguments = [str(seed), str(start), str(HOUR_SECONDS / duration)]
    module = [sys.executable, "-m", "scripts.example.host"]
    names = (*(tenant.name for tenant in addresses.TENANTS), addresses.OUTSIDE)
    return [subprocess.Popen(inside(name, *module, name, *arguments)) for name in names]
