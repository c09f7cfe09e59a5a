"""What a host answers: web, mail, archive, names and the time, on every address of its namespace, until the process ends.

Contents are empty of meaning (zeros): what is metered are lengths.
"""

import socket
import socketserver
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WEB_PORT = 80
MAIL_PORT = 25
ARCHIVE_PORT = 873
NAME_PORT = 53
CLOCK_PORT = 123
ALL_ADDRESSES = "::"
READ_OCTETS = 65536
IDLE_SECONDS = 120
SECONDS_1900_TO_1970 = 2_208_988_800


class WebHandler(BaseHTTPRequestHandler):
    """Serves as many octets as the path says; takes what it is given."""

    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        """Send the octets that the path asks for."""
        octets = int(self.path.rsplit("/", 1)[-1])
        self.send_response(200)
        self.send_header("Content-Length", str(octets))
        self.end_headers()
        self.wfile.write(bytes(octets))

    def do_PUT(self) -> None:
        """Read the whole body, then say that it is stored."""
        remaining = int(self.headers["Content-Length"])
        while remaining > 0:
            remaining -= len(self.rfile.read(min(remaining, READ_OCTETS)))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


class MailHandler(socketserver.StreamRequestHandler):
    """The server's half of an SMTP dialogue (RFC 5321 §3), one message a connection."""

    timeout = IDLE_SECONDS

    def handle(self) -> None:
        """Answer each command; take the text up to the lone dot."""
        self.wfile.write(b"220 mail.example ESMTP\r\n")
        for line in self.rfile:
            verb = line[:4].upper().strip()
            if verb == b"DATA":
                self.wfile.write(b"354 end with a dot\r\n")
                while self.rfile.readline() not in {b".\r\n", b""}:
                    pass
            self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
            if verb == b"QUIT":
                return


class ArchiveHandler(socketserver.BaseRequestHandler):
    """Takes whatever comes until the sender is done, then says how much it was."""

    def handle(self) -> None:
        """Read to the end."""
        connection: socket.socket = self.request
        connection.settimeout(IDLE_SECONDS)
        octets = 0
        while part := connection.recv(READ_OCTETS):
            octets += len(part)
        connection.sendall(b"%d\n" % octets)


class NameHandler(socketserver.BaseRequestHandler):
    """Answers each DNS question with one address record (RFC 1035 §4)."""

    def handle(self) -> None:
        """Echo the question, add an answer that points at its name."""
        query, connection = self.request
        kind = query[-4:-2]
        address = socket.inet_pton(socket.AF_INET6, "2001:db8:8000::50") if kind == b"\x00\x1c" else bytes((198, 51, 100, 50))
        header = query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0)
        answer = struct.pack("!HHHIH", 0xC00C, int.from_bytes(kind), 1, 300, len(address)) + address
        connection.sendto(header + query[12:] + answer, self.client_address)


class ClockHandler(socketserver.BaseRequestHandler):
    """Answers an SNTP request with the time (RFC 4330 §4)."""

    def handle(self) -> None:
        """Send 48 octets, the transmit time last."""
        _, connection = self.request
        transmitted = int((time.time() + SECONDS_1900_TO_1970) * 2**32)
        connection.sendto(struct.pack("!BBbb", 0x24, 2, 6, -20) + bytes(36) + struct.pack("!Q", transmitted), self.client_address)


class WebServer(ThreadingHTTPServer):
    """A web server of both families."""

    address_family = socket.AF_INET6
    daemon_threads = True


class StreamServer(socketserver.ThreadingTCPServer):
    """A TCP server of both families."""

    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


class DatagramServer(socketserver.UDPServer):
    """A UDP server of one address, so that its answers come from the address that was asked."""

    def __init__(self, address: str, port: int, handler: type[socketserver.BaseRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, port), handler)


def start(addresses: tuple[str, ...]) -> None:
    """Start every server of a host in threads of their own."""
    servers: list[socketserver.BaseServer] = [
        WebServer((ALL_ADDRESSES, WEB_PORT), WebHandler),
        StreamServer((ALL_ADDRESSES, MAIL_PORT), MailHandler),
        StreamServer((ALL_ADDRESSES, ARCHIVE_PORT), ArchiveHandler),
    ]
    for address in addresses:
        servers += [DatagramServer(address, NAME_PORT, NameHandler), DatagramServer(address, CLOCK_PORT, ClockHandler)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
