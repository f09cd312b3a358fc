"""`oneco agent`."""

from __future__ import annotations

from pathlib import Path

import click

from oneco.cli import session
from oneco.cli.program import command as a_command
from oneco.errors import Refused


@a_command("agent")
@click.option("--join", default="", metavar="FILE", help="An invitation, for the first start.")
@click.option("--name", default="", metavar="CLUSTER", help="The cluster that this must be.")
@click.option("--hub-kubeconfig", "hub", default="", metavar="FILE", help="In place of --join.")
def command(join: str, name: str, hub: str) -> None:
    """Run the agent of one cluster, which dials out to the hub, until Ctrl-C.

    --kubeconfig leads to the agent's own cluster; --data is the agent's own directory.
    `oneco clusters join NAME` on the hub writes an invitation. The hub may be one of Open Cluster
    Management: its bootstrap kubeconfig serves as --join with --name, and any kubeconfig of it
    that somebody else keeps valid as --hub-kubeconfig with --name.
    """
    from oneco.main.agent_process import AgentOptions, run

    current = session.current()
    # ONECO_DATA names a hub's directory, and an agent keeps a kubeconfig of its own.
    data = Path(current.data if current.is_data_named else f"{session.usual_data()}-agent")
    if (data / "objects.db").exists():
        wanted = "a directory of the agent's own; this one is a hub's"
        raise Refused("--data", found=str(data), wanted=wanted)
    options = AgentOptions(
        data=data,
        join=Path(join) if join else None,
        kubeconfig=current.choice.kubeconfig,
        context=current.choice.context,
        name=name,
        hub=Path(hub) if hub else None,
    )
    run(options)
