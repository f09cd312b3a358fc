"""`oneco status`."""

from __future__ import annotations

import click
import msgspec

from oneco.cli import drawing, failures, following, printing, reading, session
from oneco.cli.program import command as a_command
from oneco.cli.tree import Application
from oneco.main.connecting import Connected


@a_command("status")
@click.argument("name")
@click.option("-w", "--watch", is_flag=True, help="Stay until the release has ended.")
@click.option("--all-clusters", is_flag=True, help="Show every cluster; fold nothing.")
def command(name: str, watch: bool, all_clusters: bool) -> None:
    """Show an application's release: waves, clusters, batches, and what each waits for."""
    current = session.current()

    async def look(cluster: Connected) -> Application:
        namespace = current.namespace_of(cluster)
        found = await reading.course(cluster.api, namespace, name)
        return found.tree(is_whole=all_clusters or current.output != "text")

    async def follow(cluster: Connected) -> Application:
        place = current.namespace_of(cluster), name
        with following.showing(current.output) as show:
            return await following.follow(cluster.api, cluster.clock, place, show)

    if watch:
        end = current.run(follow)
        if current.output != "text":
            printing.show(msgspec.to_builtins(current.run(look)), current.output, "")
        if end.state != "done":
            raise failures.NoSuccess
        return
    _show(current.run(look), current.output)


def _show(tree: Application, output: str) -> None:
    if output == "text" and session.is_terminal():
        from rich.console import Console

        Console().print(drawing.styled(tree), end="")
    else:
        printing.show(msgspec.to_builtins(tree), output, drawing.text(tree))
