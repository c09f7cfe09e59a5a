"""``venturi contract``: what projects owe for a period, or what is owed for them, and why."""

from collections.abc import Callable
from typing import Any

import rich_click as click

from venturi import composition
from venturi.adapters.client.collections import CONTRACTS, ListRequest, Reference
from venturi.adapters.client.config import ServerChoice
from venturi.cli.resources.completing import names_of
from venturi.cli.resources.options import Command, as_filters, given, limit_option, list_options, server_options, show_options
from venturi.cli.times import read_time
from venturi.cli.values import DomainValue
from venturi.core.contracts.terms import Side
from venturi.core.domain.errors import InvalidRequestError
from venturi.core.domain.interval import format_time
from venturi.core.rules.checks import printable
from venturi.interfaces.render.resources.view import View


def _read_bound(text: str) -> str:
    """Read when a contract begins or ends, in the zone of this machine unless it names one; else ``InvalidTimeError``."""
    return format_time(read_time(text, None, composition.current_time()))


_BOUND = DomainValue("time", _read_bound)
_OF = click.Choice(["ingress", "egress", "sum", "max", "max_of_percentiles"])
_ENDS = click.option("--ends", "ends_at", type=_BOUND, metavar="TIME", help="When the contract ends, at a border of 5 minutes.")
_MEASURE = (
    click.option("--percentile", metavar="P", help="Measure this percentile of 5-minute samples, such as 95."),
    click.option("--volume", is_flag=True, help="Measure the volume."),
    click.option("--of", type=_OF, help="What of the directions is measured: max of a percentile and sum of a volume unless given."),
    click.option("--commit", metavar="NUMBER", help="Of a percentile: what is paid whether it is used or not, in --unit."),
    click.option("--commit-price", metavar="PRICE", help="Of a percentile: the price of each unit of the commit."),
    click.option("--burst-price", metavar="PRICE", help="Of a percentile: the price of each unit above the commit."),
    click.option("--least-known", metavar="PERCENT", help="Of a percentile: how many of the samples must be known; 90 unless given."),
    click.option(
        "--interpolated",
        type=click.Choice(["missing", "known"]),
        help="Of a percentile: how samples count whose octets were metered over a longer time.",
    ),
    click.option("--included", metavar="NUMBER", help="Of a volume: what costs nothing, in --unit."),
    click.option(
        "--tier",
        "tiers",
        multiple=True,
        metavar="[UP_TO:]PRICE",
        help="Of a volume: the price of a unit up to a volume beyond what is included, the last without an end; may be repeated.",
    ),
    click.option(
        "--tiering", type=click.Choice(["graded", "flat"]), help="Of a volume: each unit at the price of its tier, or all at one."
    ),
)
_TERMS = (
    click.option("--boundary", metavar="NAME", help="The boundary at whose points members are counted."),
    click.option(
        "--member",
        "members",
        multiple=True,
        metavar="KIND:NAME",
        help="Whose traffic counts: label:NAME, project:ID or point:NAME; may be repeated.",
    ),
    *_MEASURE,
    click.option("--unit", help="The unit of figures: of a rate such as Mbit/s, of a volume such as GB or GiB."),
    click.option("--decimals", type=click.IntRange(0, 9), help="To how many decimals the figure is rounded; 3 unless given."),
    click.option("--rounding", type=click.Choice(["half_up", "up", "down"]), help="How the figure is rounded; half_up unless given."),
    click.option("--currency", metavar="CODE", help="The currency of prices (ISO 4217), such as EUR."),
    click.option("--minimum-charge", metavar="AMOUNT", help="What a period costs at least."),
    click.option(
        "--credit", "credits", multiple=True, metavar="NAME:AMOUNT", help="What goes off the price of each period; may be repeated."
    ),
    click.option("--accept-overlap", "accepted_overlap", metavar="REASON", help="Why members may count the same packet."),
    click.option(
        "--samples-visible/--no-samples-visible",
        default=None,
        help="Let readers of the project see the samples although members are of other projects.",
    ),
)
_OF_MEASURE = ("of", "commit", "commit_price", "burst_price", "least_known", "interpolated", "included", "tiers", "tiering")
_PERIOD = click.option("--period", metavar="PERIOD", help="The month in which the period begins, such as 2026-10, or current or previous.")
_ACCEPT = click.option("--accept-missing", is_flag=True, help="Give the percentile however few samples are known.")


