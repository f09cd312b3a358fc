"""The command line as a whole: commands found when they are typed, failures told in one place."""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from oneco.cli import commands, failures, pages, session

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Program(click.Group):
    """`oneco` itself."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return [one.name for one in commands.COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None for an unknown name."""
        found = commands.find(cmd_name)
        if found is None:
            return None
        command: click.Command = importlib.import_module(found.module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` begin with."""
        refuse_unknown(ctx, args, self.list_commands(ctx))
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        """The first page."""
        return pages.first().rstrip("\n")

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run; failures are told and end the process with their status."""
        given = args[0] if args else extra.get("args")
        arguments = list(sys.argv[1:] if given is None else given)
        try:
            status = super().main(*args, standalone_mode=False, **extra)  # type: ignore[call-overload]
            sys.stdout.flush()
        except BaseException as error:
            if isinstance(error, SystemExit | GeneratorExit):
                raise
            status = failures.answer(error, arguments)
        sys.exit(status if isinstance(status, int) else 0)


class Family(click.Group):
    """A command with commands of its own; without any of them, it does `usual`."""

    usual = ""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As always, with the usual command put in where none is named."""
        named = any(one in ("-h", "--help", *self.list_commands(ctx)) for one in args)
        if not named and (not args or args[0].startswith("-")):
            args = [self.usual, *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` begin with."""
        refuse_unknown(ctx, args, self.list_commands(ctx))
        return super().resolve_command(ctx, args)


def refuse_unknown(ctx: click.Context, args: Sequence[str], known: Sequence[str]) -> None:
    """Refuse a command that does not exist, with the one that was probably meant."""
    word = args[0] if args else ""
    if not word or word in known or word.startswith("-"):
        return
    near = difflib.get_close_matches(word, known, 1, 0.6)
    meant = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(known)}"
    raise click.UsageError(f'there is no command "{word}"; {meant}', ctx)


def command(name: str, **attributes: Any) -> Callable[[FunctionT], click.Command]:
    """Make a function a command that takes the common options too."""

    def made(function: FunctionT) -> click.Command:
        decorate = click.command(name, cls=click.Command, context_settings=_CONTEXT, **attributes)
        built: click.Command = decorate(function)
        built.params += session.options()
        return built

    return made


def family(name: str, usual: str, text: str) -> Family:
    """A command that consists of commands."""
    made = Family(name, help=text, context_settings=_CONTEXT)
    made.usual = usual
    made.params += session.options()
    return made


oneco = Program(
    "oneco",
    context_settings=_CONTEXT,
    params=session.options(),
    no_args_is_help=True,
    help="One person delivers a whole company's applications to a fleet of clusters.",
)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the answer is the exit status."""
    try:
        oneco.main(list(arguments), prog_name="oneco")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else failures.OUTAGE
    return failures.DONE
