"""What a kube-apiserver fills in when a built-in kind is written, and how it writes quantities.

Addresses, uids, times and whatever else is allocated is the server's own business. A plan is made
of every type once; it visits only what has defaults somewhere below.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from oneco.kube import quantity, types
from oneco.kube.default_values import CONSTANTS, FILLS, Fill
from oneco.kube.objects import Json, Object
from oneco.kube.refs import kind_of
from oneco.kube.types import Type


@dataclasses.dataclass(slots=True)
class _Plan:
    """What to fill in at one type; `children` visit the parts that have defaults themselves."""

    constants: tuple[tuple[str, Json], ...] = ()
    fill: Fill | None = None
    children: tuple[tuple[str, Callable[[Any], Any]], ...] = ()
    required: tuple[str, ...] = ()
    """Of the children, those that are there even when nobody wrote them."""

    def is_empty(self) -> bool:
        """Whether this plan never changes anything."""
        return not (self.constants or self.fill or self.children)


def default(obj: Object) -> Object:
    """`obj` as a kube-apiserver would store it; `obj` itself where nothing is missing."""
    kind = types.of(kind_of(obj))
    return obj if kind is None else _filled(obj, _plan(kind))


def default_part(part: Object, kind: Type) -> Object:
    """The same for a part of an object, for example the pod template inside a custom resource."""
    return _filled(part, _plan(kind))


def _filled(obj: Object, plan: _Plan) -> Object:
    filled: dict[str, Json] | None = None
    for key, value in plan.constants:
        found = obj.get(key)
        if found is None or found == "":
            filled = dict(obj) if filled is None else filled
            filled[key] = value
    current: Object = obj if filled is None else filled
    if plan.fill is not None:
        more = plan.fill(current)
        if more:
            filled = {**current, **more}
            current = filled
    for key, visit in plan.children:
        part = current.get(key)
        if part is None:
            if key not in plan.required:
                continue
            after = visit({})
        else:
            after = visit(part)
            if after is part:
                continue
        if filled is None:
            filled = dict(obj)
            current = filled
        filled[key] = after
    return current


_plans: dict[int, _Plan] = {}


def _plan(kind: Type) -> _Plan:
    """The plan of `kind`; made once, and before its parts, because types refer to themselves."""
    plan = _plans.get(id(kind))
    if plan is None:
        plan = _plans[id(kind)] = _Plan()
        plan.constants = tuple(_constants(kind).items())
        plan.fill = FILLS.get(kind.name)
        visits = {key: _visit(part) for key, part in kind.fields.items()}
        structures = {key for key in kind.always if kind.fields[key].form == "map"}
        plan.required = tuple(structures)
        plan.children = tuple(
            (key, visit or _untouched)
            for key, visit in visits.items()
            if visit is not None or key in structures
        )
    return plan


def _constants(kind: Type) -> dict[str, Json]:
    constants = dict(CONSTANTS.get(kind.name, {}))
    if kind.name.endswith("Status"):
        # Nobody writes these, so the server shows their zero.
        zeros = (0, "", False)
        for key, part in kind.fields.items():
            if part.default is not msgspec.UNSET and part.default in zeros and part.form != "map":
                constants.setdefault(key, part.default)
    return constants


def _untouched(part: Json) -> Json:
    return part


def _visit(kind: Type) -> Callable[[Any], Any] | None:
    """How to fill in a value of `kind`, None if there is never anything to do."""
    if kind.form == "quantity":
        return _canonical
    if kind.form == "list":
        return _visit_items(kind.element)
    if kind.form != "map":
        return None
    if not kind.fields:
        return _visit_values(kind.element)
    if kind.name and _is_recursive(kind):
        return None
    plan = _plan(kind)
    return None if plan.is_empty() else lambda part: _filled(part, plan)


def _is_recursive(kind: Type) -> bool:
    return kind.name.endswith("JSONSchemaProps")


def _visit_items(element: Type | None) -> Callable[[Any], Any] | None:
    visit = _visit(element) if element else None
    if visit is None:
        return None

    def visit_items(items: Sequence[Json]) -> Sequence[Json]:
        filled = None
        for place, item in enumerate(items):
            after = visit(item)
            if after is not item:
                filled = list(items) if filled is None else filled
                filled[place] = after
        return items if filled is None else filled

    return visit_items


def _visit_values(element: Type | None) -> Callable[[Any], Any] | None:
    visit = _visit(element) if element and element.form != "any" else None
    if visit is None:
        return None

    def visit_values(values: Mapping[str, Json]) -> Mapping[str, Json]:
        changes = {}
        for key, value in values.items():
            after = visit(value)
            if after is not value:
                changes[key] = after
        return {**values, **changes} if changes else values

    return visit_values


def _canonical(value: Json) -> Json:
    try:
        text = quantity.canonical(value)
    except ValueError:
        # Validation says what is wrong with it.
        return value
    return value if text == value else text
