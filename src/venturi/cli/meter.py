"""``venturi meter``: usage of labels out of captures, flow exports and flow records.

Owns the options. What is done with them is the composition's affair.
"""

from typing import Any

import rich_click as click

from venturi import composition
from venturi.cli.resources.options import RAW
from venturi.cli.times import FORMS, ZONE, read_span, read_zone
from venturi.cli.values import COLUMN, DURATION, GROUPING, OUTSIDE_INTERFACE, PREFIX, SAMPLING
from venturi.interfaces.render.request import OUTPUT_FORMATS, UNITS, OutputRequest
from venturi.services.offline.request import MeteredAs, MeterRequest

_METERED_AS = click.Choice([choice.value for choice in MeteredAs])


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--rules", "rules_paths", multiple=True, required=True, metavar="RULES.yaml", help="Labels and their rules; several files are joined."
)
@click.option("--inside", type=PREFIX, multiple=True, help="A prefix inside the network; replaces the rules file's list.")
@click.option(
    "--outside-interface",
    "outside_interfaces",
    type=OUTSIDE_INTERFACE,
    multiple=True,
    help="An exporter's interface beyond which the network ends.",
)
@click.option("--sampling-rate", "sampling", type=SAMPLING, multiple=True, help="Sampling rate of an exporter, or of all that tell none.")
@click.option("--column", "columns", type=COLUMN, multiple=True, help="Which column of a flow-record file holds a field.")
@click.option("--interval", type=DURATION, help="Tell usage apart by intervals of this length, aligned to the UTC epoch.")
@click.option("--group-by", "grouped_by", type=GROUPING, help="What a row stands for: label, direction, interval, observation-point.")
@click.option("--from", "--since", "window_start", metavar="TIME", help=f"Count from this time on, {FORMS}.")
@click.option("--to", "window_end", metavar="TIME", help="Count up to before this time.")
@ZONE
@click.option(
    "--as", "metered_as", type=_METERED_AS, default="auto", show_default=True, help="Meter a capture's packets, or the flow export in it."
)
@click.option(
    "-f", "--format", "output_format", type=click.Choice(OUTPUT_FORMATS), default="table", show_default=True, help="Form of the output."
)
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to this file instead of standard output.")
@click.option("--chart", "charts", type=click.Path(dir_okay=False), multiple=True, help="Draw a chart into a file: .html, .png or .svg.")
@click.option("--top", type=click.IntRange(min=1), help="Show this many labels, those with the most octets; the others as one.")
@click.option("--units", type=click.Choice(UNITS), default="si", show_default=True, help="GB, GiB or plain octets in the table.")
@RAW
@click.option("--quiet", is_flag=True, help="No progress and no notes on standard error.")
@click.option("--strict", is_flag=True, help="Fail if traffic was skipped or lost.")
def meter(**options: Any) -> int:  # noqa: ANN401 - click hands over the options by name
    """Meter captures, flow exports and flow records by the labels of a rules file.

    Reads pcap and pcapng; NetFlow v5 and v9, IPFIX and sFlow, in captures or in files of messages; flow records as
    Parquet, Arrow or CSV. Any of them may be compressed by gzip, zstd or xz; - is standard input. The format is told
    from the content.
    """
    output = _output_request(options)
    return composition.meter_files(_meter_request(options), options["rules_paths"], output, strict=options["strict"])


def _meter_request(options: dict[str, Any]) -> MeterRequest:
    """Make the request, still without labels."""
    interval = options["interval"]
    default_grouping = ("label", "direction", "interval") if interval else ("label", "direction")
    grouped_by = options["grouped_by"] or default_grouping
    if "interval" in grouped_by and not interval:
        message = "--group-by interval needs an --interval."
        raise click.UsageError(message)
    bounds = options["window_start"], options["window_end"]
    window_start, window_end = read_span(bounds, None, read_zone(options["zone"]), composition.current_time())
    return MeterRequest(
        paths=options["files"],
        inside=options["inside"],
        outside_interfaces=options["outside_interfaces"],
        sampling=options["sampling"],
        interval=interval if "interval" in grouped_by else None,
        window_start=window_start,
        window_end=window_end,
        grouped_by=grouped_by,
        metered_as=MeteredAs(options["metered_as"]),
        column_names=dict(options["columns"]),
    )


def _output_request(options: dict[str, Any]) -> OutputRequest:
    """Make the request for output; a form that is not text needs a file."""
    if options["output_format"] == "parquet" and not options["output"]:
        message = "-f parquet needs -o FILE."
        raise click.UsageError(message)
    return OutputRequest(
        form=options["output_format"],
        path=options["output"],
        charts=options["charts"],
        top=options["top"],
        units=options["units"],
        quiet=options["quiet"],
        raw=options["raw"],
    )
