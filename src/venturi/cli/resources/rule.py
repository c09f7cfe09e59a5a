"""``venturi rule``: the metering label rules of a server, and the check of rules files; ``venturi rules``, its former spelling."""

from typing import Any

import rich_click as click

from venturi import composition
from venturi.adapters.client.collections import LABELS, RULES, ListRequest, Reference
from venturi.adapters.client.config import ServerChoice
from venturi.cli.resources.completing import names_of
from venturi.cli.resources.options import as_filters, given, limit_option, list_options, outcome_options, server_options, show_options
from venturi.core.domain.direction import Direction
from venturi.core.rules.checks import check_prefix
from venturi.core.rules.rule_fields import RuleFields, check_prefixes
from venturi.interfaces.render.resources.view import View

_PREFIXES = ("source_ip_prefix", "destination_ip_prefix", "remote_ip_prefix")


@click.group()
def rule() -> None:
    """Manage the rules of metering labels, and check rules files."""


@click.group(hidden=True)
def rules() -> None:
    """Work with rules files; now venturi rule check."""


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@outcome_options
def check(files: tuple[str, ...], view: View) -> int:
    """Check rules files as the API would, and list what is wrong.

    Reads YAML and JSON, documents of the metering API, and what the OpenStack client prints; - is standard input.
    Several files are joined, as by meter.
    """
    return composition.check_rules_files(files, view)


rule.add_command(check)
rules.add_command(check)


@rule.command("create")
@click.argument("label", shell_complete=names_of(LABELS))
@click.option("--ingress/--egress", "ingress", default=True, help="What enters the network, which is the default, or what leaves it.")
@click.option("--source-ip-prefix", metavar="PREFIX", help="The prefix that holds the source address.")
@click.option("--destination-ip-prefix", metavar="PREFIX", help="The prefix that holds the destination address.")
@click.option("--remote-ip-prefix", metavar="PREFIX", help="Deprecated: the source on egress, the destination on ingress.")
@click.option("--exclude/--include", "excluded", default=None, help="Take what matches out of the label, or count it.")
@show_options
@server_options
def create_rule(*, server: ServerChoice, view: View, label: str, ingress: bool, **attributes: Any) -> int:  # noqa: ANN401 - click's options
    """Create a rule of LABEL, named by its id or its name, and show it."""
    direction = Direction.INGRESS if ingress else Direction.EGRESS
    _check_prefixes(direction, attributes)
    whole = {"metering_label_id": Reference(LABELS, label), "direction": direction.value, **given(attributes)}
    with composition.resource_commands(server) as commands:
        return commands.create(RULES, whole, view)


def _check_prefixes(direction: Direction, attributes: dict[str, Any]) -> None:
    """Judge the prefixes as the server does, before it is asked; raises ``InvalidRuleError``."""
    source, destination, remote = (check_prefix(name, attributes[name]) for name in _PREFIXES)
    check_prefixes(RuleFields(direction, None, remote, source, destination))


@rule.command("list")
@click.option("--label", metavar="LABEL", shell_complete=names_of(LABELS), help="Only rules of this label, named by its id or its name.")
@click.option("--ingress/--egress", "ingress", default=None, help="Only rules of what enters the network, or of what leaves it.")
@click.option("--exclude/--include", "excluded", default=None, help="Only rules that take out of their label, or only others.")
@click.option("--long", is_flag=True, help="Show all columns.")
@limit_option
@list_options
@server_options
def list_rules(*, server: ServerChoice, view: View, label: str | None, ingress: bool | None, **options: Any) -> int:  # noqa: ANN401 - click's options
    """List the rules that the caller may see."""
    limit, long = options.pop("limit"), options.pop("long")
    if ingress is not None:
        options["direction"] = Direction.INGRESS.value if ingress else Direction.EGRESS.value
    references = {} if label is None else {"metering_label_id": Reference(LABELS, label)}
    long = long or (label is None and view.form != "table")
    request = ListRequest(collection=RULES, filters=as_filters(options), references=references, limit=limit, long=long)
    with composition.resource_commands(server) as commands:
        return commands.list(request, view)


@rule.command("show")
@click.argument("rule", metavar="ID")
@show_options
@server_options
def show_rule(*, server: ServerChoice, view: View, rule: str) -> int:
    """Show the rule with this ID."""
    with composition.resource_commands(server) as commands:
        return commands.show(Reference(RULES, rule), view)


@rule.command("delete")
@click.argument("rules", nargs=-1, required=True, metavar="ID...")
@server_options
def delete_rules(*, server: ServerChoice, rules: tuple[str, ...]) -> int:
    """Delete rules by ID; none is deleted if one of them is not there."""
    with composition.resource_commands(server) as commands:
        return commands.delete([Reference(RULES, rule) for rule in rules])
