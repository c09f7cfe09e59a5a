"""Keystone's verifier where there is no Keystone: settings that lack, and a service that does not answer."""

import socket
from pathlib import Path

import pytest

from tests.support.server import running_server
from venturi.adapters.keystone.configuration import KeystoneConfig

REACHED = """
auth = "keystone"
[keystone]
auth_url = "http://127.0.0.1:{port}/v3"
www_authenticate_uri = "http://keystone.example/v3"
username = "venturi"
password = "s3cret-of-the-service"
"""


def test_the_password_is_in_no_text() -> None:
    assert "s3cret" not in repr(KeystoneConfig(auth_url="http://a", username="b", password="s3cret"))  # noqa: S106 - of nobody


def test_the_table_is_needed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"needs the table \[keystone\]"), running_server(tmp_path, "--auth", "keystone"):
        pass


def test_callers_are_told_where_keystone_is(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with running_server(tmp_path, config=REACHED.format(port=nobody.getsockname()[1])) as server:
            refused = server.request("GET", "/v2.0/nowhere")
            unknown = server.request("GET", "/v2.0/nowhere", headers={"X-Auth-Token": "gAAAA"})
        written = "".join(server.raw_log)
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, 'Keystone uri="http://keystone.example/v3"')
    assert unknown.status == 502
    assert "s3cret" not in written
