"""Help: short on its first page, quick, and in the user's words."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import click
import pytest

from oneco.cli import main, pages
from oneco.cli.commands import COMMANDS
from oneco.cli.program import oneco
from tests.cli.given import quiet_hub

INNER_WORDS = re.compile(r"\b(worlds?|twins?|sims?|simulat\w+|embedded|effects?)\b", re.IGNORECASE)


def every_command(command: click.Command, name: str) -> list[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        return [(name, command)]
    place = click.Context(command)
    inner = [(word, command.get_command(place, word)) for word in command.list_commands(place)]
    found = [row for word, one in inner if one for row in every_command(one, f"{name} {word}")]
    return [(name, command), *found]


EVERY = [(name, one) for name, one in every_command(oneco, "oneco")]


def test_the_first_page_shows_at_most_twelve_commands(capsys):
    assert main([]) == 0
    shown = capsys.readouterr().out
    commands = re.search(r"Commands:\n((?:  .*\n)+)", shown)
    assert commands is not None
    assert 1 < len(commands[1].splitlines()) <= 12


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"]])
def test_every_way_to_ask_for_help_shows_the_first_page(words, capsys):
    assert main(words) == 0
    assert capsys.readouterr().out == pages.first()


def test_help_all_shows_every_command():
    shown = quiet_hub().type("help", "all").out
    assert all(f"\n  {one.name} " in shown for one in COMMANDS)
    assert "Exit status:" in shown


def test_help_all_explains_exactly_the_eight_words():
    shown = quiet_hub().type("help", "all").out
    words = re.search(r"Words:\n((?:  .*\n)+)", shown)
    assert words is not None
    assert [line.split()[0] for line in words[1].splitlines()] == [
        *("Application", "Cluster", "Group", "Release", "Wave", "Check", "Calendar", "Question"),
    ]


@pytest.mark.parametrize("name", [name for name, _ in EVERY])
def test_every_command_has_help_without_inner_words(name: str):
    answer = quiet_hub().type(*name.split()[1:], "--help")
    assert answer.status == 0
    assert len(answer.out.splitlines()) > 3
    assert INNER_WORDS.findall(answer.out) == []


def test_every_command_of_the_table_is_the_command_that_it_names():
    place = click.Context(oneco)
    commands = [oneco.get_command(place, one.name) for one in COMMANDS]
    assert [one.name for one in commands if one] == [one.name for one in COMMANDS]


def test_help_imports_nothing_that_takes_long():
    code = (
        "import sys; from oneco.cli import main; main(['--help']); "
        "print([one for one in ('click', 'aiohttp', 'msgspec', 'yaml', 'rich') "
        "if one in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete(shell: str):
    assert "_ONECO_COMPLETE" in quiet_hub().type("completion", shell).out
