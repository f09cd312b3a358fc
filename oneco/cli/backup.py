"""`oneco backup`."""

from __future__ import annotations

from pathlib import Path

import click

from oneco.cli import printing, session
from oneco.cli.program import command as a_command


@a_command("backup")
@click.argument("file")
@click.option("--force", is_flag=True, help="Replace FILE if it is there already.")
def command(file: str, force: bool) -> None:
    """Copy the data of the hub on this machine into FILE; the hub may run meanwhile.

    The copy holds the hub's keys: keep it as safe as the hub itself. `oneco up --from FILE` with
    a new --data goes on from it; agents then change nothing until `oneco clusters confirm`.
    """
    from oneco.main.backup import backup

    current = session.current()
    size = backup(current.data_directory(), Path(file), force=force)
    text = f"{file}: {size} bytes. A hub started from it changes nothing until it is confirmed."
    printing.show({"file": file, "bytes": size}, current.output, text)
