"""``venturi up`` and ``venturi demo``: everything in one process, on this host's traffic or on traffic of its own making.

Owns the options. What is built of them is the composition's affair.
"""

from typing import Any

import rich_click as click

from venturi.composition import together

_OPTION_KEYS = {
    "listen": "listen",
    "database": "database",
    "driver": "agent.driver",
    "host": "agent.host",
    "spool": "agent.spool",
}


@click.command()
@click.option("--config", "config_path", type=click.Path(dir_okay=False), help="Configuration file (TOML).")
@click.option("--listen", metavar="HOST:PORT", help="Where the server listens; 127.0.0.1:9696 by default, port 0 takes a free one.")
@click.option("--database", metavar="URL", help="The database; SQLite in the user's data folder by default. A replay keeps none.")
@click.option("--driver", type=click.Choice(["auto", "ebpf", "nftables"]), help="What counts in the kernel; auto takes eBPF where it can.")
@click.option("--host", metavar="NAME", help="What this host is called; its own name by default.")
@click.option("--spool", type=click.Path(dir_okay=False), help="The agent's spool; in the user's data folder by default.")
@click.option("--replay", is_flag=True, help="Meter replayed traffic instead of this host; what happens without the rights of root.")
@click.option("--capture", metavar="FILE", help="The capture to replay; by default an hour of a small office that comes with venturi.")
@click.option(
    "--rules", "rules_paths", metavar="FILE", multiple=True, help="Rules file for the capture; its inside prefixes tell directions."
)
@click.option("--verbose", is_flag=True, help="Log every request and step, not only what is wrong.")
def up(config_path: str | None, *, replay: bool, capture: str | None, rules_paths: tuple[str, ...], verbose: bool, **options: Any) -> int:  # noqa: ANN401 - click hands over the options by name
    """Run server, ledger and agent in one process, until Ctrl-C.

    As root, this host is metered: at the points that the server has for it or, where it has none, at the devices of its default routes.
    Otherwise, or with --replay, a capture passes as if its traffic happened just now, and its usage is shown.
    """
    if (capture is None) != (not rules_paths):
        message = "--capture and --rules go together: the rules say what is inside."
        raise click.UsageError(message)
    given = {_OPTION_KEYS[name]: choice for name, choice in options.items() if choice is not None}
    given.setdefault("logs.level", "info" if verbose else "warning")
    if replay or capture is not None or not together.may_meter():
        chosen = capture or str(together.EXAMPLES / "office.pcap.zst")
        return together.replay_traffic(config_path, given, chosen, rules_paths or (str(together.EXAMPLES / "rules.yaml"),))
    return together.meter_this_host(config_path, given)


@click.command()
@click.option(
    "--driver", type=click.Choice(["auto", "ebpf", "nftables"]), default="auto", help="What counts in the kernel; auto by default."
)
@click.option("--seconds", type=click.FloatRange(min=1), metavar="N", help="End after so many seconds; by default at Ctrl-C.")
@click.option("--verbose", is_flag=True, help="Log every request and step, not only what is wrong.")
def demo(driver: str, *, seconds: float | None, verbose: bool) -> int:
    """Meter real traffic at a router of this host's own making, beside what its senders sent.

    Needs the rights of root. The router and three projects behind it are network namespaces that are removed at the end, as is all that
    was metered. Ends with exit code 15 if what was metered is not what was sent, to the octet.
    """
    return together.demonstrate({"agent.driver": driver, "logs.level": "info" if verbose else "warning"}, seconds)
