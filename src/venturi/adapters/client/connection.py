"""The connection to a server: one request, one answer.

Owns HTTP, TLS, retries and who may be sent a token. What an answer says belongs to ``answers``, what is asked to ``resources``.
"""

import json
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from ipaddress import ip_address
from types import MappingProxyType
from typing import NamedTuple, Self
from urllib.parse import urlencode

from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, LocationParseError, NewConnectionError, ProtocolError
from urllib3.exceptions import TimeoutError as NoAnswerError
from urllib3.util import Url, parse_url

from venturi import __version__
from venturi.adapters.client.answers import Json, read_answer
from venturi.adapters.client.config import ConnectionConfig
from venturi.adapters.edges import CLIENT_EDGE
from venturi.adapters.threads.backoff import Backoff
from venturi.core.domain.errors import (
    InvalidRequestError,
    InvalidTokenRequestError,
    ServerError,
    UnreachableServerError,
    UnreadableFileError,
)
from venturi.core.domain.interval import SECOND

Query = Sequence[tuple[str, str]]
"""Names and values of a query, in order; a name may stand several times."""

_JSON = MappingProxyType({"Content-Type": "application/json"})
_IDEMPOTENT = frozenset({"GET", "PUT"})
_PASSING = (NewConnectionError, ProtocolError)
_NOBODY = (NewConnectionError, ConnectTimeoutError)
_MOST_TRIES = 3
"""How often what may be done twice is tried where the connection fails."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 0.4
_PART = 1 << 16


class _Answer(NamedTuple):
    status: int
    validator: str
    content: bytes


@CLIENT_EDGE.adapter
class Connection:
    """Asks one server, over connections that are kept open between requests."""

    def __init__(self, config: ConnectionConfig, hear_time: Callable[[int], None] | None = None) -> None:
        """Tell ``hear_time`` what time it is by the server's clock, in nanoseconds since the UTC epoch, with each answer that says so."""
        self._config = config
        self._hear_time = hear_time
        self._url = config.url.rstrip("/")
        self._pool: PoolManager | None = None

    def start(self) -> None:
        """Check the configuration; nothing is sent yet.

        Raises ``InvalidRequestError`` for a URL that names no server, ``InvalidTokenRequestError`` for a token that may not be sent
        there, and ``UnreadableFileError`` for certificates that cannot be read.
        """
        server = _parse_server(self._url)
        if self._config.token is not None:
            _check_token(self._config.token)
            _check_secrecy(server, insecure=self._config.insecure_token)
        timeout = Timeout(connect=self._config.connect_seconds, read=self._config.read_seconds)
        trusted = _trust(self._config.ca_file) if server.scheme == "https" else None
        self._pool = PoolManager(timeout=timeout, ssl_context=trusted)

    def stop(self) -> None:
        """Close what is open."""
        if self._pool is not None:
            self._pool.clear()
            self._pool = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def ask(self, method: str, path: str, *, query: Query = (), body: Json | None = None, longest: int | None = None) -> object:
        """Send a request and give the decoded answer, None for an empty one.

        Raises the error that the answer's status stands for, with the server's own sentence, and ``ServerError`` where there is no answer,
        or one of more octets than ``longest`` or, without it, than any may have.
        """
        target = f"{self._url}{path}{'?' if query else ''}{urlencode(query)}"
        content = None if body is None else json.dumps(body).encode()
        answer = self._send(method, target, content, _MOST_TRIES if method in _IDEMPOTENT else 1, longest=longest)
        return read_answer(answer.status, answer.content, f"{method} {self._url}{path}")

    def fetch(self, path: str, query: Query, known: str, longest: int) -> tuple[str, bytes] | None:
        """Get a representation and its entity tag, unless it is still the one of tag ``known``: then None (RFC 9110 §13.1.2).

        Raises as ``ask`` does.
        """
        wanted = {"Accept-Encoding": "gzip", **({"If-None-Match": known} if known else {})}
        answer = self._send("GET", f"{self._url}{path}?{urlencode(query)}", None, _MOST_TRIES, wanted, longest)
        if answer.status == HTTPStatus.NOT_MODIFIED:
            return None
        if answer.status != HTTPStatus.OK:
            read_answer(answer.status, answer.content, f"GET {self._url}{path}")
        return answer.validator, answer.content

    def post(self, path: str, content: bytes, media_type: str, *, longest: int | None = None) -> object:
        """Send octets of a media type, once, and give the decoded answer; raises as ``ask`` does."""
        answer = self._send("POST", f"{self._url}{path}", content, 1, {"Content-Type": media_type}, longest)
        return read_answer(answer.status, answer.content, f"POST {self._url}{path}")

    def _send(
        self,
        method: str,
        target: str,
        content: bytes | None,
        tries: int,
        headers: Mapping[str, str] = _JSON,
        longest: int | None = None,
    ) -> _Answer:
        """Send a request, and again where the connection failed, ``tries`` times at most."""
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        while True:
            try:
                return self._try(method, target, content, headers, longest or self._config.longest_answer)
            except HTTPError as error:
                pause = backoff.fail()
                if backoff.failures >= tries or not isinstance(error, _PASSING):
                    message = f"the server at {self._url} cannot be reached: {_reason(error)}"
                    kind = UnreachableServerError if isinstance(error, _NOBODY) else ServerError
                    raise kind(message) from error
            time.sleep(pause)

    def _try(self, method: str, target: str, content: bytes | None, headers: Mapping[str, str], longest: int) -> _Answer:
        """Send a request once; raises ``HTTPError`` where the connection fails."""
        assert self._pool is not None, "started"  # noqa: S101 - the life cycle is the composition's affair
        answer = self._pool.request(
            method, target, body=content, headers=self._headers(headers), retries=False, redirect=False, preload_content=False
        )
        with ExitStack() as undoing:
            undoing.callback(answer.close)
            if self._hear_time is not None:
                self._tell_time(answer.headers.get("Date", ""), self._hear_time)
            content = self._read(answer, longest)
            undoing.pop_all()
        return _Answer(answer.status, answer.headers.get("ETag", ""), content)

    @staticmethod
    def _tell_time(date: str, hear_time: Callable[[int], None]) -> None:
        """Tell of the middle of the second that an answer names (RFC 9110 §6.6.1); one that names none tells nothing."""
        try:
            named = parsedate_to_datetime(date)
        except (ValueError, OverflowError):
            return
        if named.tzinfo is not None:
            hear_time(int(named.timestamp()) * SECOND + SECOND // 2)

    def _read(self, answer: BaseHTTPResponse, longest: int) -> bytes:
        """Read an answer part by part, and no further than it may be long once decompressed; else raise ``ServerError``."""
        content = bytearray()
        for part in answer.stream(_PART, decode_content=True):
            content += part
            if len(content) > longest:
                message = f"the answer of the server at {self._url} is longer than {longest} octets, so it is not read"
                raise ServerError(message)
        answer.release_conn()
        return bytes(content)

    def _headers(self, particular: Mapping[str, str]) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": f"venturi/{__version__}", **particular}
        if self._config.token is not None:
            headers["Authorization"] = f"Bearer {self._config.token}"
        return headers


def _parse_server(url: str) -> Url:
    try:
        server = parse_url(url)
    except LocationParseError:
        server = Url()
    if server.scheme not in {"http", "https"} or not server.host or server.auth or server.query or server.fragment:
        message = f"'{url}' is not the URL of a server, such as http://127.0.0.1:9696 or https://venturi.example.net"
        raise InvalidRequestError(message)
    return server


def _check_token(token: str) -> None:
    if not token.isascii() or not token.isprintable() or " " in token or not token:
        message = "the token has characters that no token has"
        raise InvalidTokenRequestError(message)


def _check_secrecy(server: Url, *, insecure: bool) -> None:
    if server.scheme == "https" or insecure or _is_loopback(server.host or ""):
        return
    ways = "use https, or insist by --insecure-token or VENTURI_INSECURE_TOKEN=1"
    message = f"a token is not sent over plain HTTP to {server.host}, where others can read it: {ways}"
    raise InvalidTokenRequestError(message)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _trust(ca_file: str | None) -> ssl.SSLContext:
    """Load the trusted authorities now, when it can be said that the file is at fault."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        message = f"{ca_file}: cannot be read as certificates: {error.strerror or error}"
        raise UnreadableFileError(message) from error


def _reason(error: HTTPError) -> str:
    """Say what went wrong in words that mean something to whoever asked."""
    if isinstance(error, NoAnswerError) and not isinstance(error, NewConnectionError):
        return "it does not answer in time"
    if isinstance(error, ProtocolError):
        return "it ended the connection without a whole HTTP answer"
    origin = error.__cause__ or error.__context__
    if isinstance(origin, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {origin.verify_message}"
    if isinstance(origin, ssl.SSLError):
        return "it does not speak TLS as it should; perhaps its URL begins with http://"
    return (isinstance(origin, OSError) and origin.strerror) or str(error)
