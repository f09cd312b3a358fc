"""What delivery wants of a definition: the small typed plugin behind each type name.

A definition is pure. It never sees a cluster: it turns parameters into objects, or changes the
objects of the component it is attached to. A type that a foreign engine renders will answer with
a request instead and come back when a runner has answered it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from oneco.kube.objects import Object

Family = Literal["component", "trait", "policy", "step"]


class Parameters(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The typed parameters of a definition; an unknown field is a mistake."""


class Context(NamedTuple):
    """Where a definition is used; `namespace` is the one that the objects will be in."""

    application: str
    namespace: str
    component: str


class Output(NamedTuple):
    """One object beside the workload; `name` tells it from the others of its definition."""

    name: str
    object: Object


class Rendered(NamedTuple):
    """A component's workload, as far as it is rendered, and what stands beside it."""

    workload: Object
    outputs: tuple[Output, ...] = ()


def _reads_nothing(_: Object) -> tuple[str, ...]:
    return ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One type that an Application may name.

    A component's `render` gets (parameters, context) and answers Rendered. A trait's gets
    (parameters, context, workload) and answers Rendered with the workload as it shall be. Paths
    of what they raise (Refused) are relative to the properties. A policy has no `render`: it is
    read by delivery itself. `reads` names the live paths of one of its objects that tell health.
    """

    name: str
    family: Family
    parameters: type[Any]
    description: str
    render: Callable[..., Rendered] | None = None
    reads: Callable[[Object], tuple[str, ...]] = _reads_nothing
    version: str = "v1"
    workload_type: str = "autodetects.core.oam.dev"
    """Of a component: the kind of its workload, as KubeVela's definitions name it."""
    is_after_workload: bool = False
    """Whether KubeVela applies its objects only once the workload is healthy."""

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the parameters."""
        return msgspec.json.schema(self.parameters)


Registry = Mapping[tuple[Family, str], Definition]
"""The definitions by family and type name, as `main` put them together."""


def split_type(name: str) -> tuple[str, str]:
    """`"webservice@v1"` as `("webservice", "v1")`; without a version it is empty."""
    bare, _, version = name.partition("@")
    return bare, version


def lookup(registry: Registry, family: Family, name: str) -> Definition | None:
    """The definition that a type names; None for an unknown name or version."""
    bare, version = split_type(name)
    found = registry.get((family, bare))
    if found is None or ("@" in name and not _is_version(found.version, version)):
        return None
    return found


def _is_version(own: str, asked: str) -> bool:
    """`v1` is asked for as `v1`, `1`, `v1.0` or `v1.0.0`, as far as KubeVela accepts them."""
    parts = asked.removeprefix("v").split(".")
    return bool(parts[0]) and f"v{parts[0]}" == own and all(part == "0" for part in parts[1:])
