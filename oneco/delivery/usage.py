"""Components as one place gets them: what the Application says, with the overrides merged in.

Each part keeps the path at which a person finds it.
"""

from __future__ import annotations

from typing import NamedTuple

from oneco.kinds.oam import Component
from oneco.kube.objects import Object

_EMPTY: Object = {}


class TraitUse(NamedTuple):
    """A trait with its properties; `path` is where it is written."""

    type: str
    properties: Object
    path: str


class ComponentUse(NamedTuple):
    """A component with its properties and traits; `path` is where it is written."""

    name: str
    type: str
    properties: Object
    traits: tuple[TraitUse, ...]
    depends_on: tuple[str, ...]
    path: str


def of(component: Component, path: str) -> ComponentUse:
    """`component`, written at `path`."""
    traits = tuple(
        TraitUse(trait.type, trait.properties or _EMPTY, f"{path}.traits[{position}]")
        for position, trait in enumerate(component.traits or ())
    )
    return ComponentUse(
        component.name,
        component.type,
        component.properties or _EMPTY,
        traits,
        component.depends_on or (),
        path,
    )
