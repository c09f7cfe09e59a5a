"""``venturi usage``: what labels counted on a server, and how much of the truth that is."""

from collections.abc import Mapping
from typing import Any

import rich_click as click

from venturi import composition
from venturi.adapters.client.collections import LABELS, POINTS
from venturi.adapters.client.config import ServerChoice
from venturi.cli.resources.completing import names_of
from venturi.cli.resources.options import report_options, server_options
from venturi.cli.times import FORMS, LAST, read_span, read_zone
from venturi.core.domain.errors import InvalidRequestError
from venturi.core.domain.interval import format_time
from venturi.core.ledger.calendar import PERIODS
from venturi.core.rules.checks import printable
from venturi.interfaces.render.resources.view import View
from venturi.interfaces.render.usage.question import UsageQuestion

_ONCE = {"resolution": "resolution", "group_by": "group_by"}
_REPEATED = {"directions": "direction", "point_projects": "point_project_id", "boundaries": "boundary"}
_GROUPINGS = ("label", "project", "point", "point_project", "direction", "boundary")
_KEPT = ("labels", "points", "units", "unfolded", "top", "order_by", "compare", "forecast", "path", "charts")
_RESOLUTIONS = click.Choice(["5m", "1h", "1d", "1w", "1month", "total"])


@click.command()
@click.option("--from", "--since", "start", metavar="TIME", help=f"When the report begins, {FORMS}; by default a day before its end.")
@click.option("--to", "end", metavar="TIME", help="When it ends; by default now.")
@LAST
@click.option("--period", metavar="PERIOD", help=f"What it is about: {PERIODS}. One that is not over is shown so far.")
@click.option(
    "--zone",
    metavar="ZONE",
    help="The time zone of hours, days, weeks and months, and of times that name none, such as Europe/Zurich; by default UTC, "
    "of times that of this machine.",
)
@click.option("--resolution", type=_RESOLUTIONS, default="total", show_default=True, help="The length of an interval.")
@click.option(
    "--group-by", metavar="LIST", help="What to tell apart, by commas: label, project, point, point_project, direction, boundary."
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="LABEL",
    shell_complete=names_of(LABELS),
    help="Only this label, by id or name, or by a pattern such as 'cust-*'; may be repeated.",
)
@click.option(
    "--project", "projects", multiple=True, metavar="PROJECT", help="Only labels of this project, or of a pattern; may be repeated."
)
@click.option(
    "--point",
    "points",
    multiple=True,
    metavar="POINT",
    shell_complete=names_of(POINTS),
    help="Only at this observation point, by id or name, or by a pattern; may be repeated.",
)
@click.option(
    "--point-project", "point_projects", multiple=True, metavar="PROJECT", help="Only at points of this project; may be repeated."
)
@click.option(
    "--boundary",
    "boundaries",
    multiple=True,
    metavar="NAME",
    help="Only at points of this boundary, or of a pattern; may be repeated. By default that of the server's billing_boundary, "
    "else each by itself.",
)
@click.option("--totals", is_flag=True, help="Show all that points counted, what no label counts included, instead of labels.")
@click.option(
    "--direction",
    "directions",
    type=click.Choice(["ingress", "egress", "unknown"]),
    multiple=True,
    help="Only what passed in this direction; may be repeated.",
)
@click.option(
    "--units",
    type=click.Choice(["si", "iec", "octets", "bytes", "bits"]),
    default="si",
    show_default=True,
    help="GB, GiB, plain octets (bytes) or Gbit in the table.",
)
@click.option("--all", "unfolded", is_flag=True, help="Show each interval, also those at both ends without records.")
@click.option("--top", type=click.IntRange(min=1), help="Show this many groups of each boundary, the largest; the others as one.")
@click.option(
    "--order-by",
    type=click.Choice(["bytes", "packets", "rate", "name"]),
    default="bytes",
    show_default=True,
    help="By what --top ranks, over the whole report and both directions.",
)
@click.option(
    "--compare",
    type=click.Choice(["previous"]),
    help="Set the period before beside each figure, of one that is so far the same part; without --period, as much time right before.",
)
@click.option(
    "--unit",
    type=click.Choice(["bit/s", "packet/s"]),
    help="Set rates beside each figure: the mean, the most and a percentile of samples of 5 minutes.",
)
@click.option("--percentile", metavar="P", help="With --unit: which percentile of samples; 95 unless given.")
@click.option(
    "--forecast", is_flag=True, help="Set beside each figure what it will be at the end of the --period, which is so far, and a range."
)
@click.option("-o", "--output", "path", type=click.Path(dir_okay=False), help="Write to this file instead of standard output.")
@click.option("--chart", "charts", type=click.Path(dir_okay=False), multiple=True, help="Draw a chart into a file: .html, .png or .svg.")
@click.option(
    "--watch",
    "watched",
    type=click.FloatRange(min=1),
    is_flag=False,
    flag_value=10,
    metavar="[SECONDS]",
    help="Show it again after so many seconds, 10 without a number, until Ctrl-C.",
)
@report_options
@server_options
def usage(
    *,
    server: ServerChoice,
    view: View,
    totals: bool,
    watched: float | None,
    **parameters: Any,  # noqa: ANN401 - click's options
) -> int:
    """Show usage by label, with the coverage of every figure; by default that of the last 24 hours.

    Sums 5-minute bins and hours that the server keeps. A packet counts once for each label that it belongs to. Coverage
    says whether every packet was counted (complete), was counted over a longer time (interpolated), passed uncounted in
    part (partial), or is not known (gap).
    """
    if totals and (parameters["labels"] or parameters["projects"]):
        message = "--totals are those of points, which --label and --project do not narrow."
        raise click.UsageError(message)
    if view.form == "parquet" and not parameters["path"]:
        message = "-f parquet needs -o FILE."
        raise click.UsageError(message)
    if parameters["percentile"] is not None and parameters["unit"] is None:
        message = "--percentile is one of rates: say by --unit in which."
        raise click.UsageError(message)
    if watched is not None and parameters["path"]:
        message = "--watch shows on the terminal: it does not go with -o."
        raise click.UsageError(message)
    _check_groups(parameters["group_by"])
    parameters["watched"] = watched
    asked = _ask(parameters, totals=totals)
    return composition.show_usage(server, lambda: asked if watched is None else _ask(parameters, totals=totals), view, watched)