def _terms_options(command: Command) -> Command:
    for option in reversed(_TERMS):
        command = option(command)
    return command


@click.group()
def contract() -> None:
    """Manage contracts, and measure what they come to."""


@contract.command("create")
@click.argument("name")
@_terms_options
@click.option("--payable", is_flag=True, help="The operator owes it to a provider.")
@click.option("--zone", metavar="ZONE", help="The time zone in which periods begin, such as Europe/Zurich; UTC unless given.")
@click.option("--period", type=click.Choice(["month", "quarter", "year"]), help="How long a period is; a month unless given.")
@click.option("--first-day", type=click.IntRange(1, 31), help="The day on which periods begin; 29 to 31 is the last of shorter months.")
@click.option("--begins", "begins_at", type=_BOUND, metavar="TIME", help="When it begins; with the period that is running unless given.")
@_ENDS
@click.option("--project", "project_id", metavar="PROJECT", help="The project's id; by default the caller's own project.")
@show_options
@server_options
def create_contract(*, server: ServerChoice, view: View, payable: bool, **attributes: Any) -> int:  # noqa: ANN401 - click's options
    """Create the contract NAME and show it.

    Say by --member whose traffic counts, by --boundary where, and by --percentile or --volume what is measured.
    """
    members = attributes.pop("members")
    for name, option in (("boundary", "--boundary"), ("unit", "--unit")):
        if attributes[name] is None:
            message = f"{option} is needed."
            raise click.UsageError(message)
    if not members:
        message = "--member is needed: label:NAME, project:ID or point:NAME."
        raise click.UsageError(message)
    measure = _take_measure(attributes)
    if "kind" not in measure:
        message = "say what is measured: --percentile P or --volume."
        raise click.UsageError(message)
    if payable:
        attributes["direction"] = Side.PAYABLE.value
    with composition.contract_commands(server) as commands:
        return commands.create({**_wire_values(attributes), "measure": measure}, members, view)


@contract.command("list")
@click.option("--name", help="Only the contract of this very name.")
@click.option("--project", "project_id", metavar="PROJECT", help="Only contracts of this project.")
@click.option(
    "--direction", type=click.Choice([side.value for side in Side]), help="Only what projects owe, or only what is owed to providers."
)
@click.option("--long", is_flag=True, help="Show all columns.")
@limit_option
@list_options
@server_options
def list_contracts(*, server: ServerChoice, view: View, long: bool, limit: int | None, **filters: Any) -> int:  # noqa: ANN401 - click's options
    """List the contracts that the caller may see."""
    request = ListRequest(collection=CONTRACTS, filters=as_filters(filters), limit=limit, long=long)
    with composition.resource_commands(server) as commands:
        return commands.list(request, view)


@contract.command("show")
@click.argument("contract", shell_complete=names_of(CONTRACTS))
@_PERIOD
@_ACCEPT
@show_options
@server_options
def show_contract(*, server: ServerChoice, view: View, contract: str, period: str | None, accept_missing: bool) -> int:
    """Show a contract, or, with --period, what it comes to: the figure, the sample that decides, and the price.

    With -f csv, a period is every one of its samples, so that anybody can compute the figure.
    """
    with composition.contract_commands(server) as commands:
        if period is None:
            return commands.show(contract, view)
        return commands.measure(contract, [("period", period), *_accepting(accept=accept_missing)], view)


