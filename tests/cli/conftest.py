"""A running server, and the command line that asks it."""

import re
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.server import ServerProcess, running_server
from venturi.main import run

Venturi = Callable[..., str]
_SECONDS = 15.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that takes everybody for an administrator of the project ``default``; its labels stay from test to test."""
    with running_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait until something is so; it must be within some seconds."""

    def wait(is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _SECONDS
        while not is_so():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    return wait


@pytest.fixture
def venturi(request: pytest.FixtureRequest) -> Venturi:
    """Run a command on the server and give what it printed; it must end with ``code``, and this sentence or warning, if any.

    That labels count at no point is said beside it (``test_uncounted``).
    """
    server: ServerProcess = request.getfixturevalue("server")
    monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    capsys: pytest.CaptureFixture[str] = request.getfixturevalue("capsys")
    for name in ("VENTURI_TOKEN", "VENTURI_CA_FILE", "VENTURI_INSECURE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VENTURI_URL", server.url)

    def run_venturi(*arguments: str, code: int = 0, sentence: str = "", warning: str = "") -> str:
        ended = run(list(arguments))
        printed = capsys.readouterr()
        assert ended == code, printed.err
        told = re.sub(r"(?m)^note: (there is|labels?).* no observation point.*\n", "", printed.err)
        assert told == (f"venturi: {sentence}\n" if sentence else f"{warning}\n" if warning else "")
        return printed.out

    return run_venturi
