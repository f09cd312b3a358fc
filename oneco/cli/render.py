"""`oneco render`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from oneco import definitions
from oneco.cli import checking, printing, session
from oneco.cli.program import command as a_command
from oneco.delivery import plan, rendering
from oneco.delivery.rendering import Cluster, Manifest
from oneco.errors import Refused
from oneco.kinds import fleet
from oneco.kinds.oam import APPLICATIONS
from oneco.kinds.ocm import CLUSTERS
from oneco.kinds.parts import parse
from oneco.kube import documents, objects
from oneco.kube.documents import Document
from oneco.kube.objects import Object


@a_command("render")
@click.option(
    "-f", "--filename", "paths", multiple=True, required=True, metavar="FILE|DIR|-",
    help="Files with Applications, and Fleets or ManagedClusters to choose among.",
)  # fmt: skip
def command(paths: tuple[str, ...]) -> None:
    """Show every object that Applications become, without asking any server."""
    current = session.current()
    found = checking.load(paths)
    made = manifests(found, current.namespace)
    for one in found:
        if is_application(one.object):
            _try_out(placed(one.object, current.namespace), made, found)
    printing.show({"manifests": [row(one) for one in made]}, _machine(current.output), _text(made))


def _try_out(application: Object, made: Sequence[Manifest], found: Sequence[Document]) -> None:
    """Deliver it to clusters in memory: what an API server refuses is a mistake like any other."""
    from oneco.main import rendering as delivery

    known = dict(clusters_among(found))
    named = dict.fromkeys(one.cluster for one in made if one.cluster)
    clusters = [(name, known.get(name, {})) for name in named]
    chosen = clusters or list(known.items()) or _imagined(application)
    delivered = delivery.deliver(application, chosen)
    if delivered.refused:
        raise Refused("\n".join(delivered.refused))
    if delivered.problem:
        click.echo(f"warning: delivered to a cluster in memory: {delivered.problem}", err=True)


def _imagined(application: Object) -> list[Cluster]:
    """Where nothing tells of any cluster: one for each choice by labels, that fits it."""
    topologies = plan.read(application, definitions.builtin()).topologies.values()
    wanted = [one.selector for one in topologies if one.selector is not None]
    return [(f"cluster-{number}", labels) for number, labels in enumerate(wanted, 1)]


def manifests(found: Sequence[Document], namespace: str) -> tuple[Manifest, ...]:
    """The objects of all Applications among these documents, in order."""
    applications = [one for one in found if is_application(one.object)]
    if not applications:
        sources = ", ".join(dict.fromkeys(one.source for one in found))
        kinds = ", ".join(dict.fromkeys(one.object["kind"] for one in found))
        raise Refused(sources, found=kinds, wanted="an Application")
    clusters = clusters_among(found)
    registry = definitions.builtin()
    return tuple(
        manifest
        for one in applications
        for manifest in rendering.render(placed(one.object, namespace), registry, clusters=clusters)
    )


def is_application(obj: Object) -> bool:
    """Whether this is one of ours to deliver."""
    return bool(obj["apiVersion"] == APPLICATIONS.api_version and obj["kind"] == "Application")


def placed(application: Object, namespace: str) -> Object:
    """`application` in the namespace that the command line names, where it names none itself."""
    if objects.namespace(application) or not namespace:
        return application
    return objects.put(application, ("metadata", "namespace"), namespace)


def clusters_among(found: Sequence[Document]) -> list[Cluster]:
    """The clusters that these documents tell of, with their labels."""
    chosen: list[Cluster] = []
    for one in found:
        obj = one.object
        if obj["apiVersion"] == CLUSTERS.api_version and obj["kind"] == "ManagedCluster":
            chosen.append((objects.name(obj), objects.labels(obj)))
        if obj["apiVersion"] == fleet.FLEETS.api_version and obj["kind"] == "Fleet":
            members = fleet.members(parse(fleet.FleetSpec, obj.get("spec"), "spec"))
            chosen += [(member.name, member.labels) for member in members]
    return chosen


def row(one: Manifest) -> dict[str, Any]:
    """One manifest as JSON."""
    return {"component": one.component, "cluster": one.cluster, "manifest": one.manifest}


def _machine(output: str) -> str:
    return "json" if output == "json" else "text"


def _text(made: Sequence[Manifest]) -> str:
    parts = []
    for one in made:
        place = f" in {one.cluster}" if one.cluster else ""
        trait = f", {one.trait}" if one.trait else ""
        parts.append(f"# {one.component}{trait}{place}\n{documents.write(one.manifest)}")
    return "---\n".join(parts)