@contract.command("measure")
@_PERIOD
@click.option("--project", "project_id", metavar="PROJECT", help="Only contracts of this project.")
@_ACCEPT
@list_options
@server_options
def measure_contracts(*, server: ServerChoice, view: View, period: str | None, project_id: str | None, accept_missing: bool) -> int:
    """List what all contracts come to in a period, by default in the one that is running."""
    asked = [] if period is None else [("period", period)]
    asked += [] if project_id is None else [("project_id", project_id)]
    with composition.contract_commands(server) as commands:
        return commands.measure_all([*asked, *_accepting(accept=accept_missing)], view)


@contract.command("check")
@click.argument("contract", shell_complete=names_of(CONTRACTS))
@_PERIOD
@click.option("--invoiced", required=True, metavar="FIGURE", help="Their figure, a number with its unit, such as 6.5Gbit/s.")
@_ACCEPT
@show_options
@server_options
def check_contract(*, server: ServerChoice, view: View, contract: str, period: str | None, invoiced: str, accept_missing: bool) -> int:
    """Set a figure that somebody invoiced beside the contract's own, with coverage and the samples that decide."""
    asked = [*([] if period is None else [("period", period)]), ("invoiced", invoiced), *_accepting(accept=accept_missing)]
    with composition.contract_commands(server) as commands:
        return commands.measure(contract, asked, view)


@contract.command("set")
@click.argument("contract", shell_complete=names_of(CONTRACTS))
@click.option("--name", help="The new name.")
@_ENDS
@_terms_options
@click.option(
    "--takes-effect",
    metavar="PERIOD",
    help="From which period on: next, which is the default, current, previous, or a month such as 2026-10.",
)
@server_options
def set_contract(*, server: ServerChoice, contract: str, **changes: Any) -> int:  # noqa: ANN401 - click's options
    """Change a contract from the next period on; zone, period and first day never change."""
    members, measure = changes.pop("members"), _take_measure(changes)
    with composition.contract_commands(server) as commands:
        return commands.change(contract, _wire_values(changes), measure, members)


@contract.command("delete")
@click.argument("contracts", shell_complete=names_of(CONTRACTS), nargs=-1, required=True, metavar="CONTRACT...")
@server_options
def delete_contracts(*, server: ServerChoice, contracts: tuple[str, ...]) -> int:
    """Delete contracts; none is deleted if one of them is not there."""
    with composition.resource_commands(server) as commands:
        return commands.delete([Reference(CONTRACTS, text) for text in contracts])


def _take_measure(attributes: dict[str, Any]) -> dict[str, object]:
    """Take what is said of the measure out of the options."""
    percentile, volume = attributes.pop("percentile"), attributes.pop("volume")
    if percentile is not None and volume:
        message = "--percentile and --volume do not go together."
        raise click.UsageError(message)
    measure = given({name: attributes.pop(name) for name in _OF_MEASURE})
    if "tiers" in measure:
        measure["tiers"] = _read_pairs("--tier", measure["tiers"], _tier)
    if percentile is not None:
        return {"kind": "percentile", "percentile": percentile, **measure}
    return {"kind": "volume", **measure} if volume else measure


def _wire_values(options: dict[str, object]) -> dict[str, object]:
    """Give the options as the wire has them."""
    attributes = given(options)
    if "credits" in attributes:
        attributes["credits"] = _read_pairs("--credit", attributes["credits"], _credit)
    return attributes


def _read_pairs(option: str, texts: Any, read: Callable[[str], dict[str, str] | None]) -> list[dict[str, str]]:  # noqa: ANN401 - click's options
    made = [(text, read(text)) for text in texts]
    for text, pair in made:
        if pair is None:
            message = f"{option}: '{printable(text)}' is not of the form that --help shows"
            raise InvalidRequestError(message)
    return [pair for _, pair in made if pair is not None]


def _tier(text: str) -> dict[str, str] | None:
    bound, separator, price = text.rpartition(":")
    return {"up_to": bound, "price": price} if separator else {"price": price}


def _credit(text: str) -> dict[str, str] | None:
    name, separator, amount = text.rpartition(":")
    return {"name": name, "amount": amount} if separator and name else None


def _accepting(*, accept: bool) -> list[tuple[str, str]]:
    return [("accept_missing", "true")] if accept else []
