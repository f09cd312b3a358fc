"""The first page of help and the whole of it, without importing any command."""

from __future__ import annotations

from typing import Final

from oneco.cli.commands import COMMANDS

_INTRODUCTION: Final = """\
oneco: one person delivers a whole company's applications to a fleet of clusters.

Usage: oneco [OPTIONS] COMMAND [ARGUMENTS]
"""

OPTIONS: Final = (
    ("--kubeconfig FILE", "The cluster to talk to."),
    ("--context NAME", "The context of the kubeconfig to use."),
    ("--data DIR", "The data directory of a hub on this machine (ONECO_DATA)."),
    ("-n, --namespace NAME", "The namespace to work in."),
    ("-o, --output FORMAT", "text, json or yaml."),
)

_LAST: Final = """\
oneco COMMAND --help tells more of one command, oneco help all shows every command.
"""

_WORDS: Final = (
    ("Application", "What you want to run: components, and rules for delivering them."),
    ("Cluster", "Where it runs: any Kubernetes cluster that joined the fleet."),
    ("Group", "Clusters that are chosen together, by their labels."),
    ("Release", "One change of one Application on its way through the fleet."),
    ("Wave", "Clusters that get a release together; inside, pods follow in batches."),
    ("Check", "A question asked of the new version before a release goes on."),
    ("Calendar", "When releases may go on, and when everything stays as it is."),
    ("Question", "Something that only you can decide."),
)

_STATUSES: Final = (
    ("0", "done"),
    ("1", "something you wrote has to change"),
    ("2", "something else failed: a server, a network, a disk"),
    ("3", "a rehearsal or a release that was waited for did not succeed"),
    ("130", "stopped by Ctrl-C"),
)


def first() -> str:
    """The first page: the commands that a newcomer needs."""
    rows = [(one.name, one.summary) for one in COMMANDS if one.is_first]
    return "\n".join((_INTRODUCTION, _section("Commands", rows), _options(), _LAST))


def everything() -> str:
    """All commands, the words that they use, and what the exit statuses mean."""
    rows = [(one.name, one.summary) for one in COMMANDS]
    parts = (
        _INTRODUCTION,
        _section("Commands", rows),
        _options(),
        _section("Words", _WORDS),
        _section("Exit status", _STATUSES),
    )
    return "\n".join(parts)


def _options() -> str:
    return _section("Options, also after the command", OPTIONS)


def _section(title: str, rows: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> str:
    width = max(len(name) for name, _ in rows)
    lines = (f"  {name:<{width}}  {text}\n" for name, text in rows)
    return f"{title}:\n{''.join(lines)}"
