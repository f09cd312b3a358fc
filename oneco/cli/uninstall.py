"""`oneco uninstall`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from oneco.cli import install, printing, session
from oneco.cli.program import command as a_command
from oneco.main.connecting import Connected

if TYPE_CHECKING:
    from oneco.main.installing import Done


@a_command("uninstall")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
def command(dry_run: bool) -> None:
    """Take the hub's process, its webhook and its rights away again.

    The kinds and every object stay, and so does everything that runs in the clusters: to delete
    the kinds would delete the works, and agents take away what a deleted work had delivered.
    """
    from oneco.main import installing

    current = session.current()

    async def work(cluster: Connected) -> list[Done]:
        return await installing.uninstall(cluster.api, is_dry=dry_run)

    done = current.run(work)
    text = install.lines(done) or "Nothing of it is there."
    printing.show(install.document(done), current.output, text)
