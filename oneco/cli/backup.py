"""`oneco backup`."""

from __future__ import annotations

from pathlib import Path

import click

from oneco.cli import printing, session
from oneco.cli.program import command as a_command


@a_command("backup")
@click.argument("file")
def command(file: str) -> None:
    """Copy the data of the hub on this machine into FILE; the hub may run meanwhile.

    To go on from a copy, put it into an empty directory as objects.db and start a hub with
    --data there. Agents then change nothing until `oneco clusters confirm`.
    """
    from oneco.main.backup import backup

    current = session.current()
    size = backup(current.data_directory(), Path(file))
    text = f"{file}: {size} bytes. A hub started from it changes nothing until it is confirmed."
    printing.show({"file": file, "bytes": size}, current.output, text)
