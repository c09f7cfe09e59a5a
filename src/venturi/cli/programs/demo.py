"""``venturi demo``: a router, real traffic, and what is metered of it.

Owns the options. What is built of them is the composition's affair.
"""

import rich_click as click

from venturi.composition import together


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
