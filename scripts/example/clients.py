"""What a host does of itself: each kind of activity carried out once, bounded in time, from the address that the plan names."""

import http.client
import socket
import struct
import subprocess
import time
from collections.abc import Callable

from scripts.example.plan import Activity
from scripts.example.servers import ARCHIVE_PORT, CLOCK_PORT, MAIL_PORT, NAME_PORT, WEB_PORT

PATIENCE_SECONDS = 60.0
ANSWER_SECONDS = 3.0
CLOSED_PORTS = (23, 3389, 8080, 5060)
LINE_OF_MAIL = b"." * 2 + b"x" * 74 + b"\r\n"
PACED_OCTETS = 28_960


def carry_out(activity: Activity, speed: float) -> None:
    """Do what the plan says, `speed` times as fast as the hour; raises OSError if the network fails."""
    if activity.kind == "archive":
        _archive(activity, speed)
    else:
        KINDS[activity.kind](activity)


def _connect(activity: Activity, port: int, patience: float = PATIENCE_SECONDS) -> socket.socket:
    return socket.create_connection((activity.target, port), timeout=patience, source_address=(activity.source, 0))


def _web(activity: Activity) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(activity.target, WEB_PORT, timeout=PATIENCE_SECONDS, source_address=(activity.source, 0))


def _download(activity: Activity) -> None:
    connection = _web(activity)
    connection.request("GET", f"/pages/{activity.octets}")
    connection.getresponse().read()
    connection.close()


def _upload(activity: Activity) -> None:
    connection = _web(activity)
    connection.request("PUT", "/orders", body=bytes(activity.octets))
    connection.getresponse().read()
    connection.close()


def _mail(activity: Activity) -> None:
    with _connect(activity, MAIL_PORT) as connection, connection.makefile("rb") as answers:
        answers.readline()
        for command in (b"EHLO client.example", b"MAIL FROM:<a@client.example>", b"RCPT TO:<b@mail.example>", b"DATA"):
            connection.sendall(command + b"\r\n")
            answers.readline()
        connection.sendall(LINE_OF_MAIL * (activity.octets // len(LINE_OF_MAIL)) + b".\r\n")
        answers.readline()
        connection.sendall(b"QUIT\r\n")
        answers.readline()


def _archive(activity: Activity, speed: float) -> None:
    with _connect(activity, ARCHIVE_PORT) as connection:
        if activity.pause:
            for _ in range(activity.octets // PACED_OCTETS):
                connection.sendall(bytes(PACED_OCTETS))
                time.sleep(activity.pause / speed)
        else:
            connection.sendall(bytes(activity.octets))
        connection.shutdown(socket.SHUT_WR)
        connection.recv(64)


def _ask(activity: Activity, port: int, question: bytes) -> None:
    family = socket.AF_INET6 if ":" in activity.target else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asker:
        asker.bind((activity.source, 0))
        asker.settimeout(ANSWER_SECONDS)
        asker.connect((activity.target, port))
        asker.send(question)
        asker.recv(2048)


def _question(activity: Activity) -> bytes:
    number = int(activity.at * 1000)
    labels = [f"host{number % 997}", "office", "example"]
    name = b"".join(bytes((len(label),)) + label.encode() for label in labels) + b"\0"
    kind = 28 if ":" in activity.target else 1
    return struct.pack("!HHHHHH", number & 0xFFFF, 0x0100, 1, 0, 0, 0) + name + struct.pack("!HH", kind, 1)


def _resolve(activity: Activity) -> None:
    _ask(activity, NAME_PORT, _question(activity))


def _clock(activity: Activity) -> None:
    _ask(activity, CLOCK_PORT, b"\x23" + bytes(47))


def _refused(activity: Activity, attempt: Callable[[int], None]) -> None:
    """Try a port where nobody listens: the refusal is what is wanted."""
    try:
        attempt(CLOSED_PORTS[int(activity.at) % len(CLOSED_PORTS)])
    except ConnectionRefusedError:
        return


def _knock(activity: Activity) -> None:
    _refused(activity, lambda port: _connect(activity, port, ANSWER_SECONDS).close())


def _resolve_closed(activity: Activity) -> None:
    _refused(activity, lambda port: _ask(activity, port, _question(activity)))


def _ping(activity: Activity) -> None:
    options = ["-c", "2", "-i", "0.2", "-W", "2", "-s", str(activity.octets), "-I", activity.source]
    subprocess.run(["ping", "-n", "-q", *options, activity.target], check=False, capture_output=True, timeout=PATIENCE_SECONDS)


KINDS: dict[str, Callable[[Activity], None]] = {
    "download": _download,
    "upload": _upload,
    "mail": _mail,
    "resolve": _resolve,
    "clock": _clock,
    "knock": _knock,
    "resolve-closed": _resolve_closed,
    "ping": _ping,
}
