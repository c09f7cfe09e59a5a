"""``venturi point``: the observation points of a server."""

from typing import Any

import rich_click as click

from venturi import composition
from venturi.adapters.client.collections import POINTS, ListRequest, Reference
from venturi.adapters.client.config import ServerChoice
from venturi.cli.resources.completing import names_of
from venturi.cli.resources.options import Command, as_filters, given, limit_option, list_options, server_options, show_options
from venturi.core.domain.errors import InvalidRequestError
from venturi.core.domain.point import METERED_KINDS, Hook, PointKind, PointTraffic
from venturi.interfaces.render.resources.view import View

_KEPT_KINDS = [kind.value for kind in PointKind if kind is not PointKind.CAPTURE]
_TRAFFIC = click.option("--traffic", type=click.Choice([traffic.value for traffic in PointTraffic]), help="Which packets count there.")
_SHARE = click.option(
    "--share/--no-share", "shared", default=None, help="Let all labels apply there, or those of its project and shared ones."
)
_PLACE = (
    click.option(
        "--host",
        "hosts",
        multiple=True,
        help="Of an interface: the host that it is on. Of a router: a host that meters it; may be repeated, empty for none.",
    ),
    click.option("--device", help="Of an interface: the network device."),
    click.option("--namespace", help="Of an interface: the network namespace; empty for that of the host."),
    click.option(
        "--hook",
        type=click.Choice([hook.value for hook in Hook]),
        help="Of an interface or a router: see packets where they are forwarded, or at the device as they are on the wire.",
    ),
    click.option("--router-id", metavar="ID", help="Of a Neutron router: its id."),
    click.option("--address", help="Of an exporter: the address that it sends from."),
    click.option("--observation-domain", type=click.IntRange(min=0), help="Of an exporter: the one observation domain that is meant."),
    click.option(
        "--outside-interface",
        "outside_interfaces",
        type=click.IntRange(min=0),
        multiple=True,
        help="Of an exporter: an interface, by ifIndex, beyond which the network ends; may be repeated.",
    ),
    click.option("--collector-host", help="Of an exporter: the one host that collects from it; empty for every collector."),
)
_LINE_RATE = click.option(
    "--line-rate",
    type=click.IntRange(min=0),
    metavar="BITS",
    help="The most that can pass in one direction, in bits per second; 0 for the server's default.",
)
_BOUNDARY = click.option("--boundary", metavar="NAME", help="The points of which each packet passes one at most; empty for the default.")
_OF_EXPORTERS = ("address", "observation_domain", "outside_interfaces", "collector_host")
_NEEDED = {PointKind.INTERFACE: "device", PointKind.ROUTER: "router_id", PointKind.EXPORTER: "address"}
_PLACES = {
    PointKind.INTERFACE: ("hosts", "device", "namespace", "hook"),
    PointKind.ROUTER: ("hosts", "router_id", "hook"),
    PointKind.EXPORTER: _OF_EXPORTERS,
}
_OPTIONAL = ("namespace", "collector_host", "boundary")


def _place_options(command: Command) -> Command:
    for option in reversed(_PLACE):
        command = option(command)
    return command


@click.group()
def point() -> None:
    """Manage observation points."""


@point.command("create")
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(_KEPT_KINDS),
    help="What the point is; without it, what the other options say. Nothing meters an exporter yet, so it is refused.",
)
@_place_options
@_TRAFFIC
@_LINE_RATE
@_BOUNDARY
@_SHARE
@click.option("--project", "project_id", metavar="PROJECT", help="The project's id; by default the caller's own project.")
@show_options
@server_options
def create_point(*, server: ServerChoice, view: View, **attributes: Any) -> int:  # noqa: ANN401 - click's options
    """Create the observation point NAME and show it.

    With --device it is an interface, of this host unless another is named by --host; with --router-id a router. Then say which labels
    count at no point.
    """
    kind = attributes["kind"] = attributes["kind"] or _tell_kind(attributes)
    if kind == PointKind.INTERFACE and not attributes["hosts"]:
        attributes["hosts"] = (composition.name_host(),)
    if kind not in METERED_KINDS:
        message = f"nothing meters points of kind {kind} yet; there can be interface and router."
        raise click.UsageError(message)
    _check_place(given(attributes), kind)
    with composition.resource_commands(server) as commands:
        return commands.create_point(_wire_values(attributes, kind), view)


