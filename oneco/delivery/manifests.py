"""From components to objects: parameters checked, definitions asked, owners' labels put on.

Equal inputs give the very same objects: what a component became is remembered by its content, so
that unchanged parts of a change are recognised by identity.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from oneco.delivery import validation
from oneco.delivery.mistakes import Mistakes, one_of, within
from oneco.delivery.ports import (
    Context,
    Definition,
    Family,
    Output,
    Registry,
    Rendered,
    lookup,
    split_type,
)
from oneco.delivery.usage import ComponentUse, TraitUse
from oneco.errors import Refused
from oneco.kinds import naming
from oneco.kinds.oam import (
    APP_REVISION_LABEL,
    CLUSTER_LABEL,
    COMPONENT_LABEL,
    COMPONENT_REVISION_LABEL,
    NAME_LABEL,
    NAMESPACE_LABEL,
    RESOURCE_TYPE_LABEL,
    TRAIT_RESOURCE_LABEL,
    TRAIT_TYPE_LABEL,
    WORKLOAD_TYPE_LABEL,
    stamped,
)
from oneco.kube import types
from oneco.kube.objects import Object, dig, encode, metadata, put
from oneco.kube.refs import kind_of
from oneco.kube.remembered import Remembered

_REMEMBERED = 20_000
AUXILIARY = "AuxiliaryWorkload"
"""What KubeVela calls the trait of an object that a component itself put beside its workload."""


class Owner(NamedTuple):
    """The Application that objects belong to."""

    name: str
    namespace: str


class Piece(NamedTuple):
    """One object of a component, without the labels that change with revision and cluster."""

    component: str
    trait: str
    manifest: Object
    reads: tuple[str, ...]


class Pieces(NamedTuple):
    """The objects of one component; equal content has an equal hash."""

    pieces: tuple[Piece, ...]
    hash: str


_made: OrderedDict[tuple[int, Owner, str, bytes], tuple[Registry, Pieces]] = OrderedDict()
_stamps: OrderedDict[tuple[int, str, str], tuple[Object, Object]] = OrderedDict()


def forget() -> None:
    """Forget what components became, so that the next rendering does all the work again."""
    _made.clear()
    _stamps.clear()


def component(use: ComponentUse, owner: Owner, namespace: str, registry: Registry) -> Pieces:
    """The objects of one component in `namespace`; Mistakes name all that is wrong with it."""
    content = [
        use.name,
        use.type,
        use.properties,
        [[one.type, one.properties] for one in use.traits],
    ]
    key = (id(registry), owner, namespace, encode(content))
    found = _made.get(key)
    if found is not None:
        _made.move_to_end(key)
        return found[1]
    pieces = _component(use, owner, namespace, registry)
    digest = naming.digest(*(encode(piece).decode() for piece in pieces))
    made = Pieces(pieces, digest)
    # Holding the registry keeps its id from being given to another.
    _made[key] = (registry, made)
    if len(_made) > _REMEMBERED:
        _made.popitem(last=False)
    return made


def stamp(piece: Piece, revision: str, cluster: str = "") -> Object:
    """The manifest of `piece` with the labels that say where it comes from."""
    key = (id(piece.manifest), revision, cluster)
    found = _stamps.get(key)
    if found is None:
        labels = {APP_REVISION_LABEL: revision, CLUSTER_LABEL: cluster}
        found = _stamps[key] = (piece.manifest, stamped(piece.manifest, labels))
        if len(_stamps) > _REMEMBERED:
            _stamps.popitem(last=False)
    return found[1]


def _component(
    use: ComponentUse, owner: Owner, namespace: str, registry: Registry
) -> tuple[Piece, ...]:
    context = Context(owner.name, namespace, use.name)
    mistakes: list[Refused] = []
    definition = _find(registry, "component", use.type, use.path, mistakes)
    rendered = _render(definition, use, mistakes, context)
    known: list[tuple[TraitUse, Definition]] = []
    for trait in use.traits:
        found = _find(registry, "trait", trait.type, trait.path, mistakes)
        if found is not None:
            known.append((trait, found))
    traits: list[tuple[TraitUse, Definition, Output]] = []
    workload: Object = rendered.workload if rendered is not None else {}
    for trait, found in known:
        # After a mistake the workload is not what the trait will see: then only the trait's
        # parameters are looked at.
        changed = _render(found, trait, mistakes, context, *(() if mistakes else (workload,)))
        if changed is not None:
            workload = changed.workload
            traits += [(trait, found, output) for output in changed.outputs]
    if mistakes:
        raise Mistakes(mistakes)
    assert definition is not None and rendered is not None, "nothing was wrong, nothing was made"
    made = rendered._replace(workload=workload)
    return (*_own(use, owner, namespace, definition, made), *(
        Piece(
            use.name,
            trait.type,
            _labelled(output.object, owner, namespace, _trait_labels(use, trait, found, output)),
            found.reads(output.object),
        )
        for trait, found, output in traits
    ))  # fmt: skip


def _own(
    use: ComponentUse, owner: Owner, namespace: str, definition: Definition, made: Rendered
) -> tuple[Piece, ...]:
    """The workload, and what the component's definition put beside it."""
    # A version behind the type's name cannot stand in a label.
    labels = {WORKLOAD_TYPE_LABEL: use.type.replace("@", "-"), RESOURCE_TYPE_LABEL: "WORKLOAD"}
    workload = _labelled(made.workload, owner, namespace, {COMPONENT_LABEL: use.name, **labels})
    beside = (
        Piece(
            use.name,
            "",
            _labelled(
                output.object,
                owner,
                namespace,
                {
                    COMPONENT_LABEL: use.name,
                    RESOURCE_TYPE_LABEL: "TRAIT",
                    TRAIT_TYPE_LABEL: AUXILIARY,
                    TRAIT_RESOURCE_LABEL: output.name,
                },
            ),
            definition.reads(output.object),
        )
        for output in made.outputs
    )
    return (Piece(use.name, "", workload, definition.reads(workload)), *beside)


