"""Sets of fields as `managedFields` carries them (FieldsV1), and arithmetic on them.

A set is the FieldsV1 tree itself, immutable and shared: `f:name` for a key of a map, `k:{…}` for
an item of a keyed list, `v:…` for an item of a set. A node is a member if it has the key `.` or
no children at all; inside this room None is the empty set.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from oneco.kube.objects import Json
from oneco.kube.types import ANY, Type

FieldSet = Mapping[str, Any]
LEAF: FieldSet = {}
"""A member without children."""
_encode = msgspec.json.Encoder(order="deterministic").encode


class Malformed(Exception):
    """A value does not fit its type: `message` says how, `path` where."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.path = ""

    def under(self, element: str) -> Malformed:
        """This, seen from one step further up."""
        self.path = shown(element) + self.path
        return self


def of_value(value: Json, kind: Type) -> FieldSet | None:
    """The fields that someone who applies `value` owns; Malformed where they are not declared."""
    if isinstance(value, dict):
        if kind.atomic or not (kind.fields or kind.element):
            return LEAF
        return _of_map(value, kind)
    if isinstance(value, list) and kind.form == "list" and not kind.atomic:
        return _of_list(value, kind)
    return LEAF


def _of_map(value: Mapping[str, Json], kind: Type) -> FieldSet | None:
    fields, element = kind.fields, kind.element
    found: dict[str, Any] = {}
    for key, part in value.items():
        known = fields.get(key)
        part_kind = known or element
        if part_kind is None:
            raise Malformed("field not declared in schema").under("f:" + key)
        if not isinstance(part, (dict, list)):
            found["f:" + key] = LEAF
            continue
        try:
            inner = of_value(part, part_kind)
        except Malformed as error:
            raise error.under("f:" + key) from None
        if known is None or part == {}:
            inner = {".": LEAF, **inner} if inner else LEAF
        if inner is not None:
            found["f:" + key] = inner
    return found or None


def _of_list(value: Sequence[Json], kind: Type) -> FieldSet | None:
    found: dict[str, Any] = {}
    element = kind.element or ANY
    for position, item in enumerate(value):
        try:
            key = item_key(item, kind)
        except Malformed as error:
            error.message = f"element {position}: {error.message}"
            raise
        if key in found:
            raise Malformed(f"duplicate entries for key {shown(key)}")
        try:
            inner = of_value(item, element)
        except Malformed as error:
            raise error.under(key) from None
        found[key] = {".": LEAF, **inner} if inner else LEAF
    return found or None


def following(value: Json, kind: Type, before: Json, fields: FieldSet) -> FieldSet | None:
    """`of_value(value)`, knowing that `fields` is `of_value(before)`: equal parts are shared."""
    if value is before:
        return fields
    if not kind.atomic:
        both = (value, before)
        if all(isinstance(one, dict) for one in both) and (kind.fields or kind.element):
            return _following_map(value, kind, before, fields)
        if all(isinstance(one, list) for one in both) and kind.form == "list":
            return _following_list(value, kind, before, fields)
    return of_value(value, kind)


def _following_map(
    value: Mapping[str, Json], kind: Type, before: Mapping[str, Json], fields: FieldSet
) -> FieldSet | None:
    found: dict[str, Any] = {}
    for key, part in value.items():
        element = "f:" + key
        earlier = fields.get(element)
        if key in before and before[key] is part:
            if earlier is not None:
                found[element] = earlier
            continue
        known = kind.fields.get(key)
        part_kind = known or kind.element
        if part_kind is None:
            raise Malformed("field not declared in schema").under(element)
        if not isinstance(part, (dict, list)):
            found[element] = LEAF
            continue
        try:
            inner = following(part, part_kind, before.get(key), earlier or LEAF)
        except Malformed as error:
            raise error.under(element) from None
        if known is None or part == {}:
            inner = {".": LEAF, **inner} if inner else LEAF
        if inner is not None:
            found[element] = earlier if inner == earlier else inner
    return found or None


def _following_list(
    value: Sequence[Json], kind: Type, before: Sequence[Json], fields: FieldSet
) -> FieldSet | None:
    element = kind.element or ANY
    found: dict[str, Any] = {}
    for item, past in zip(value, before, strict=False):
        key = item_key(item, kind)
        known = fields.get(key)
        if known is None or key in found or item_key(past, kind) != key:
            break
        if item is not past:
            try:
                inner = following(item, element, past, known)
            except Malformed as error:
                raise error.under(key) from None
            inner = {".": LEAF, **inner} if inner else LEAF
            known = known if inner == known else inner
        found[key] = known
    # From the first item that stands elsewhere on, nothing is known.
    return found or None if len(found) == len(value) else _of_list(value, kind)


def everything(value: Json, kind: Type) -> FieldSet:
    """All fields of `value`, with every map and list on the way."""
    if not value:
        return LEAF
    if isinstance(value, dict) and not kind.atomic and (kind.fields or kind.element):
        fields, element = kind.fields, kind.element or ANY
        found: dict[str, Any] = {".": LEAF}
        for key, part in value.items():
            if isinstance(part, (dict, list)):
                found["f:" + key] = everything(part, fields.get(key) or element)
            else:
                found["f:" + key] = LEAF
        return found
    if isinstance(value, list) and kind.form == "list" and not kind.atomic:
        element = kind.element or ANY
        found = {".": LEAF}
        for item in value:
            key = item_key(item, kind)
            # Items that share a key are owned as one.
            found[key] = LEAF if key in found else everything(item, element)
        return found
    return LEAF


