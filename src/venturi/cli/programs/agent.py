"""``venturi agent``: what meters on a host, and what a server knows of it. ``venturi doctor``: what the host can count by.

Owns the options. What is built of them is the composition's affair.
"""

from pathlib import Path
from typing import Any

import rich_click as click

from venturi import composition
from venturi.adapters.client.collections import AGENTS, ListRequest
from venturi.adapters.client.config import ServerChoice
from venturi.cli.resources.options import Command, as_filters, limit_option, list_options, server_options, show_options
from venturi.composition import wants_colours
from venturi.composition.agent import examine_host, purge_drivers, run_agent, show_agent_status
from venturi.interfaces.render.resources.view import View

_OPTION_KEYS = {
    "server": "agent.server",
    "plan": "agent.plan",
    "driver": "agent.driver",
    "host": "agent.host",
    "agent_id": "agent.agent_id",
    "spool": "agent.spool",
    "metrics": "agent.metrics",
    "log_form": "logs.form",
}


def _spool_option(command: Command) -> Command:
    spelled = "The spool; by default in the user's data folder."
    return click.option("--spool", type=click.Path(path_type=Path, dir_okay=False), help=spelled)(command)


@click.group(invoke_without_command=True)
@click.option("--config", "config_path", type=click.Path(dir_okay=False), help="Configuration file (TOML), with a table [agent].")
@click.option("--server", metavar="URL", help="The server to follow and to deliver to; by default VENTURI_URL, or the one on this machine.")
@click.option("--plan", type=click.Path(dir_okay=False), help="Follow the plan in this file; deliver only to a --server that is named.")
@click.option("--driver", type=click.Choice(["auto", "ebpf", "nftables"]), help="What counts in the kernel; auto takes eBPF where it can.")
@click.option("--host", metavar="NAME", help="The host whose plan is followed; by default the name of this one.")
@click.option("--agent-id", metavar="ID", help="In whose name usage is posted; by default the host's.")
@_spool_option
@click.option("--metrics", metavar="HOST:PORT", help="Serve metrics for Prometheus there; by default nowhere.")
@click.option(
    "--log-form", type=click.Choice(["auto", "json", "text"]), help="Form of the log; auto is text on a terminal, JSON elsewhere."
)
@click.pass_context
def agent(context: click.RichContext, /, config_path: str | None, **options: Any) -> int:  # noqa: ANN401 - click hands over the options by name
    """Meter this host by its plan, until SIGTERM or Ctrl-C; the kernel goes on counting after that."""
    if context.invoked_subcommand is not None:
        return 0
    given = {_OPTION_KEYS[name]: choice for name, choice in options.items() if choice is not None}
    return run_agent(config_path, given)


@agent.command()
@_spool_option
@show_options
def status(spool: Path | None, view: View) -> int:
    """Show what the agent of a spool last knew: what it meters, its spool, its delivery and its alarms.

    Ends with exit code 1 if the agent does not run.
    """
    return show_agent_status(spool, view)


@agent.command()
@click.option("--config", "config_path", type=click.Path(dir_okay=False), help="Configuration file (TOML) of the agent.")
def purge(config_path: str | None) -> int:
    """Remove all that agents have put into the kernel of this host, and with it what was counted since the last reading.

    Refused while an agent meters.
    """
    return purge_drivers(config_path)


@agent.command("list")
@click.option("--host", help="Only agents of this host.")
@click.option("--long", is_flag=True, help="Show all columns.")
@limit_option
@list_options
@server_options
def list_agents(*, server: ServerChoice, view: View, host: str | None, long: bool, limit: int | None) -> int:
    """List the agents that report to a server, each with its last status, and those that only post."""
    request = ListRequest(collection=AGENTS, filters=as_filters({"host": host}), limit=limit, long=long)
    with composition.resource_commands(server) as commands:
        return commands.list(request, view)


@agent.command("show")
@click.argument("agent_id", metavar="AGENT")
@show_options
@server_options
def show_agent(*, server: ServerChoice, view: View, agent_id: str) -> int:
    """Show what a server knows of an agent."""
    with composition.resource_commands(server) as commands:
        return commands.show_agent(agent_id, view)


@agent.command()
@click.argument("agents", nargs=-1, required=True, metavar="AGENT...")
@server_options
def forget(*, server: ServerChoice, agents: tuple[str, ...]) -> int:
    """Have a server forget what agents reported that are gone, and clear their alarms; what they posted stays."""
    with composition.resource_commands(server) as commands:
        return commands.forget_agents(agents)


@click.command()
@click.option("--config", "config_path", type=click.Path(dir_okay=False), help="Configuration file (TOML) of the agent.")
@click.option(
    "-f", "--format", "output_format", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the output."
)
def doctor(config_path: str | None, output_format: str) -> int:
    """Tell what this host can count by, and what goes uncounted.

    Tries every driver, and says why not where one cannot run; lists the ways around the hook at each device. Ends with exit
    code 13 if no driver can count.
    """
    return examine_host(config_path, View(form=output_format, coloured=wants_colours()))