def _check_groups(text: str | None) -> None:
    """Judge what is to be told apart as the server does, before it is asked; raises ``InvalidRequestError``."""
    unknown = [word for word in (text or "label").split(",") if word not in _GROUPINGS]
    if unknown:
        message = f"group_by: '{printable(unknown[0])}' is none of {', '.join(_GROUPINGS)}"
        raise InvalidRequestError(message)


def _ask(parameters: Mapping[str, Any], *, totals: bool) -> UsageQuestion:
    """Make the question, with times as they are now."""
    kept = {
        name: parameters[name]
        for name in ("labels", "points", "units", "unfolded", "top", "order_by", "compare", "forecast", "path", "charts")
    }
    rates = None if parameters["unit"] is None else (parameters["unit"], parameters["percentile"] or "95")
    return UsageQuestion(parameters=_spell(parameters), totals=totals, rates=rates, paged=parameters["watched"] is None, **kept)


def _spell(parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Spell options as parameters of the API: times, those that are given once, and those that may be repeated."""
    bounds = parameters["start"], parameters["end"]
    if parameters["period"] is not None and (any(bounds) or parameters["last"]):
        message = "--period has its own bounds: it goes with none of --from, --to and --last."
        raise click.UsageError(message)
    span = read_span(bounds, parameters["last"], read_zone(parameters["zone"]), composition.current_time())
    times = [(name, format_time(moment)) for name, moment in zip(("from", "to"), span, strict=True) if moment is not None]
    times += [(name, parameters[name]) for name in ("period", "zone") if parameters[name] is not None]
    once = times + [(name, parameters[option]) for option, name in _ONCE.items() if parameters[option] is not None]
    once += [("project" if "*" in project else "project_id", project) for project in parameters["projects"]]
    return once + [(name, value) for option, name in _REPEATED.items() for value in parameters[option]]
