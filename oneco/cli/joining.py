"""`oneco clusters join` and `add`: two ways for a cluster into the fleet."""

from __future__ import annotations

import os
from pathlib import Path

import click

from oneco.cli import printing, program, session
from oneco.errors import Refused
from oneco.kinds import durations
from oneco.kinds.fleet import REGION_LABEL
from oneco.kinds.ocm import ENVIRONMENT_LABEL
from oneco.main.connecting import Choice, Connected


@program.command("join")
@click.argument("name")
@click.option("--to", "file", default="", metavar="FILE", help="Write it there, for you alone.")
@click.option("--valid", default="1h", metavar="TIME", help="How long it can be used.")
@click.option("--environment", default="", metavar="NAME", help="Such as test or production.")
@click.option("--region", default="", metavar="NAME", help="Where it is.")
@click.option("--server", default="", metavar="URL", help="The hub's address seen from there.")
def join(name: str, file: str, valid: str, environment: str, region: str, server: str) -> None:
    """Invite a cluster: print what its agent needs for `oneco agent --join`.

    It can be used once. To invite is to accept.
    """
    import asyncio

    from oneco.main import joining

    current = session.current()
    seconds = durations.parse(valid, "--valid")
    if server and not server.startswith("https://"):
        raise Refused("--server", found=server, wanted="an address such as https://host:6443")
    if file and Path(file).exists():
        raise Refused("--to", found=file, wanted="a file that is not there yet")
    joining.check_name(name)
    labels = _labels(environment, region)
    terms = joining.Terms(seconds=seconds, labels=labels, server=server.rstrip("/"))
    text = asyncio.run(joining.invite(current.choice, name, terms))
    if file:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
            made.write(text)
    value = {"cluster": name, "file": file or None, "invitation": None if file else text}
    told = f"{file} invites cluster {name}: start its agent with `oneco agent --join {file}`."
    printing.show(value, current.output, told if file else text)


@program.command("add")
@click.argument("name")
@click.option("--member", required=True, metavar="FILE", help="A kubeconfig of the cluster.")
@click.option("--member-context", default="", metavar="NAME", help="Its context to use.")
@click.option("--environment", default="", metavar="NAME", help="Such as test or production.")
@click.option("--region", default="", metavar="NAME", help="Where it is.")
def add(name: str, member: str, member_context: str, environment: str, region: str) -> None:
    """Add a cluster that the hub reaches itself: its agent runs inside the hub."""
    from oneco.main import adding

    current = session.current()
    labels = _labels(environment, region)

    async def work(cluster: Connected) -> str:
        choice = Choice(kubeconfig=member, context=member_context)
        return await adding.add(cluster.api, name, choice, labels)

    server = current.run(work)
    text = f"cluster {name} at {server} is added. Its agent begins within seconds."
    printing.show({"cluster": name, "server": server}, current.output, text)


def _labels(environment: str, region: str) -> dict[str, str]:
    said = {ENVIRONMENT_LABEL: environment, REGION_LABEL: region}
    return {key: value for key, value in said.items() if value}
