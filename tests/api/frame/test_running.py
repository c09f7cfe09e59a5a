"""A server's life: start, sockets from systemd, stopping in the middle of requests, memory, what it imports."""

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.api.frame.wire import connect, read_to_end, statuses
from tests.support.server import ServerProcess, running_server
from tests.support.sources import ROOT
from tests.support.tools import needs

LABELS = "/v2.0/metering/metering-labels"
UNITS = ROOT / "packaging" / "systemd"
MEMORY = 120 * 2**20
GROWTH = 44 * 2**20
EXPOSURE = "20"
"""In tenths of systemd's scale, on which 10 is unprotected."""
AGENT_EXPOSURE = "45"
"""Of the agent, which needs the rights to count in the kernel."""

IMPORTS = (
    "import sys, venturi.composition as c; sys.argv = ['a']; {code}; print([m for m in ('numba', 'numpy', 'pyarrow') if m in sys.modules])"
)
SERVING = (
    "import venturi.interfaces.api.application, venturi.adapters.server.server, venturi.services.control.tokens, venturi.adapters.logs.log"
)


def test_a_request_that_is_being_answered_is_finished_before_the_end(server: ServerProcess) -> None:
    body = b'{"metering_label": {"name": "last"}}'
    with connect(server.port) as connection:
        connection.sendall(f"POST {LABELS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body[:10])
        time.sleep(0.3)
        server.process.terminate()
        time.sleep(0.5)
        connection.sendall(body[10:])
        answer = read_to_end(connection)
    assert statuses(answer) == [201]
    assert b"connection: close" in answer
    assert server.process.wait(10) == 0
    assert server.wait_for_log("stopped")


def test_no_write_that_was_acknowledged_is_lost_at_the_end(tmp_path: Path) -> None:
    acknowledged: set[str] = set()

    def write(server: ServerProcess) -> None:
        for _ in range(200):
            try:
                answer = server.request("POST", LABELS, form={"metering_label": {}})
            except Exception:  # noqa: BLE001 - the server is ending, in any way
                return
            if answer.status == 201:
                acknowledged.add(answer.json()["metering_label"]["id"])

    with running_server(tmp_path) as server:
        writers = [threading.Thread(target=write, args=(server,)) for _ in range(8)]
        for writer in writers:
            writer.start()
        time.sleep(1)
        assert server.stop() == 0
        for writer in writers:
            writer.join()
    with running_server(tmp_path) as server:
        kept = {label["id"] for label in server.request("GET", LABELS).json()["metering_labels"]}
    assert acknowledged
    assert acknowledged - kept == set()


def test_a_client_that_never_ends_its_request_does_not_keep_the_server(tmp_path: Path) -> None:
    with running_server(tmp_path, config="stop_seconds = 1") as server, connect(server.port) as connection:
        connection.sendall(f"POST {LABELS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n".encode())
        time.sleep(0.3)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 8


def test_ctrl_c_ends_it_too(server: ServerProcess) -> None:
    server.process.send_signal(2)
    assert server.process.wait(20) == 0


def test_an_address_in_use_is_named(server: ServerProcess, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with (
        pytest.raises(AssertionError, match=f'cannot listen on 127.0.0.1:{server.port}: Address already in use"'),
        running_server(other, "--listen", f"127.0.0.1:{server.port}"),
    ):
        pass


def test_it_serves_on_the_sockets_that_systemd_hands_over(tmp_path: Path) -> None:
    script = 'exec 3<&"$1"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$2" -m venturi serve --database "$3"'
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.fileno()
        arguments = ["bash", "-c", script, "-", str(number), sys.executable, f"sqlite:///{tmp_path / 'venturi.db'}"]
        with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, pass_fds=[number]) as child:
            server = ServerProcess(child, "", url=f"http://127.0.0.1:{listening.getsockname()[1]}")
            try:
                assert server.request("GET", "/healthz/ready").status == 200
            finally:
                server.stop()
            assert f"127.0.0.1:{server.port}" in (child.stderr.read() if child.stderr else "")


def test_a_server_without_authentication_takes_no_open_socket_from_systemd(tmp_path: Path) -> None:
    script = 'exec 3<&"$1"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$2" -m venturi serve --database "$3"'
    with socket.create_server(("0.0.0.0", 0)) as listening:  # noqa: S104 - what must be refused
        number = listening.fileno()
        arguments = ["bash", "-c", script, "-", str(number), sys.executable, f"sqlite:///{tmp_path / 'venturi.db'}"]
        run = subprocess.run(arguments, stderr=subprocess.PIPE, text=True, pass_fds=[number], check=False, timeout=60)
    assert run.returncode == 12
    assert "choose --auth token" in run.stderr


def test_memory_stays_small_under_load(server: ServerProcess) -> None:
    labels = [{"name": f"label {number}"} for number in range(1000)]
    assert server.request("POST", LABELS, form={"metering_labels": labels}).status == 201

    def read() -> None:
        for _ in range(20):
            assert server.request("GET", LABELS).status == 200

    readers = [threading.Thread(target=read) for _ in range(16)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert server.resident_octets() < MEMORY


def test_memory_of_large_requests_is_given_back(server: ServerProcess) -> None:
    server.request("GET", LABELS)
    before = server.resident_octets()
    for network in range(4):
        labels = [{"name": f"label {number}", "description": "d" * 200} for number in range(25_000)]
        assert server.request("POST", LABELS, form={"metering_labels": labels}).status == 201, network
    deadline = time.monotonic() + 20
    while server.resident_octets() - before >= GROWTH and time.monotonic() < deadline:
        assert server.request("GET", f"{LABELS}?limit=1").status == 200
        time.sleep(0.1)
    assert server.resident_octets() - before < GROWTH


@pytest.mark.parametrize("code", ["pass", SERVING], ids=["the composition", "what serves"])
def test_the_server_imports_no_vector_kernels(code: str) -> None:
    run = subprocess.run([sys.executable, "-c", IMPORTS.format(code=code)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_running_server_has_loaded_no_vector_kernels(server: ServerProcess) -> None:
    assert server.request("GET", LABELS).status == 200
    mapped = Path(f"/proc/{server.process.pid}/maps").read_text(encoding="utf-8")
    assert [name for name in ("numba", "llvmlite", "numpy", "pyarrow") if f"site-packages/{name}/" in mapped] == []


@needs("systemd-analyze")
@pytest.mark.parametrize(
    ("names", "exposure"),
    [
        pytest.param(("venturi.service", "venturi.socket"), EXPOSURE, id="server"),
        pytest.param(("venturi-agent.service",), AGENT_EXPOSURE, id="agent"),
    ],
)
def test_the_units_are_sound_and_locked_down(names: tuple[str, ...], exposure: str, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("venturi")
    for unit in names:
        text = (UNITS / unit).read_text(encoding="utf-8")
        (tmp_path / unit).write_text(text.replace("ExecStart=venturi", f"ExecStart={program}"), encoding="utf-8")
    units = [str(tmp_path / unit) for unit in names]
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    rating = ["systemd-analyze", "security", "--offline=true", f"--threshold={exposure}", "--no-pager", units[0]]
    rated = subprocess.run(rating, capture_output=True, text=True, check=False)
    assert rated.returncode == 0, rated.stdout[-200:]
