"""What a kube-apiserver fills in when a built-in kind is written, and how it writes quantities.

Addresses, uids, times and whatever else is allocated is the server's own business. A plan is made
of every type once; it visits only what has defaults somewhere below.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from oneco.generated import wire
from oneco.kube import quantity, types
from oneco.kube.default_values import CONSTANTS, FILLS, Fill
from oneco.kube.objects import Json, Object
from oneco.kube.refs import kind_of
from oneco.kube.types import Type

Visit = Callable[[Any, Any], Any]
"""Completes a part, given the complete part that stood in its place, if there was one."""


@dataclasses.dataclass(slots=True)
class _Plan:
    """What to do at one type; `children` visit the parts that may change themselves."""

    constants: tuple[tuple[str, Json], ...] = ()
    fill: Fill | None = None
    children: dict[str, Visit] = dataclasses.field(default_factory=dict)
    required: tuple[str, ...] = ()
    """The structures that are there even when nobody wrote them."""
    droppable: frozenset[str] = frozenset()
    """What is left out when it is empty or zero."""

    def is_empty(self) -> bool:
        """Whether this plan never changes anything."""
        return not (self.constants or self.fill or self.children or self.droppable)


def default(obj: Object, known: Object | None = None) -> Object:
    """`obj` as a kube-apiserver would store it; `obj` itself where nothing is to be done.

    Of a kind that is not built in only the metadata is looked at. What `obj` shares with `known`,
    an object that is complete already, is not looked at again.
    """
    kind = types.of(kind_of(obj))
    if kind is not None:
        return _filled(obj, _plan(kind), known)
    given = obj.get("metadata") or {}
    earlier = known.get("metadata") if known is not None else None
    meta = given if given is earlier else _filled(given, _plan(types.object_meta()), earlier)
    return obj if meta is given else {**obj, "metadata": meta}


def _filled(obj: Object, plan: _Plan, known: Object | None) -> Object:
    current = _with_constants(obj, plan) if plan.constants else obj
    more = plan.fill(current) if plan.fill is not None else None
    if more:
        current = {**current, **more}
    children, droppable = plan.children, plan.droppable
    changes: dict[str, Json] = {}
    for key, part in current.items():
        if part is None or (key in droppable and not part):
            changes[key] = None
        elif key in children:
            earlier = known.get(key) if known is not None else None
            if earlier is part:
                continue
            after = children[key](part, earlier)
            if after is not part:
                changes[key] = after
    for key in plan.required:
        if current.get(key) is None:
            changes[key] = children[key]({}, None) if key in children else {}
    return _changed(current, changes) if changes else current


def _with_constants(obj: Object, plan: _Plan) -> Object:
    filled: dict[str, Json] | None = None
    for key, value in plan.constants:
        found = obj.get(key)
        if found is None or (
            not found and found != value and (found == "" or key in plan.droppable)
        ):
            filled = dict(obj) if filled is None else filled
            filled[key] = value
    return obj if filled is None else filled


def _changed(obj: Object, changes: dict[str, Json]) -> Object:
    """`obj` with the changes; what became null is gone."""
    changed = {**obj, **changes}
    for key, part in changes.items():
        if part is None:
            del changed[key]
    return changed


_plans: dict[int, _Plan] = {}


def _plan(kind: Type) -> _Plan:
    """The plan of `kind`; made once, and before its parts, because types refer to themselves."""
    plan = _plans.get(id(kind))
    if plan is None:
        plan = _plans[id(kind)] = _Plan()
        plan.constants = tuple(_constants(kind).items())
        plan.fill = FILLS.get(kind.name)
        visits = {key: _visit(part) for key, part in kind.fields.items()}
        plan.children |= {key: visit for key, visit in visits.items() if visit is not None}
        plan.required = tuple(key for key in kind.always if kind.fields[key].form == "map")
        plan.droppable = frozenset(
            key
            for key, part in kind.fields.items()
            if key not in kind.always and (part.form == "list" or _is_dictionary(part))
        )
        plan.droppable |= _zeros(kind)
    return plan


def _zeros(kind: Type) -> frozenset[str]:
    """The fields that a server cannot tell from absent ones when they are zero.

    Only Go's types say so: a pointer to zero is kept, a zero is not.
    """
    rows = wire.MESSAGES.get(_wire_name(kind.name))
    if rows is None:
        return frozenset()
    names = (row[1] for row in msgspec.json.decode(rows) if row[2] in _SCALARS and row[3])
    return frozenset(name for name in names if name in kind.fields)


def _wire_name(name: str) -> str:
    group, _, short = name.removeprefix("apimachinery.pkg.apis.").rpartition(".")
    return f"{group.replace('.', '/')}.{short}"


_SCALARS = frozenset({"str", "int", "double", "bool"})


def _constants(kind: Type) -> dict[str, Json]:
    constants = dict(CONSTANTS.get(kind.name, {}))
    if kind.name.endswith(("Status", "NodeSystemInfo", "DaemonEndpoint")):
        # Nobody writes these, so the server shows their zero.
        zeros = (0, "", False)
        for key, part in kind.fields.items():
            if part.default is not msgspec.UNSET and part.default in zeros and part.form != "map":
                constants.setdefault(key, part.default)
    return constants


def _is_dictionary(kind: Type) -> bool:
    return kind.form == "map" and not kind.fields


def _visit(kind: Type) -> Visit | None:
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
    return None if plan.is_empty() else lambda part, known: _filled(part, plan, known)


def _is_recursive(kind: Type) -> bool:
    return kind.name.endswith("JSONSchemaProps")


def _visit_items(element: Type | None) -> Visit | None:
    visit = _visit(element) if element else None
    if visit is None:
        return None

    def visit_items(items: Sequence[Json], known: Sequence[Json] | None) -> Sequence[Json]:
        filled = None
        shared = {id(item) for item in known} if known else ()
        places = range(len(known)) if known else ()
        for place, item in enumerate(items):
            if id(item) in shared:
                continue
            after = visit(item, known[place] if known and place in places else None)
            if after is not item:
                filled = list(items) if filled is None else filled
                filled[place] = after
        return items if filled is None else filled

    return visit_items


def _visit_values(element: Type | None) -> Visit | None:
    visit = _visit(element) if element and element.form != "any" else None
    if visit is None:
        return None

    def visit_values(values: Mapping[str, Json], known: Json) -> Mapping[str, Json]:
        changes = {}
        for key, value in values.items():
            after = visit(value, None)
            if after is not value:
                changes[key] = after
        return {**values, **changes} if changes else values

    return visit_values


def _canonical(value: Json, known: Json) -> Json:
    try:
        text = quantity.canonical(value)
    except ValueError:
        # Validation says what is wrong with it.
        return value
    return value if text == value else text
