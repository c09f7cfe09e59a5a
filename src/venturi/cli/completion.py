"""``venturi completion``: the completion of commands and options in a shell."""

import rich_click as click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes SHELL complete the command line of venturi.

    For bash, put eval "$(venturi completion bash)" into ~/.bashrc.
    """
    found = get_completion_class(shell)
    root = context.find_root()
    if found is not None:
        click.echo(found(root.command, {}, "venturi", "_VENTURI_COMPLETE").source())
