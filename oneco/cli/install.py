"""`oneco install`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from oneco.cli import printing, session
from oneco.cli.program import command as a_command
from oneco.errors import Refused
from oneco.main.connecting import Connected

if TYPE_CHECKING:
    from oneco.main.installing import Done


@a_command("install")
@click.option(
    "--image", default="", metavar="IMAGE",
    help="Also run the hub's process inside the cluster, from this image.",
)  # fmt: skip
@click.option("--replicas", default=2, metavar="N", help="How many processes stand for the hub.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
def command(image: str, replicas: int, dry_run: bool) -> None:
    """Make a Kubernetes cluster ready to be the hub.

    Writes the kinds, the namespace oneco-system, and a service account with exactly the rights
    that a hub needs; with --image also a Deployment that runs `oneco up --in-cluster`. Kinds of
    somebody else, or of a newer oneco, stay as they are.

    With -o yaml and --dry-run the manifests are printed and no cluster is asked.
    """
    from oneco.main import installing, manifests

    if replicas < 1:
        raise Refused("--replicas", found=replicas, wanted="at least 1")
    current = session.current()
    wanted = [*manifests.kinds(), *manifests.account()]
    if image:
        wanted += manifests.process(image, replicas)
    if dry_run and current.output == "yaml":
        click.echo(manifests.text(wanted), nl=False)
        return

    async def work(cluster: Connected) -> list[Done]:
        return await installing.install(cluster.api, wanted, is_dry=dry_run)

    done = current.run(work)
    last = _next(image) if not dry_run else "Nothing was changed."
    mark = " (dry run)" if dry_run else ""
    printing.show(document(done), current.output, f"{lines(done, mark)}\n{last}")


def document(done: list[Done]) -> dict[str, Any]:
    """What became of the objects, as JSON."""
    rows = [{"object": one.title, "result": one.result} for one in done]
    return {"objects": rows}


def lines(done: list[Done], mark: str = "") -> str:
    """What became of the objects, one a line; those that were right already only counted.

    `mark` stands behind each that changed.
    """
    told = [
        f"{one.title} {one.result}{mark}"
        for one in done
        if one.result not in ("unchanged", "absent")
    ]
    idle = sum(1 for one in done if one.result == "unchanged")
    told += [f"{printing.counted(idle, 'object')} unchanged"] if idle else []
    kept = [one for one in done if one.result == "kept"]
    if kept:
        told.append(
            "What was kept is somebody else's, or of a newer oneco, and serves us as it is."
        )
    return "\n".join(told)


def _next(image: str) -> str:
    if image:
        return "The hub runs inside the cluster: kubectl -n oneco-system get pods"
    return "`oneco up --kubeconfig FILE` works for it from here; --image runs it inside."
