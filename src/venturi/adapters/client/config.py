"""How a server is reached, as values that a command can make without loading an HTTP library."""

from dataclasses import dataclass

DEFAULT_URL = "http://127.0.0.1:9696"
"""The server that is asked where none is named."""


@dataclass(frozen=True, kw_only=True)
class ConnectionConfig:
    """Where the server is and how a caller proves who it is.

    ``url`` may have a path, for a server behind a proxy. ``ca_file`` names the authority that signed the server's certificate; without
    one, those of the system are trusted. ``insecure_token`` sends the token over plain HTTP to another host all the same.
    Times are in seconds; ``read_seconds`` bounds the wait for each part of an answer, ``longest_answer`` its octets once decompressed.
    """

    url: str = DEFAULT_URL
    token: str | None = None
    ca_file: str | None = None
    insecure_token: bool = False
    connect_seconds: float = 5.0
    read_seconds: float = 120.0
    longest_answer: int = 1 << 30


@dataclass(frozen=True, kw_only=True)
class ServerChoice:
    """What a command line says of the server; None where it leaves the matter to the environment."""

    url: str | None = None
    ca_file: str | None = None
    insecure_token: bool = False
