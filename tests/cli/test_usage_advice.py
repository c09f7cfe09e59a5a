"""``venturi usage`` where there is nothing to show, or nothing new: what is missing, and the command that mends it."""

import inspect
import re
import time
from collections.abc import Callable, Iterator

import pytest
import rich_click as click

from tests.support.server import ServerProcess, running_server
from venturi.cli import venturi as commands
from venturi.interfaces import usage_advice

Venturi = Callable[..., str]
SECONDS = 15.0
POINT = ("--kind", "interface", "--host", "edge-1", "--device", "eth0")
LABEL_RULE = ("--egress", "--source-ip-prefix", "10.0.0.0/8")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that knows nothing yet."""
    with running_server(tmp_path_factory.mktemp("new")) as running:
        yield running


def test_what_is_missing_is_said_one_after_the_other(venturi: Venturi, server: ServerProcess) -> None:
    """Each command that the answer names is given; the next answer names the next."""
    assert "There is no observation point" in venturi("usage")
    venturi("point", "create", "shop-uplink", *POINT, "--project", "shop")
    assert "There is no label" in venturi("usage")
    venturi("label", "create", "web")
    told = venturi("usage")
    assert "Label 'web' counts at no observation point: none is shared, and none is of the same project." in told
    assert "venturi point set POINT --share" in told
    venturi("point", "set", "shop-uplink", "--share")
    assert "Label 'web' has no rule, so it counts nothing." in venturi("usage")
    venturi("rule", "create", "web", *LABEL_RULE)
    assert venturi("usage").endswith("No agent has reported. Start one on edge-1, as root:\n  venturi agent --server URL\n")
    status = {"host": "edge-1", "version": "1.2.3", "driver": "ebpf", "phase": "metering", "report_interval_seconds": 60, "alarms": []}
    assert server.request("PUT", "/v1/agents/edge-1", form=status).status == 200
    told = _eventually(lambda: venturi("usage").splitlines()[-1], "are due")
    assert re.fullmatch(r"The agent edge-1 reports[.] The first figures are due at [0-9-]{10} [0-9]{2}:[0-9]{2}:00Z[.]", told)


def _eventually(ask: Callable[[], str], wanted: str) -> str:
    deadline = time.monotonic() + SECONDS
    while wanted not in (told := ask()):
        assert time.monotonic() < deadline, told
        time.sleep(0.05)
    return told


@pytest.mark.parametrize("question", [(), ("--totals",), ("--resolution", "5m"), ("--resolution", "5m", "--all")])
def test_no_line_is_wider_than_a_terminal_or_alone(venturi: Venturi, question: tuple[str, ...]) -> None:
    lines = venturi("usage", *question).splitlines()
    assert len(lines) > 2
    assert [line for line in lines if len(line) > 80] == []


def test_every_command_that_is_named_is_one() -> None:
    source = inspect.getsource(usage_advice)
    named = re.findall(r"venturi ((?:point|label|rule|agent|usage|apply)[^\"{:.]*)", source)
    assert len(named) >= 9
    for words in (text.split() for text in named):
        command: click.Command = commands
        while isinstance(command, click.Group) and words and (found := command.get_command(click.Context(command), words[0])):
            command = found
            words.pop(0)
        options = {spelling for parameter in command.params for spelling in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= options, command.name
