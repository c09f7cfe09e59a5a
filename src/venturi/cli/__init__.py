"""The command line: one file for each command, gathered here."""

import rich_click as click

from venturi import __version__
from venturi.cli.about import show_help, version
from venturi.cli.apply import apply
from venturi.cli.completion import completion
from venturi.cli.db import db
from venturi.cli.explain import explain
from venturi.cli.ledger import ledger
from venturi.cli.meter import meter
from venturi.cli.programs.agent import agent
from venturi.cli.programs.demo import demo
from venturi.cli.programs.doctor import doctor
from venturi.cli.programs.serve import serve
from venturi.cli.programs.up import up
from venturi.cli.resources.alarm import alarm
from venturi.cli.resources.label import label
from venturi.cli.resources.point import point
from venturi.cli.resources.revision import revision
from venturi.cli.resources.rule import rule
from venturi.cli.resources.token import token
from venturi.cli.rules import rules
from venturi.cli.usage import usage


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="venturi")
def venturi() -> None:
    """Meter network traffic by label, exact to the octet."""


for command in (
    up,
    demo,
    meter,
    rules,
    explain,
    serve,
    doctor,
    agent,
    alarm,
    label,
    rule,
    point,
    token,
    revision,
    usage,
    apply,
    completion,
    db,
    ledger,
    version,
    show_help,
):
    venturi.add_command(command)
