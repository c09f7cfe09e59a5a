"""What the HTTP server is told: where to listen, with which certificate, within which limits."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import msgspec

Count = Annotated[int, msgspec.Meta(gt=0)]
"""A number of which there is at least one."""

Seconds = Annotated[float, msgspec.Meta(gt=0)]
"""A time span that is not empty."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of requests and connections; sizes in octets, times in seconds.

    ``header_seconds`` bounds the time from connecting, or from the first octet of a later request, to the end of its headers,
    ``body_seconds`` that from there to the end of the body, ``idle_seconds`` the time between requests, ``send_seconds``
    how long a client may leave an answer unread. ``bulk_resources`` bounds the resources that one request creates or replaces,
    ``page_resources`` those on one page of a list under ``/v1``; a list of the Networking API is paged only when its client asks.
    ``batch_octets``, ``batch_rows`` and ``batch_labels`` bound a batch (``core.ledger.measuring``), ``batches_waiting`` the batches and
    corrections that wait for their turn, ``reports`` the reports under way in all, ``reports_per_caller`` those of one user.
    """

    header_octets: Count = 16_384
    header_lines: Count = 100
    url_octets: Count = 8_192
    body_octets: Count = 32 * 1024 * 1024
    header_seconds: Seconds = 10.0
    body_seconds: Seconds = 60.0
    idle_seconds: Count = 75
    send_seconds: Seconds = 60.0
    connections: Count = 4_096
    bulk_resources: Count = 100_000
    page_resources: Count = 1_000
    batch_octets: Count = 32 * 1024 * 1024
    batch_rows: Count = 50_000
    batch_labels: Count = 100_000
    batches_waiting: Count = 64
    reports: Count = 16
    reports_per_caller: Count = 4


@dataclass(frozen=True, kw_only=True)
class TlsConfig:
    """Files in PEM form; with ``client_authority``, only clients with a certificate of that authority get in."""

    certificate: Path
    key: Path
    client_authority: Path | None = None


@dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """Where and how to serve.

    ``inherited_sockets`` is how many listening sockets systemd handed over; with any, ``host`` and ``port`` are not used.
    ``stop_seconds`` bounds the wait for running requests after SIGTERM.
    """

    host: str = "127.0.0.1"
    port: int = 9_696
    inherited_sockets: int = 0
    tls: TlsConfig | None = None
    loopback_only: bool = False
    stop_seconds: int = 20
    limits: Limits = field(default_factory=Limits)
