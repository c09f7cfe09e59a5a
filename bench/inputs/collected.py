"""The flows as nfdump keeps them: an nfcapd file, written by nfcapd itself from the datagrams of the NetFlow v9 capture.

Owns the sending over the loopback, held back by the fill of the receiver's queue so that nothing is lost.
"""

import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from bench.inputs.datagrams import read_datagrams

_BURST = 16
_FULL_QUEUE = 60_000
_PATIENCE = 30.0
_PAUSE = 0.0002
_ROTATION_SECONDS = "86400"


class CollectionError(Exception):
    """nfcapd did not collect what was sent."""


def collect(capture: Path, collected: Path, expected: int) -> None:
    """Have nfcapd write the ``expected`` flows of a capture to ``collected``; raises ``CollectionError`` if it does not get all."""
    folder = collected.with_suffix(".part")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    port = _free_port()
    nfcapd = shutil.which("nfcapd") or "nfcapd"
    command = [nfcapd, "-b", "127.0.0.1", "-p", str(port), "-w", str(folder), "-t", _ROTATION_SECONDS, "-B", "8388608"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as collector:
        try:
            lost = _send(capture, port)
        finally:
            collector.send_signal(signal.SIGTERM)
            collector.wait(_PATIENCE)
    files = sorted(folder.glob("nfcapd.*"))
    if lost or len(files) != 1 or count_flows(files[0]) != expected:
        message = f"nfcapd lost {lost} datagrams and wrote {[count_flows(file) for file in files]} of {expected} flows; run again"
        raise CollectionError(message)
    files[0].replace(collected)
    shutil.rmtree(folder)


def count_flows(collected: Path) -> int:
    """Ask nfdump how many flows a file of its own holds."""
    told = subprocess.run(["nfdump", "-I", "-r", str(collected)], capture_output=True, text=True, check=True).stdout
    found = re.search(r"^Flows: (\d+)", told, re.MULTILINE)
    return int(found[1]) if found else 0


def cut(collected: Path, part: Path, records: int) -> None:
    """Copy the first ``records`` flows to a file of their own."""
    command = ["nfdump", "-r", str(collected), "-c", str(records), "-w", str(part), "-q"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _send(capture: Path, port: int) -> int:
    """Send all datagrams to ``port``, wait until all are read, and give the number that the queue had no room for."""
    queue = ReceiveQueue(port)
    queue.await_listener()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        for burst in _bursts(capture):
            while queue.fill() > _FULL_QUEUE:
                time.sleep(_PAUSE)
            for datagram in burst:
                sender.send(datagram)
    while queue.fill():
        time.sleep(_PAUSE)
    time.sleep(1.0)
    return queue.lost()


def _bursts(capture: Path) -> Iterator[list[bytes]]:
    burst: list[bytes] = []
    for datagram in read_datagrams(capture):
        burst.append(datagram)
        if len(burst) == _BURST:
            yield burst
            burst = []
    yield burst


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ReceiveQueue:
    """The queue of the one socket that listens on a port, as the kernel tells of it in ``/proc/net/udp``."""

    def __init__(self, port: int) -> None:
        """Look for the local port ``port``."""
        self._local = f":{port:04X}"

    def await_listener(self) -> None:
        """Wait until somebody listens; raises ``CollectionError`` if nobody does."""
        give_up = time.monotonic() + _PATIENCE
        while not self._line():
            if time.monotonic() > give_up:
                message = "nfcapd does not listen"
                raise CollectionError(message)
            time.sleep(_PAUSE)

    def fill(self) -> int:
        """Tell the octets that wait; 0 where nobody listens."""
        line = self._line()
        return int(line[4].split(":")[1], 16) if line else 0

    def lost(self) -> int:
        """Tell the datagrams dropped so far."""
        line = self._line()
        return int(line[-1]) if line else 0

    def _line(self) -> list[str]:
        with Path("/proc/net/udp").open(encoding="ascii") as table:
            return next((fields for fields in map(str.split, table) if fields[1].endswith(self._local)), [])