def item_key(item: Json, kind: Type) -> str:
    """The element that names `item` in a list of `kind`; Malformed where it has no identity."""
    keys = kind.list_map_keys
    if not keys:
        if isinstance(item, (str, int, float)):
            return "v:" + _encode(item).decode()
        raise Malformed("associative list without keys has an element that is not a scalar")
    if not isinstance(item, dict):
        raise Malformed("associative list with keys may not have non-map elements")
    if len(keys) == 1 and isinstance(only := item.get(keys[0]), str):
        return _text_key(keys[0], only)
    pairs = {key: item[key] for key in keys if key in item}
    if len(pairs) < len(keys):
        pairs = {key: value for key, value in kind.key_defaults if key not in pairs} | pairs
        if not pairs:
            raise Malformed(_without_keys(keys))
    return "k:" + _encode(pairs).decode()


@functools.lru_cache(maxsize=8192)
def _text_key(key: str, value: str) -> str:
    return "k:" + _encode({key: value}).decode()


def _without_keys(keys: Sequence[str]) -> str:
    named = " ".join(f'"{key}"' for key in keys)
    return (
        f"associative list with keys has an element that omits all key fields [{named}] "
        "(and doesn't have default values for any key fields)"
    )


def index(items: Sequence[Json], kind: Type) -> dict[str, Json]:
    """The items of a keyed list or set by their element; of equal ones the last."""
    return {item_key(item, kind): item for item in items}


def is_member(node: FieldSet) -> bool:
    """Whether the path to `node` itself is in the set."""
    return not node or "." in node


def node(member: bool, children: dict[str, Any]) -> FieldSet | None:
    """The node that says so; None if it says nothing."""
    if not children:
        return LEAF if member else None
    return {".": LEAF, **children} if member else children


def union(left: FieldSet | None, right: FieldSet | None) -> FieldSet | None:
    """What is in either; an operand itself where the other adds nothing."""
    if left is None or left is right:
        return right
    if right is None:
        return left
    if not left or not right:
        # A childless member adds only its own membership.
        larger = left or right
        return larger if is_member(larger) else {".": LEAF, **larger}
    merged: dict[str, Any] | None = None
    for element, theirs in right.items():
        ours = left.get(element)
        both = theirs if ours is None else union(ours, theirs)
        if both is not ours:
            merged = dict(left) if merged is None else merged
            merged[element] = both
    return left if merged is None else merged


def difference(left: FieldSet | None, right: FieldSet | None) -> FieldSet | None:
    """What is in `left` but not in `right`; `left` itself where nothing is taken away."""
    if left is None or right is None:
        return left
    if left is right:
        return None
    rest: dict[str, Any] | None = None
    for element, theirs in right.items():
        ours = left.get(element)
        if ours is None or element == ".":
            continue
        kept = difference(ours, theirs)
        if kept is not ours:
            rest = dict(left) if rest is None else rest
            if kept is None:
                del rest[element]
            else:
                rest[element] = kept
    stays = is_member(left)
    if stays and is_member(right):
        stays = False
    elif rest is None:
        return left
    children = {key: part for key, part in (left if rest is None else rest).items() if key != "."}
    return node(stays, children)


def intersection(left: FieldSet | None, right: FieldSet | None) -> FieldSet | None:
    """What is in both."""
    if left is None or right is None or left is right:
        return None if right is None else left
    children: dict[str, Any] = {}
    small, large = (left, right) if len(left) <= len(right) else (right, left)
    for element, ours in small.items():
        if element == "." or (theirs := large.get(element)) is None:
            continue
        both = intersection(ours, theirs)
        if both is not None:
            children[element] = both
    return node(is_member(left) and is_member(right), children)


def without(fields: FieldSet | None, *paths: tuple[str, ...]) -> FieldSet | None:
    """`fields` without what lies at or under each of `paths`."""
    for path in paths:
        fields = _without(fields, path)
    return fields


def _without(fields: FieldSet | None, path: tuple[str, ...]) -> FieldSet | None:
    head, rest = path[0], path[1:]
    if fields is None or head not in fields:
        return fields
    inner = _without(fields[head], rest) if rest else None
    if inner is fields[head]:
        return fields
    children = {key: part for key, part in fields.items() if key != head and key != "."}
    return node(is_member(fields), children if inner is None else {**children, head: inner})


def paths(fields: FieldSet | None, prefix: str = "") -> Iterator[str]:
    """Every member as Kubernetes shows it: `.spec.containers[name="a"].image`."""
    members, rest = [], []
    for element, inner in sorted((fields or {}).items(), key=lambda pair: pair[0]):
        if element != ".":
            if is_member(inner):
                members.append(prefix + shown(element))
            if inner:
                rest.append((inner, prefix + shown(element)))
    # A node's own members come before what lies deeper, as in Kubernetes' messages.
    yield from members
    for inner, below in rest:
        yield from paths(inner, below)


def shown(element: str) -> str:
    """One element of a path as Kubernetes shows it."""
    kind, text = element[0], element[2:]
    if kind == "f":
        return "." + text
    if kind == "i":
        return f"[{text}]"
    if kind == "v":
        return f"[={text}]"
    pairs = msgspec.json.decode(text)
    return "[" + ",".join(f"{key}={_encode(pairs[key]).decode()}" for key in sorted(pairs)) + "]"
