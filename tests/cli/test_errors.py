"""Errors that say what to do, and input that is judged before any server is asked."""

import re
import socket
from pathlib import Path

import pytest

from tests.cli.conftest import Venturi
from tests.support.server import running_server
from venturi.main import run

NOWHERE = "http://127.0.0.1:9"

JUDGED = [
    (("rule", "create", "web", "--source-ip-prefix", "10.0.0.0/33"), "source_ip_prefix: 10.0.0.0/33 is invalid"),
    (("rule", "create", "web"), "You must define at least one of the following parameters"),
    (("rule", "create", "web", "--source-ip-prefix", "10.0.0.0/8", "--destination-ip-prefix", "2001:db8::/32"), "of two IP versions"),
    (("point", "create", "wan"), "say what the point is: --device DEVICE for an interface"),
    (("point", "create", "wan", "--kind", "router"), "a point of kind router needs --router-id"),
    (("point", "create", "wan", "--device", "eth0", "--address", "192.0.2.1"), "say what the point is"),
    (("point", "create", "wan", "--kind", "interface", "--device", "eth0", "--outside-interface", "1"), "--outside-interface is not for"),
    (("point", "create", "x", "--kind", "exporter"), "nothing meters points of kind exporter yet; there can be interface and router."),
    (("point", "create", "x", "--address", "192.0.2.1"), "nothing meters points of kind exporter yet; there can be interface and router."),
    (("point", "list", "--kind", "bridge"), "'bridge' is not one of 'interface', 'router', 'exporter'"),
    (("usage", "--group-by", "colour"), "'colour' is none of label, project, point, point_project, direction"),
    (("label", "list", "-c", "colour"), "there is no column 'colour'"),
]


@pytest.mark.parametrize(("words", "sentence"), JUDGED, ids=[" ".join(words) for words, _ in JUDGED])
def test_what_can_be_judged_without_a_server_is(
    words: tuple[str, ...], sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VENTURI_URL", NOWHERE)
    assert run(list(words)) == 2
    said = " ".join(re.sub("[│╭╮╰╯─]", "", capsys.readouterr().err).split())
    assert sentence in said


def test_a_device_alone_is_an_interface_of_this_host(venturi: Venturi) -> None:
    assert venturi("point", "create", "wan", "--device", "eth7", "-f", "value", "-c", "kind", "-c", "host", "-c", "device") == (
        f"interface\n{socket.gethostname().lower()}\neth7\n"
    )


def test_a_rule_that_its_label_has_is_made_with_a_warning(venturi: Venturi) -> None:
    venturi("label", "create", "doubled")
    made = ("rule", "create", "doubled", "--source-ip-prefix", "10.0.0.0/8")
    first = venturi(*made, "-f", "value", "-c", "id").strip()
    venturi(*made, warning=f"warning: the label had this rule already, {first}: a packet counts once all the same")
    venturi(*made, "--exclude")


def test_a_busy_database_names_the_process_that_has_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running_server(tmp_path) as server:
        assert run(["db", "restore", str(tmp_path / "none"), "--database", server.database]) == 10
        capsys.readouterr()
        assert run(["db", "upgrade", "--database", server.database]) == 10
        path = tmp_path / "venturi.db"
        assert capsys.readouterr().err == (
            f"venturi: another process (pid {server.process.pid}) writes to the database {path}: stop that server first, or use its API\n"
        )
    assert run(["db", "upgrade", "--database", server.database]) == 0


def test_a_token_is_rotated_by_a_command(venturi: Venturi) -> None:
    made = ("--project", "p", "--role", "reader", "--name", "rotated", "-f", "value", "-c", "id")
    first = venturi("token", "create", *made).strip()
    second, secret = venturi("token", "rotate", "rotated", "--overlap", "0s", "-f", "value", "-c", "id", "-c", "secret").split()
    assert secret.startswith("venturi_")
    assert venturi("token", "show", first, "-f", "value", "-c", "expires_at") != "None\n"
    assert venturi("token", "show", second, "-f", "value", "-c", "expires_at", "-c", "name") == "None\nrotated\n"
    venturi("token", "rotate", first, code=2, sentence=f"token {first} opens nothing any more: make a new one")