def _trait_labels(
    use: ComponentUse, trait: TraitUse, definition: Definition, output: Output
) -> dict[str, str]:
    labels = {
        COMPONENT_LABEL: use.name,
        TRAIT_TYPE_LABEL: trait.type.replace("@", "-"),
        TRAIT_RESOURCE_LABEL: output.name,
    }
    # KubeVela leaves the label away where it applies the object after the workload.
    return labels if definition.is_after_workload else {**labels, RESOURCE_TYPE_LABEL: "TRAIT"}


def _labelled(obj: Object, owner: Owner, namespace: str, labels: dict[str, str]) -> Object:
    """`obj` with its owner's labels, and in `namespace` if it belongs into one and names none."""
    common = {
        NAME_LABEL: owner.name,
        NAMESPACE_LABEL: owner.namespace,
        COMPONENT_REVISION_LABEL: "",
    }
    if not metadata(obj).get("namespace") and is_namespaced(obj):
        obj = {**obj, "metadata": {**metadata(obj), "namespace": namespace}}
    return stamped(obj, {**common, **labels})


def is_namespaced(obj: Object) -> bool:
    """Whether objects of this kind live in namespaces; kinds nobody knows are taken to."""
    return tuple(kind_of(obj)) not in _cluster_kinds()


@functools.cache
def _cluster_kinds() -> frozenset[tuple[str, ...]]:
    return frozenset(
        (info.resource.group, info.resource.version, info.kind)
        for info in types.resources()
        if not info.namespaced
    )


def _find(
    registry: Registry, family: Family, name: str, path: str, mistakes: list[Refused]
) -> Definition | None:
    found = lookup(registry, family, name)
    if found is None:
        mistakes.append(unknown_type(registry, family, name, path))
    return found


def unknown_type(registry: Registry, family: Family, name: str, path: str) -> Refused:
    """What to say of a type that nobody defines."""
    bare, _ = split_type(name)
    known = registry.get((family, bare))
    if known is not None:
        wanted = f"a version that exists: {bare}@{known.version}, or {bare} alone"
        return Refused(f"{path}.type", found=name, wanted=wanted)
    names = (one for one_family, one in registry if one_family == family)
    return Refused(f"{path}.type", found=name, wanted=f"a known {family}: {one_of(names, bare)}")


def _render(
    definition: Definition | None,
    use: ComponentUse | TraitUse,
    mistakes: list[Refused],
    context: Context,
    *workload: Object,
) -> Rendered | None:
    """What the definition makes of the parameters; None where they, or it, are wrong."""
    if definition is None:
        return None
    path = f"{use.path}.properties"
    try:
        parameters = validation.read(definition.parameters, use.properties, path)
    except Refused as error:
        mistakes += within("", error)
        return None
    if definition.render is None or (definition.family == "trait" and not workload):
        return None
    try:
        return definition.render(parameters, context, *workload)
    except Refused as error:
        mistakes += within(path, error)
        return None


def union(parts: Sequence[Pieces]) -> tuple[tuple[Piece, ...], str]:
    """The objects of several components and their common hash; of one object the last counts.

    A Service that several definitions make has the ports of all of them.
    """
    merged: dict[tuple[str, ...], Piece] = {}
    for part in parts:
        for piece in part.pieces:
            head = metadata(piece.manifest)
            place = (str(head.get("namespace") or ""), str(head.get("name") or ""))
            key = (*kind_of(piece.manifest), *place)
            before = merged.get(key)
            if before is not None and piece.manifest.get("kind") == "Service":
                both = _services.ask(_with_ports, piece.manifest, before.manifest)
                piece = piece._replace(manifest=both)
            merged[key] = piece
    return tuple(merged.values()), naming.digest(*(part.hash for part in parts))


_services: Remembered[Object] = Remembered()


def _with_ports(service: Object, other: Object) -> Object:
    """`service` with what only `other` says, and its ports, if both are for the same pods."""
    if dig(service, "spec", "selector") != dig(other, "spec", "selector"):
        return service
    ports = _ports(service)
    taken = {_port_key(one) for one in ports}
    more = [one for one in _ports(other) if _port_key(one) not in taken]
    held, said = dig(other, "spec", default={}), dig(service, "spec", default={})
    return put(service, ("spec",), {**held, **said, "ports": [*ports, *more]})


def _ports(service: Object) -> list[Object]:
    ports = dig(service, "spec", "ports")
    return [one for one in ports if isinstance(one, Mapping)] if isinstance(ports, list) else []


def _port_key(port: Object) -> tuple[str, str]:
    return str(port.get("port")), str(port.get("protocol") or "TCP")