@point.command("list")
@click.option("--name", help="Only points of this very name.")
@click.option("--kind", type=click.Choice(_KEPT_KINDS), help="Only points of this kind.")
@click.option("--project", "project_id", metavar="PROJECT", help="Only points of this project.")
@click.option("--boundary", metavar="NAME", help="Only points of this boundary.")
@click.option("--share/--no-share", "shared", default=None, help="Only shared points, or only others.")
@click.option("--long", is_flag=True, help="Show all columns.")
@limit_option
@list_options
@server_options
def list_points(*, server: ServerChoice, view: View, long: bool, limit: int | None, **filters: Any) -> int:  # noqa: ANN401 - click's options
    """List the observation points that the caller may see."""
    request = ListRequest(collection=POINTS, filters=as_filters(filters), limit=limit, long=long)
    with composition.resource_commands(server) as commands:
        return commands.list(request, view)


@point.command("show")
@click.argument("point", shell_complete=names_of(POINTS))
@show_options
@server_options
def show_point(*, server: ServerChoice, view: View, point: str) -> int:
    """Show an observation point, named by its id or its name."""
    with composition.resource_commands(server) as commands:
        return commands.show(Reference(POINTS, point), view)


@point.command("set")
@click.argument("point", shell_complete=names_of(POINTS))
@click.option("--name", help="The new name.")
@_place_options
@_TRAFFIC
@_LINE_RATE
@_BOUNDARY
@_SHARE
@server_options
def set_point(*, server: ServerChoice, point: str, **changes: Any) -> int:  # noqa: ANN401 - click's options
    """Change an observation point; its kind cannot change."""
    with composition.resource_commands(server) as commands:
        return commands.change_found(Reference(POINTS, point), lambda found: _wire_values(changes, str(found.get("kind"))))


@point.command("delete")
@click.argument("points", shell_complete=names_of(POINTS), nargs=-1, required=True, metavar="POINT...")
@server_options
def delete_points(*, server: ServerChoice, points: tuple[str, ...]) -> int:
    """Delete observation points; none is deleted if one of them is not there."""
    with composition.resource_commands(server) as commands:
        return commands.delete([Reference(POINTS, point) for point in points])


def _tell_kind(attributes: dict[str, object]) -> str:
    """Tell the kind of a point by where it is said to be; else a ``UsageError``."""
    named = [kind for kind, needed in _NEEDED.items() if attributes.get(needed) is not None]
    if len(named) != 1:
        message = "say what the point is: --device DEVICE for an interface, --router-id ID for a router."
        raise click.UsageError(message)
    return named[0].value


def _check_place(attributes: dict[str, object], kind: str) -> None:
    """Refuse a point without what its kind needs, or with what only others have."""
    needed = _NEEDED[PointKind(kind)]
    if needed not in attributes:
        message = f"a point of kind {kind} needs {_spell_option(needed)}."
        raise click.UsageError(message)
    for name in ("hosts", "device", "namespace", "hook", "router_id", *_OF_EXPORTERS):
        if name in attributes and name not in _PLACES[PointKind(kind)]:
            message = f"{_spell_option(name)} is not for a point of kind {kind}."
            raise click.UsageError(message)


def _spell_option(name: str) -> str:
    return f"--{name.removesuffix('s') if name in {'hosts', 'outside_interfaces'} else name}".replace("_", "-")


def _wire_values(options: dict[str, object], kind: str) -> dict[str, object]:
    """Give the options as the wire has them; an empty text takes a value away where one may be absent, and so does a line rate of 0."""
    attributes = given(options)
    for name in _OPTIONAL:
        if attributes.get(name) == "":
            attributes[name] = None
    if attributes.get("line_rate") == 0:
        attributes["line_rate"] = None
    if "hosts" in attributes:
        attributes |= _hosts(attributes.pop("hosts"), kind)
    return attributes


def _hosts(names: Any, kind: str) -> dict[str, object]:  # noqa: ANN401 - click's options
    """Give the host of an interface, or the hosts of a router."""
    if kind == PointKind.ROUTER:
        return {"hosts": [name for name in names if name]}
    if len(names) > 1:
        message = f"--host: a point of kind {kind} is on one host"
        raise InvalidRequestError(message)
    return {"host": names[0]}
