"""Walks over values along a structural schema; unchanged parts come back as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from oneco.kube import causes, schema_checks
from oneco.kube.errors import Cause
from oneco.kube.objects import Json
from oneco.kube.schema_nodes import MISSING, Node

METADATA_FIELDS: Final = frozenset(
    {
        "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation",
        "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "labels",
        "annotations", "ownerReferences", "finalizers", "managedFields",
    }
)  # fmt: skip
_NOTHING: Final = Node()
"""The schema of what stands in a list where the schema has no list: it has no fields."""
_OBJECT_FIELDS: Final = frozenset({"apiVersion", "kind", "metadata"})


Walk = Callable[[Node, Json], Json]


def default(node: Node, value: Json, *, inner: Walk | None = None) -> Json:
    """`value` with defaults filled in, and without nulls where null means nothing.

    `inner` walks what is below `node`, in place of this function.
    """
    if isinstance(value, Mapping):
        return _default_mapping(node, value, inner or default)
    if isinstance(value, list) and node.items is not None:
        items = node.items
        filled = [default(items, item) for item in value]
        return value if _all_same(filled, value) else filled
    return value


def prune(node: Node, value: Json, *, is_root: bool = False, inner: Walk | None = None) -> Json:
    """`value` without fields that `node` does not know; `inner` walks what is below it."""
    walk = inner or prune
    if isinstance(value, list):
        items = node.items or (None if node.keeps_unknown else _NOTHING)
        if items is None:
            return value
        kept_items = [walk(items, item) for item in value]
        return value if _all_same(kept_items, value) else kept_items
    if not isinstance(value, Mapping):
        return value
    whole = is_root or node.is_embedded
    kept = {}
    for key, part in value.items():
        if whole and key in _OBJECT_FIELDS:
            kept[key] = _prune_metadata(part) if key == "metadata" else part
            continue
        child = node.child(key)
        if child is not None:
            kept[key] = walk(child, part)
        elif node.keeps_unknown:
            kept[key] = part
    return value if _same_entries(kept, value) else kept


def unknown(node: Node, value: Json, path: str, *, is_root: bool = False) -> Iterator[str]:
    """The paths that `prune` would drop."""
    items = node.items or (None if node.keeps_unknown else _NOTHING)
    if isinstance(value, list) and items is not None:
        for index, item in enumerate(value):
            yield from unknown(items, item, f"{path}[{index}]")
    if not isinstance(value, Mapping):
        return
    whole = is_root or node.is_embedded
    for key in sorted(value):
        where = f"{path}.{key}" if path else key
        if whole and key in _OBJECT_FIELDS:
            if key == "metadata" and isinstance(value[key], Mapping):
                yield from (f"{where}.{one}" for one in sorted(set(value[key]) - METADATA_FIELDS))
            continue
        child = node.child(key)
        if child is not None:
            yield from unknown(child, value[key], where)
        elif not node.keeps_unknown:
            yield where


def validate_lists(node: Node, value: Json, path: str) -> list[Cause]:
    """Items that stand twice in a list that is a set, or a map by keys."""
    found: list[Cause] = []
    if isinstance(value, list) and node.items is not None:
        if node.list_type in ("set", "map"):
            found += _repeated(node, value, path)
        for index, item in enumerate(value):
            found += validate_lists(node.items, item, f"{path}[{index}]")
    elif isinstance(value, Mapping) and (node.properties or node.additional is not None):
        for key, part in value.items():
            child = node.child(key)
            if child is not None:
                where = f"{path}.{key}" if path else key
                found += validate_lists(child, part, where)
    return found


def nulls(node: Node, value: Json, path: str, live: Json = None) -> list[Cause]:
    """Nulls where the schema neither allows nor fills them.

    An applied null leaves alone what is at that place in `live`, if that has parts of its own.
    """
    found: list[Cause] = []
    if isinstance(value, list) and node.items is not None:
        for index, item in enumerate(value):
            found += nulls(node.items, item, f"{path}[{index}]")
    elif isinstance(value, Mapping):
        before = live if isinstance(live, Mapping) else {}
        for key, part in value.items():
            child = node.properties.get(key)
            if child is None:
                continue
            where = f"{path}.{key}" if path else key
            if part is not None:
                found += nulls(child, part, where, before.get(key))
            elif not _has_parts(child, before.get(key)) and _refuses_null(child):
                kind = "integer,string" if child.is_int_or_string else child.type
                found += schema_checks.wrong_type(None, where, kind, child.format)
    return found


def _refuses_null(node: Node) -> bool:
    is_typed = bool(node.type) or node.is_int_or_string
    return is_typed and not node.is_nullable and node.default is MISSING


def _has_parts(node: Node, value: Json) -> bool:
    """Whether managers own parts of `value`, not only the whole."""
    if isinstance(value, list):
        return bool(value) and node.list_type in ("set", "map")
    is_known = node.properties or node.additional is not None or node.keeps_unknown
    return isinstance(value, Mapping) and bool(value) and bool(is_known) and not node.is_atomic


def _default_mapping(node: Node, value: Mapping[str, Json], walk: Walk) -> Mapping[str, Json]:
    filled = {}
    for key, part in value.items():
        child = node.child(key)
        if child is None:
            filled[key] = part
        elif part is not None or child.is_nullable:
            filled[key] = walk(child, part)
        # A null that the schema does not allow counts as absent.
    for key, child in node.properties.items():
        if key not in filled and child.default is not MISSING:
            filled[key] = default(child, child.default)
    return value if _same_entries(filled, value) else filled


def _prune_metadata(meta: Json) -> Json:
    if not isinstance(meta, Mapping) or METADATA_FIELDS.issuperset(meta):
        return meta
    return {key: part for key, part in meta.items() if key in METADATA_FIELDS}


def _repeated(node: Node, items: list[Json], path: str) -> Iterator[Cause]:
    counts: dict[str, int] = {}
    if node.list_type == "map":
        for index, item in enumerate(items):
            if item is not None and not isinstance(item, Mapping):
                words = "must be an object for an array of list-type map"
                yield causes.invalid(f"{path}[{index}]", item, words)
                return
    for index, item in enumerate(items):
        identity = item
        if node.list_type == "map":
            identity = {key: item[key] for key in node.list_keys if key in (item or ())}
        text = causes.shown(identity)
        counts[text] = counts.get(text, 0) + 1
        if counts[text] == 2:
            yield causes.duplicate(f"{path}[{index}]", identity)


def _all_same(new: list[Json], old: list[Json]) -> bool:
    return all(one is two for one, two in zip(new, old, strict=True))


def _same_entries(new: Mapping[str, Json], old: Mapping[str, Json]) -> bool:
    return len(new) == len(old) and all(new.get(key, MISSING) is part for key, part in old.items())
