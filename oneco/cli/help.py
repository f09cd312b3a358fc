"""`oneco help`."""

from __future__ import annotations

import click

from oneco.cli import pages, program


@program.command("help")
@click.argument("topic", nargs=-1)
@click.pass_context
def command(context: click.Context, topic: tuple[str, ...]) -> None:
    """Show the help of a command; `all` shows every command, the words and the exit statuses."""
    if not topic:
        click.echo(pages.first(), nl=False)
        return
    if topic == ("all",):
        click.echo(pages.everything(), nl=False)
        return
    found: click.Command = program.oneco
    place = _context(found, "oneco", None)
    for word in topic:
        if not isinstance(found, click.Group):
            raise click.UsageError(f'"{place.command_path}" has no command "{word}"', context)
        program.refuse_unknown(context, [word], found.list_commands(place))
        inner = found.get_command(place, word)
        assert inner is not None, f"{word} is listed and does not exist"
        found, place = inner, _context(inner, word, place)
    click.echo(found.get_help(place))


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    settings = command.context_settings
    return click.Context(command, info_name=name, parent=parent, **settings)
