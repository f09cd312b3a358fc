"""`oneco clusters`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from oneco.cli import joining, membership, printing, program, reading, session
from oneco.delivery.mistakes import one_of
from oneco.errors import Refused
from oneco.kinds import ocm
from oneco.kube import ages, documents, objects
from oneco.kube.api import Api, Patch
from oneco.kube.errors import ApiError
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.main.connecting import Connected

LEASES = Resource("coordination.k8s.io", "v1", "leases")
LEASE = "managed-cluster-lease"

command = program.family("clusters", "list", "The clusters of the fleet.")


@program.command("list")
def _list() -> None:
    """List the clusters, least dangerous environments first."""
    current = session.current()

    async def work(cluster: Connected) -> tuple[list[membership.Cluster], float]:
        found = await reading.listed(cluster.api, ocm.CLUSTERS)
        leases = await _leases(cluster.api)
        rows = [membership.read(one, leases.get(objects.name(one))) for one in found]
        return sorted(rows, key=membership.order), cluster.now()

    found, now = current.run(work)
    header = (
        "NAME", "ENVIRONMENT", "REGION", "NODES", "AGENT", "ACCEPTED", "AVAILABLE", "REPORTED",
        "NOTE",
    )  # fmt: skip
    rows = [_cells(one, now) for one in found]
    text = printing.table(header, rows) if rows else "No cluster has joined yet."
    value = {"clusters": [membership.document(one) for one in found]}
    printing.show(value, current.output, text)


@program.command("show")
@click.argument("name")
def _show(name: str) -> None:
    """Show one cluster as the hub keeps it."""
    current = session.current()

    async def work(cluster: Connected) -> Object:
        return (await _chosen(cluster.api, (name,), is_all=False))[0]

    found = current.run(work)
    printing.show(found, current.output, documents.write(found))


@program.command("accept")
@click.argument("names", nargs=-1, required=True)
def _accept(names: tuple[str, ...]) -> None:
    """Let clusters that asked to join into the fleet, and their agents with them.

    An agent that asked for its certificate without an invitation, as Open Cluster Management's
    do, gets it by this.
    """
    _change(names, lambda one: {"spec": {"hubAcceptsClient": True}}, "is accepted")
    from oneco.main import admitting

    current = session.current()

    async def admit(cluster: Connected) -> None:
        for name in names:
            await admitting.admit(cluster.api, name, cluster.now())

    current.run(admit)


@program.command("deny")
@click.argument("names", nargs=-1, required=True)
def _deny(names: tuple[str, ...]) -> None:
    """Keep clusters out of the fleet: nothing is released to them any more.

    Their agents are cut off: they may do nothing more on the hub, and what they watch there ends.
    """
    _change(names, lambda one: {"spec": {"hubAcceptsClient": False}}, "is denied")
    from oneco.main import cutting_off

    async def cut(cluster: Connected) -> None:
        await cutting_off.cut_off(cluster.api, names, cluster.clock)

    session.current().run(cut)


@program.command("confirm")
@click.argument("names", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="Every cluster that waits for it.")
def _confirm(names: tuple[str, ...], is_all: bool) -> None:
    """Let agents act again after the hub was started from a copy of its data.

    Until then they only report how their clusters differ from what the hub says.
    """
    if bool(names) == is_all:
        wanted = "names of clusters, or --all for every one of them"
        raise Refused("oneco clusters confirm", found="both" if names else "neither", wanted=wanted)
    _change(names, _confirmation, "is confirmed", is_all=is_all, nothing="needs no confirmation")


def _confirmation(cluster: Object) -> dict[str, Any] | None:
    epoch = membership.unconfirmed_epoch(cluster)
    if not epoch:
        return None
    return {"metadata": {"annotations": {ocm.CONFIRMED_EPOCH_ANNOTATION: epoch}}}


def _change(
    names: Sequence[str],
    change: Callable[[Object], dict[str, Any] | None],
    did: str,
    *,
    is_all: bool = False,
    nothing: str = "",
) -> None:
    current = session.current()

    async def work(cluster: Connected) -> list[tuple[str, str]]:
        done: list[tuple[str, str]] = []
        for one in await _chosen(cluster.api, names, is_all=is_all):
            body = change(one)
            if body is not None:
                address = Address(ocm.CLUSTERS, name=objects.name(one))
                await cluster.api.patch(address, Patch("merge", body))
            done.append((objects.name(one), nothing if body is None else did))
        return done

    done = current.run(work)
    text = "\n".join(f"cluster {name} {what}" for name, what in done) or "There are no clusters."
    value = {"clusters": [{"name": name, "did": what} for name, what in done]}
    printing.show(value, current.output, text)


async def _chosen(api: Api, names: Sequence[str], *, is_all: bool) -> list[Object]:
    """The clusters of these names, or all; Refused where there is none of a name."""
    found = {objects.name(one): one for one in await reading.listed(api, ocm.CLUSTERS)}
    if is_all:
        return list(found.values())
    for name in names:
        if name not in found:
            wanted = one_of(found, name) if found else "one that joined; none has yet"
            raise Refused("clusters", found=name, wanted=wanted)
    return [found[name] for name in dict.fromkeys(names)]


async def _leases(api: Api) -> dict[str, Object]:
    """The agents' leases by cluster, as far as this person may see them."""
    try:
        page = await reading.everything(api, Address(LEASES))
    except ApiError:
        return {}
    return {objects.namespace(one): one for one in page if objects.name(one) == LEASE}


def _cells(one: membership.Cluster, now: Any) -> list[object]:
    notes = [one.message] if one.message else []
    if one.needs_confirmation:
        notes.append("waits for `oneco clusters confirm`")
    return [
        one.name,
        one.environment,
        one.region or "-",
        one.nodes or "-",
        one.agent or "-",
        "yes" if one.is_accepted else "no",
        one.available,
        f"{ages.since(one.reported_at, now)} ago" if one.reported_at else "-",
        "; ".join(notes),
    ]


for _one in (_list, _show, joining.join, joining.add, _accept, _deny, _confirm):
    command.add_command(_one)
