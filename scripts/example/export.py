"""A flow export of the capture, by pmacctd, written as an IPFIX file: the datagrams that it sends, one after another (RFC 5655 §4).

Traffic that enters and traffic that leaves have a probe each, with an observation domain of its own: one probe for both would
interleave their templates, and pmacctd 1.7.7 then writes sets without a header. pmacctd counts IP total lengths, so that octets
equal those of the packets. It sees the capture in the rhythm of the hour, and a clock of that hour (faketime), both faster: so each
message is exported soon after the flows in it.
"""

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from scripts.example.addresses import INSIDE_IPV4, INSIDE_IPV6
from scripts.example.playback import Playback

LOOPBACK = "127.0.0.1"
SO_RCVBUFFORCE = 33
"""Of Linux's asm-generic/socket.h; the socket module does not name it."""
RECEIVE_BUFFER_OCTETS = 64 << 20
LARGEST_DATAGRAM = 65_535
QUIET_SECONDS = 3.0
SPEED = 60
MOST_DATAGRAMS = 1_000_000

DIRECTIONS = f"""\
set_tag=1 filter='dst net {INSIDE_IPV4} or dst net {INSIDE_IPV6}'
set_tag=2 filter='src net {INSIDE_IPV4} or src net {INSIDE_IPV6}'
"""

CONFIGURATION = """\
daemonize: false
pcap_savefile: {pipe}
pre_tag_map: {directions}
plugins: nfprobe[entering], nfprobe[leaving]
aggregate: src_host, dst_host, src_port, dst_port, proto, tos, tcpflags
nfprobe_receiver: {receiver}
nfprobe_version: 10
nfprobe_timeouts: tcp=60:tcp.rst=10:tcp.fin=10:udp=60:icmp=60:general=60:maxlife=60:expint=10
nfprobe_direction[entering]: in
nfprobe_engine[entering]: 1
pre_tag_filter[entering]: 0,1
nfprobe_direction[leaving]: out
nfprobe_engine[leaving]: 2
pre_tag_filter[leaving]: 2
plugin_pipe_size: 67108864
plugin_buffer_size: 65536
"""


def export(capture: Path, destination: Path) -> int:
    """Write the export of an uncompressed capture, in order of time, to `destination`; give the number of datagrams.

    Raises CalledProcessError when pmacctd fails.
    """
    with tempfile.TemporaryDirectory() as folder, _receiver() as receiver:
        pipe = Path(folder) / "capture.pcap"
        os.mkfifo(pipe)
        playback = Playback(capture, SPEED)
        playback.into(pipe)
        with _start_exporter(_configure(Path(folder), pipe, receiver), playback.start) as exporter:
            datagrams = list(_receive(receiver, exporter))
    if exporter.returncode:
        raise subprocess.CalledProcessError(exporter.returncode, exporter.args)
    destination.write_bytes(b"".join(datagrams))
    return len(datagrams)


def _receiver() -> socket.socket:
    """Open a socket whose buffer holds all that may come at once."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_OCTETS)
    receiver.bind((LOOPBACK, 0))
    receiver.settimeout(QUIET_SECONDS)
    return receiver


def _configure(folder: Path, pipe: Path, receiver: socket.socket) -> Path:
    directions = folder / "directions.map"
    directions.write_text(DIRECTIONS, encoding="utf-8")
    configuration = folder / "pmacctd.conf"
    address = f"{LOOPBACK}:{receiver.getsockname()[1]}"
    configuration.write_text(CONFIGURATION.format(pipe=pipe, directions=directions, receiver=address), encoding="utf-8")
    return configuration


def _start_exporter(configuration: Path, start: float) -> subprocess.Popen[bytes]:
    moment = datetime.fromtimestamp(start, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    command = ["faketime", "-f", f"@{moment} x{SPEED}", "pmacctd", "-f", str(configuration)]
    environment = {**os.environ, "TZ": "UTC"}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)


def _receive(receiver: socket.socket, exporter: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Give the datagrams until the exporter has ended and nothing comes any more."""
    for _ in range(MOST_DATAGRAMS):
        try:
            yield receiver.recv(LARGEST_DATAGRAM)
        except TimeoutError:
            if exporter.poll() is not None:
                return
