"""Server, ledger and what meters in one process, out of settings."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venturi import composition
from venturi.adapters.client.config import ServerChoice
from venturi.composition.extras import require_extras
from venturi.composition.server import build_server
from venturi.config.surroundings import connection_config, spare_threads, wants_colours
from venturi.core.domain.interval import format_time

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from venturi.adapters.laboratory.network import LaboratoryNetwork
    from venturi.config.settings import AllSettings
    from venturi.core.domain.interval import Interval
    from venturi.services.agent.configuration import AgentSettings

EXAMPLES = Path(__file__).parent.parent / "examples"
"""The folder of the hour of traffic that comes with venturi, and its rules."""

_NOTHING_WRONG = 0


def may_meter() -> bool:
    """Tell whether this process has the rights to meter the host."""
    return os.geteuid() == 0


def meter_this_host(config_path: str | None, options: Mapping[str, object]) -> int:
    """Run server, ledger and an agent of this host until SIGTERM or Ctrl-C; give the exit code."""
    require_extras("venturi up", "server", "agent")
    spare_threads()
    from venturi.adapters.network.routes import list_default_devices
    from venturi.config.settings import agent_config, read_settings
    from venturi.interfaces.agent.drivers import choose_drivers
    from venturi.interfaces.agent.program import AgentProgram
    from venturi.interfaces.signals import ended_by_signals
    from venturi.interfaces.up.points import offer_points

    settings = read_settings(config_path, {"agent.mount_bpffs": True, **options})
    drivers = choose_drivers(settings.agent)
    with _running_server(settings) as (url, log):
        config = agent_config(replace(settings.agent, server=url))
        with composition.server_resources(ServerChoice(url=url)) as resources:
            made = offer_points(resources, config.host, list_default_devices())
        _say(f"venturi meters host '{config.host}' by {drivers}, at the points of {url}/v1/observation-points", *map(_tell_point, made))
        _say(f"The dashboard: {url}/dashboard")
        _say("Labels: venturi label create NAME, venturi apply FILE. Usage: venturi usage, venturi usage --totals. Ctrl-C ends this.")
        program = AgentProgram(config, drivers, log)
        with ended_by_signals(program.stop):
            program.run(lambda: None)
    return _NOTHING_WRONG


def replay_traffic(config_path: str | None, options: Mapping[str, object], capture: str, rules_paths: Sequence[str]) -> int:
    """Run server and ledger, and let a capture pass as if it had happened just now, until SIGTERM or Ctrl-C; give the exit code.

    Nothing is kept: database and spool lie in a folder that goes at the end.
    """
    require_extras("a replay", "server", "agent", "offline")
    spare_threads()
    from venturi.config.settings import read_settings

    with tempfile.TemporaryDirectory(prefix="venturi-") as folder:
        settings = read_settings(config_path, {**options, "database": f"sqlite:///{folder}/venturi.db"})
        composition.prepare_kernels(quiet=False)
        with _running_server(settings) as (url, log):
            _replay(url, log, Path(folder), capture, rules_paths)
    return _NOTHING_WRONG


def demonstrate(options: Mapping[str, object], seconds: float | None) -> int:
    """Meter traffic of known amount at a router in namespaces, and show both, until SIGTERM, Ctrl-C or the time is over.

    Nothing is kept: namespaces, database and what is in the kernel go at the end. Gives the exit code.
    """
    require_extras("venturi demo", "server", "agent")
    spare_threads()
    from venturi.adapters.drivers.ebpf.bpf.file_system import passing_bpf_folder
    from venturi.adapters.laboratory.network import LaboratoryNetwork, laboratory_name
    from venturi.config.settings import read_settings
    from venturi.interfaces.up.demo import DEMO_HOST, PROJECTS

    with ExitStack() as running:
        folder = running.enter_context(tempfile.TemporaryDirectory(prefix="venturi-"))
        running.enter_context(passing_bpf_folder(Path(folder, "bpf")))
        network = running.enter_context(LaboratoryNetwork(laboratory_name(), PROJECTS))
        own = {"database": f"sqlite:///{folder}/venturi.db", "agent.spool": f"{folder}/spool.db", "agent.host": DEMO_HOST}
        kernel = {"agent.bpffs": f"{folder}/bpf", "agent.mount_bpffs": True}
        often = {"agent.measure_interval": "1s", "agent.report_interval": "1s", "listen": "127.0.0.1:0"}
        settings = read_settings(None, {**own, **kernel, **often, **options})
        with _running_server(settings) as (url, log):
            _demonstrate(replace(settings.agent, server=url), log, network, seconds)
    return _NOTHING_WRONG


def _demonstrate(settings: "AgentSettings", log: "FilteringBoundLogger", network: "LaboratoryNetwork", seconds: float | None) -> None:
    """Run the demonstration in a thread beside the agent, which ends with it; its error is raised here."""
    from concurrent.futures import ThreadPoolExecutor

    from rich.console import Console

    from venturi.adapters.ending import Ending
    from venturi.config.settings import agent_config
    from venturi.interfaces.agent.drivers import choose_drivers
    from venturi.interfaces.agent.program import AgentProgram
    from venturi.interfaces.signals import ended_by_signals
    from venturi.interfaces.up.demo import Demo

    drivers = choose_drivers(settings)
    ending = Ending()
    _say(f"A router in network namespace {network.router_namespace} is metered by {drivers}; the server runs at {settings.server}")
    with composition.server_resources(ServerChoice(url=settings.server)) as resources, ThreadPoolExecutor(1, "demo") as beside:
        demo = Demo(network, resources, Console(), ending)
        demo.prepare()
        agent = AgentProgram(agent_config(settings), drivers, log)
        with ended_by_signals(ending.call):
            course = beside.submit(demo.run, seconds)
            course.add_done_callback(lambda _: agent.stop())
            agent.run(lambda: None)
        course.result()


def _replay(url: str, log: "FilteringBoundLogger", folder: Path, capture: str, rules_paths: Sequence[str]) -> None:
    from venturi.adapters.files.rules_file import load_rules
    from venturi.interfaces.up.points import offer_point
    from venturi.interfaces.up.replay_program import REPLAY_HOST, ReplayConfig, ReplayProgram
    from venturi.services.applying.applying import Applying
    from venturi.services.applying.request import ApplyRequest
    from venturi.services.replaying.passing import UPLINK, ReplayedCapture

    rules = load_rules(rules_paths)
    with composition.server_resources(ServerChoice(url=url)) as resources:
        applying = Applying(resources, ApplyRequest(paths=tuple(rules_paths)))
        applying.carry_out(applying.compare(rules), _say)
        offer_point(resources, REPLAY_HOST, UPLINK, UPLINK)
    _say(f"The server runs at {url}, with a dashboard at {url}/dashboard and its API at {url}/docs.")
    _say(f"{Path(capture).name} passes as if it had happened just now ...")
    replayed = ReplayedCapture(path=capture, inside=rules.inside, open_flow_records=composition.open_flow_records)
    config = ReplayConfig(capture=replayed, spool=folder / "spool.db", server=connection_config(ServerChoice(url=url)))
    ReplayProgram(config, log).run(lambda past: _show(url, past))


def _show(url: str, past: "Interval") -> None:
    """Show what was replayed, by the command that anyone may ask by."""
    from venturi.interfaces.render.resources.view import View
    from venturi.interfaces.render.usage.question import UsageQuestion

    bounds = (("from", format_time(past.start)), ("to", format_time(past.end)))
    _say("", f"$ venturi usage --from {bounds[0][1]} --to {bounds[1][1]} --group-by label,direction", "")
    parameters = (*bounds, ("resolution", "total"), ("group_by", "label,direction"))
    question = UsageQuestion(parameters=parameters)
    composition.show_usage(ServerChoice(url=url), lambda: question, View(form="table"))
    _say("", "The traffic goes on passing, at the pace of the clock. Try in another shell, or end this by Ctrl-C:")
    ask = f"  VENTURI_URL={url} venturi"
    _say(f"{ask} usage", f"{ask} usage --resolution 5m --label web-shop", f"{ask} usage --totals", f"{ask} label list")


@contextmanager
def _running_server(settings: "AllSettings") -> "Iterator[tuple[str, FilteringBoundLogger]]":
    """Run the server beside the block, and give its URL and the log of the program."""
    from venturi.adapters.logs.log import running_log
    from venturi.adapters.server.background import running_beside

    with running_log(sys.stderr, settings.logs, coloured=wants_colours()) as log, ExitStack() as running:
        server, supervisor = build_server(settings, log, running)
        url = server.start()[0]
        running.enter_context(running_beside(server, supervisor))
        yield url, log
        supervisor.require_alive()


def _tell_point(name: str) -> str:
    return f"No point was known on this host, so there is one now at a default route: {name}"


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
