"""Every command: its name, where it is written, and one line about it."""

from __future__ import annotations

from typing import Final, NamedTuple


class Command(NamedTuple):
    """One command; `module` holds a click command under the name `command`."""

    name: str
    module: str
    summary: str
    is_first: bool = True


COMMANDS: Final = (
    Command("up", "oneco.cli.up", "Start a hub, with clusters built in or your own."),
    Command("apply", "oneco.cli.apply", "Apply files; changed applications are released."),
    Command("diff", "oneco.cli.diff", "Show what applying files would change."),
    Command("render", "oneco.cli.render", "Show what an application becomes, without a server."),
    Command("status", "oneco.cli.status", "Show an application's release as a tree."),
    Command("release", "oneco.cli.release", "List, pause, resume, abort or roll back releases."),
    Command(
        "clusters", "oneco.cli.clusters", "List, invite, add, accept, deny or confirm clusters."
    ),
    Command("rehearse", "oneco.cli.rehearse", "Try a release without touching any cluster."),
    Command("agent", "oneco.cli.agent", "Run the agent of one cluster."),
    Command(
        "install", "oneco.cli.install", "Make a Kubernetes cluster ready to be the hub.", False
    ),
    Command(
        "uninstall", "oneco.cli.uninstall", "Take the hub's process and rights away again.", False
    ),
    Command("backup", "oneco.cli.backup", "Copy the data of a running hub into a file."),
    Command(
        "keys", "oneco.cli.keys", "List, export or change the keys of data and backups.", False
    ),
    Command(
        "authority", "oneco.cli.authority", "Show or change who signs a hub's certificates.", False
    ),
    Command("doctor", "oneco.cli.doctor", "Find what is wrong, and the command that mends it."),
    Command("version", "oneco.cli.version", "Show the version.", False),
    Command("help", "oneco.cli.help", "Show the help of a command, or `help all`."),
    Command("completion", "oneco.cli.completion", "Completion for bash, zsh or fish.", False),
)
"""In the order in which a person needs them; at most twelve are on the first page."""


def find(name: str) -> Command | None:
    """The command called `name`."""
    return next((one for one in COMMANDS if one.name == name), None)
