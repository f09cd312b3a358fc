"""`oneco completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from oneco.cli import program


@program.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print what makes a shell complete oneco's commands.

    For bash: source <(oneco completion bash)
    """
    kind = get_completion_class(shell)
    assert kind is not None, f"click completes no {shell}"
    # Without the method that asks the shell for its version: this only prints.
    complete = kind(program.oneco, {}, "oneco", "_ONECO_COMPLETE")
    click.echo(complete.source_template % complete.source_vars())
