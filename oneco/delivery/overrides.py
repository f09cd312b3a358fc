"""Override policies: what differs in some clusters from what the components say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from oneco.delivery.ports import Parameters
from oneco.delivery.usage import ComponentUse, TraitUse
from oneco.kube.objects import Json, Object


class TraitOverride(Parameters, frozen=True, kw_only=True):
    """A trait to change or add, or with `disable` to take away."""

    type: str
    properties: dict[str, Any] | None = None
    disable: bool = False


class ComponentOverride(Parameters, frozen=True, kw_only=True):
    """A change to the components whose name (`*` stands for anything) and type fit.

    Without a name it is for all components, or all of the type. With a name and another type it
    replaces the component; with a name that no component has it adds one.
    """

    name: str | None = None
    type: str | None = None
    properties: dict[str, Any] | None = None
    traits: tuple[TraitOverride, ...] = ()
    external_revision: str | None = None


class OverrideParameters(Parameters, frozen=True, kw_only=True):
    """Changes to components, then the names of those to keep; no names keep all."""

    components: tuple[ComponentOverride, ...] = ()
    selector: tuple[str, ...] | None = None


def apply(
    components: Sequence[ComponentUse], parameters: OverrideParameters, path: str
) -> tuple[ComponentUse, ...]:
    """`components` as the override policy whose properties stand at `path` wants them."""
    merged = {one.name: one for one in components}
    for position, change in enumerate(parameters.components):
        where = f"{path}.components[{position}]"
        fitting = [one for one in merged.values() if _fits(change, one)]
        for one in fitting:
            merged[one.name] = _changed(one, change, where)
        if not fitting and change.name and "*" not in change.name and change.type:
            merged[change.name] = _replacement(change.name, change, where)
    if not parameters.selector:
        return tuple(merged.values())
    return tuple(one for one in merged.values() if _is_selected(one.name, parameters.selector))


def _fits(change: ComponentOverride, component: ComponentUse) -> bool:
    if not change.name:
        return not change.type or change.type == component.type
    return _matches(change.name, component.name)


def _matches(pattern: str, name: str) -> bool:
    """Whether `name` fits `pattern`, in which `*` stands for anything."""
    if "*" not in pattern:
        return pattern == name
    # Each part at its first place: a regular expression would try all places of all of them.
    first, *middle, last = pattern.split("*")
    place, end = len(first), len(name) - len(last)
    for part in middle:
        found = name.find(part, place, max(end, 0))
        if found < 0:
            return False
        place = found + len(part)
    return place <= end and name.startswith(first) and name.endswith(last)


def _is_selected(name: str, selector: Sequence[str]) -> bool:
    return any(_matches(pattern, name) for pattern in selector)


def _changed(component: ComponentUse, change: ComponentOverride, where: str) -> ComponentUse:
    if change.name and change.type and change.type != component.type:
        return _replacement(component.name, change, where)
    properties = merge(component.properties, change.properties or {})
    return component._replace(
        properties=properties, traits=_traits(component.traits, change.traits, where)
    )


def _replacement(name: str, change: ComponentOverride, where: str) -> ComponentUse:
    assert change.type, "only a change with a type makes a component"
    traits = _traits((), change.traits, where)
    return ComponentUse(name, change.type, change.properties or {}, traits, (), where)


def _traits(
    held: Sequence[TraitUse], changes: Sequence[TraitOverride], where: str
) -> tuple[TraitUse, ...]:
    merged = {one.type: one for one in held}
    for position, change in enumerate(changes):
        own = f"{where}.traits[{position}]"
        before = merged.get(change.type)
        if change.disable:
            merged.pop(change.type, None)
        elif before is None:
            merged[change.type] = TraitUse(change.type, change.properties or {}, own)
        else:
            properties = merge(before.properties, change.properties or {})
            merged[change.type] = before._replace(properties=properties)
    # A type that stands twice in the component keeps both, unless the override changes it.
    touched = {change.type for change in changes}
    untouched = [one for one in held if one.type not in touched]
    order = dict.fromkeys([one.type for one in held] + [change.type for change in changes])
    result: list[TraitUse] = []
    for kind in order:
        if kind in touched:
            result += [merged[kind]] if kind in merged else []
        else:
            result += [one for one in untouched if one.type == kind]
    return tuple(result)


def merge(base: Object, patch: Object) -> Object:
    """`base` with `patch` over it: maps merge, lists and everything else are replaced.

    An empty value changes nothing, as in KubeVela.
    """
    changed: dict[str, Json] = {}
    for key, value in patch.items():
        held = base.get(key)
        if isinstance(value, dict) and isinstance(held, dict):
            changed[key] = merge(held, value)
        elif value not in (None, "", [], {}) or key not in base:
            changed[key] = value
    return {**base, **changed} if changed else base
