"""``venturi version``, ``help`` and ``completion``: what this is, what each command does, and how a shell completes it.

Owns nothing but the words that lead there; help itself is that of the commands.
"""

import rich_click as click
from click.shell_completion import get_completion_class

from venturi import __version__


@click.command()
def version() -> None:
    """Show the version of venturi."""
    click.echo(f"venturi, version {__version__}")


@click.command("help")
@click.argument("words", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def show_help(context: click.RichContext, /, words: tuple[str, ...]) -> None:
    """Show the help of a command, such as `venturi help label create`, or the list of all."""
    assert context.parent is not None, "within the group of all commands"  # noqa: S101 - it is added there alone
    current: click.Context = context.parent
    for word in words:
        command = current.command.get_command(current, word) if isinstance(current.command, click.Group) else None
        if command is None:
            message = f"there is no command '{' '.join(('venturi', *words))}': venturi help lists them."
            raise click.UsageError(message)
        current = command.context_class(command, info_name=word, parent=current)
    click.echo(current.get_help())


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
