"""`k8s-objects`: Kubernetes objects as they are."""

from __future__ import annotations

from typing import Any

from oneco.definitions import health
from oneco.delivery.mistakes import Mistakes
from oneco.delivery.ports import Context, Definition, Output, Parameters, Rendered
from oneco.errors import Refused
from oneco.kube.objects import Object, dig


class ObjectsParameters(Parameters, frozen=True, kw_only=True):
    """The objects; the first counts as the workload that traits change."""

    objects: tuple[dict[str, Any], ...]


def _render(parameters: ObjectsParameters, context: Context) -> Rendered:
    every = parameters.objects
    if not every:
        raise Refused("objects", found="an empty list", wanted="at least one Kubernetes object")
    mistakes = [
        Refused(f"objects[{position}].{field}", found=found, wanted=wanted)
        for position, one in enumerate(every)
        for field, found, wanted in _missing(one, has_default_name=position == 0)
    ]
    if mistakes:
        raise Mistakes(mistakes)
    first = every[0]
    if not dig(first, "metadata", "name"):
        metadata = {**(first.get("metadata") or {}), "name": context.component}
        first = {**first, "metadata": metadata}
    return Rendered(
        first,
        tuple(Output(f"objects-{position}", one) for position, one in enumerate(every) if position),
    )


def _missing(obj: Object, *, has_default_name: bool) -> list[tuple[str, object, str]]:
    """What an object lacks to be one: field, found, wanted."""
    wanted = {"apiVersion": 'a version such as "apps/v1"', "kind": 'a kind such as "ConfigMap"'}
    found: list[tuple[str, object, str]] = [
        (field, obj.get(field, "nothing"), words)
        for field, words in wanted.items()
        if not isinstance(obj.get(field), str) or not obj[field]
    ]
    for path in (("metadata",), ("metadata", "labels"), ("metadata", "annotations"), ("spec",)):
        part = dig(obj, *path)
        if part is not None and not isinstance(part, dict):
            found.append((".".join(path), part, "a map"))
    name = dig(obj, "metadata", "name")
    if not isinstance(name, str) and not (name is None and has_default_name):
        found.append(("metadata.name", "nothing" if name is None else name, "a name"))
    return found


DEFINITION = Definition(
    name="k8s-objects",
    family="component",
    description="Kubernetes objects, delivered as they are written.",
    parameters=ObjectsParameters,
    render=_render,
    reads=health.reads,
)
