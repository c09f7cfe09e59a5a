"""What passes the outer device of a router, by tcpdump: outwards where the destination receives it, inwards where the router does.

Owns the life of tcpdump, which ends only once it has written everything, and the reading of what it wrote by venturi's own decoder.
"""

import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from select import select

import numpy as np

from tests.support.kernel.router import OUTER, Router
from tests.support.kernel.sending import Frames, frame_sender
from venturi.core.decode.capture.packets import PacketDecoder
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction

_PATIENCE_SECONDS = 10
_LAST_TYPE = 0x88B5  # the EtherType of IEEE 802 for experiments
_LAST_FRAME = b"\xff" * 6 + b"\2\0\0\0\0\x99" + _LAST_TYPE.to_bytes(2) + b"venturi: the last frame".ljust(46)
_OPTIONS = ("--immediate-mode", "-U", "-n", "-Q", "in", "-s", "128", "-B", "32768")


@contextmanager
def captured(router: Router, direction: Direction, path: Path, protocol: str = "ip or ip6") -> Iterator[None]:
    """Capture the packets of a direction and a protocol while the block runs, into a file that holds all of them afterwards."""
    ends = [(router.namespace, OUTER), (f"{router.name}-destination", "destination")]
    sender, (namespace, device) = ends if direction is Direction.EGRESS else reversed(ends)
    command = (
        "ip",
        "netns",
        "exec",
        namespace,
        "tcpdump",
        *_OPTIONS,
        "-i",
        device,
        "-w",
        str(path),
        f"{protocol} or ether proto {_LAST_TYPE}",
    )
    with subprocess.Popen(command, stderr=subprocess.PIPE, bufsize=0) as tcpdump:
        try:
            _await_listening(tcpdump)
            yield
            _await_last_frame(sender, path)
            tcpdump.send_signal(signal.SIGINT)
            _, words = tcpdump.communicate(timeout=_PATIENCE_SECONDS)
            assert b"\n0 packets dropped by kernel" in words, words.decode()
        finally:
            tcpdump.kill()


def read_capture(path: Path) -> Mapping[int, Counts]:
    """Sum the IP packets of a capture up by family."""
    decoder = PacketDecoder(exporter=0)
    packets, _ = decoder.decode(np.frombuffer(path.read_bytes(), dtype=np.uint8), final=True)
    octets = {family: packets.octets[packets.family == family] for family in (4, 6)}
    return {family: Counts(len(column), int(column.sum())) for family, column in octets.items() if len(column)}


def _await_listening(tcpdump: subprocess.Popen[bytes]) -> None:
    assert tcpdump.stderr is not None
    words = b"nothing"
    while b"listening on" not in words:
        ready, _, _ = select([tcpdump.stderr], [], [], _PATIENCE_SECONDS)
        said = tcpdump.stderr.readline() if ready else b""
        assert said, f"tcpdump does not listen, and said {words.decode()}"
        words = said


def _await_last_frame(sender: tuple[str, str], path: Path) -> None:
    """Send a frame after all others and wait until it is in the file, as then all others are too."""
    with frame_sender(*sender) as send:
        send(Frames([_LAST_FRAME]))
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while _LAST_FRAME not in path.read_bytes():
        assert time.monotonic() < deadline, "tcpdump does not write the last frame"
        time.sleep(0.01)
