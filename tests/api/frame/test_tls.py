"""TLS: with a certificate of its own, with certificates of clients, and with files that are none."""

import socket
import ssl
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.support.server import ServerProcess, running_server
from tests.support.tools import needs
from venturi.adapters.server.configuration import TlsConfig
from venturi.adapters.server.server import build_tls_context
from venturi.core.domain.errors import ServeError

pytestmark = needs("openssl")


@dataclass
class Certificates:
    """An authority, and a server and a client that it vouches for."""

    folder: Path

    def path(self, name: str) -> Path:
        return self.folder / name

    @property
    def options(self) -> tuple[str, ...]:
        return ("--tls-certificate", str(self.path("server.pem")), "--tls-key", str(self.path("server.key")))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates made for this run."""
    made = Certificates(tmp_path_factory.mktemp("certificates"))
    # Python 3.13 demands of an authority that it says what its key is for (RFC 5280 §4.2.1.3).
    purposes = ("-addext", "keyUsage=critical,digitalSignature,keyCertSign")
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", *purposes)
    _openssl(made, "req", "-x509", *new_key, "-subj", "/CN=authority", "-keyout", "authority.key", "-out", "authority.pem")
    for name in ("server", "client"):
        signed = ("-CA", "authority.pem", "-CAkey", "authority.key", "-addext", "subjectAltName=IP:127.0.0.1")
        _openssl(made, "req", "-x509", *new_key, *signed, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    return made


def _openssl(made: Certificates, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=made.folder, check=True, capture_output=True)


def _ask(server: ServerProcess, certificates: Certificates, **client: Any) -> int:  # noqa: ANN401 - files of a client
    with urllib3.PoolManager(ca_certs=str(certificates.path("authority.pem")), retries=False, timeout=10, **client) as pool:
        return pool.request("GET", f"{server.url}/healthz/ready").status


def test_a_client_that_trusts_the_authority_gets_an_answer(certificates: Certificates, tmp_path: Path) -> None:
    with running_server(tmp_path, *certificates.options) as server:
        assert server.url.startswith("https://127.0.0.1:")
        assert _ask(server, certificates) == 200


def test_plain_http_gets_none(certificates: Certificates, tmp_path: Path) -> None:
    with running_server(tmp_path, *certificates.options) as server, pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request("GET", f"http://127.0.0.1:{server.port}/healthz/ready", retries=False, timeout=10)


def test_a_handshake_takes_no_longer_than_a_header_may(certificates: Certificates, tmp_path: Path) -> None:
    with running_server(tmp_path, *certificates.options, config="[limits]\nheader_seconds = 1.0\n") as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
            assert client.recv(1) == b""
        assert _ask(server, certificates) == 200


def test_clients_that_are_idle_do_not_keep_a_server_from_stopping(certificates: Certificates, tmp_path: Path) -> None:
    context = ssl.create_default_context(cafile=str(certificates.path("authority.pem")))
    with running_server(tmp_path, *certificates.options) as server, ExitStack() as clients:
        for _ in range(3):
            plain = clients.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            client = clients.enter_context(context.wrap_socket(plain, server_hostname="127.0.0.1"))
            client.sendall(b"GET /healthz/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.recv(12) == b"HTTP/1.1 200"
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 5


def test_clients_show_a_certificate_where_one_is_wanted(certificates: Certificates, tmp_path: Path) -> None:
    wanted = (*certificates.options, "--tls-client-authority", str(certificates.path("authority.pem")))
    with running_server(tmp_path, *wanted) as server:
        own = {"cert_file": str(certificates.path("client.pem")), "key_file": str(certificates.path("client.key"))}
        assert _ask(server, certificates, **own) == 200
        with pytest.raises(urllib3.exceptions.HTTPError):
            _ask(server, certificates)


def test_old_versions_are_not_spoken(certificates: Certificates) -> None:
    context = build_tls_context(TlsConfig(certificate=certificates.path("server.pem"), key=certificates.path("server.key")))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


FILES = {
    "a certificate that is missing": ("none.pem", "server.key", None, "certificate and key in .*none.pem.*: No such file"),
    "a key that is a certificate": ("server.pem", "server.pem", None, "cannot use the certificate and key"),
    "a key of another": ("server.pem", "client.key", None, "KEY_VALUES_MISMATCH"),
    "an authority that is missing": ("server.pem", "server.key", "none.pem", "client authority in .*none.pem: No such file"),
    "an authority that is a key": ("server.pem", "server.key", "server.key", "cannot use the client authority"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_does_not_do_is_named(certificates: Certificates, name: str) -> None:
    certificate, key, authority, sentence = FILES[name]
    client_authority = certificates.path(authority) if authority else None
    config = TlsConfig(certificate=certificates.path(certificate), key=certificates.path(key), client_authority=client_authority)
    with pytest.raises(ServeError, match=sentence):
        build_tls_context(config)
