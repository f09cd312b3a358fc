"""`oneco backup`."""

from __future__ import annotations

from pathlib import Path

import click

from oneco.cli import printing, session
from oneco.cli.program import command as a_command
from oneco.errors import Refused


@a_command("backup")
@click.argument("file")
@click.option("--force", is_flag=True, help="Replace FILE if it is there already.")
def command(file: str, force: bool) -> None:
    """Copy the data of the hub on this machine into FILE; the hub may run meanwhile.

    The copy is sealed: without the keys that `oneco keys export` writes, which belong in another
    place, it is worth nothing. `oneco --data NEW up --from FILE --key KEYS` goes on from it;
    agents then change nothing until `oneco clusters confirm`.
    """
    from oneco.main import keys
    from oneco.main.backup import backup

    current = session.current()
    if current.choice.kubeconfig or current.choice.context:
        wanted = "a backup of its API server's own store; `oneco up --restored` begins after it"
        raise Refused("oneco backup", found="a hub elsewhere", wanted=wanted)
    data = current.data_directory()
    size = backup(data, Path(file), force=force)
    key = keys.read(data).current
    value = {"file": file, "bytes": size, "key": key.name, "isKeyExported": key.is_exported}
    lines = [
        f"{file}: {size} bytes, sealed with key {key.name}."
        " A hub started from it changes nothing until it is confirmed."
    ]
    if not key.is_exported:
        lines.append("This key was never exported, and without it nobody can start from the copy:")
        lines.append("  oneco keys export FILE     (and keep that FILE apart from the copy)")
    printing.show(value, current.output, "\n".join(lines))
