"""Strategic merge patch: Kubernetes' own, which knows keyed lists and has directives.

Directives in a patch: `$patch: replace|delete|merge`, `$retainKeys`, `$setElementOrder/LIST` and
`$deleteFromPrimitiveList/LIST`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oneco.kube.comparison import same
from oneco.kube.errors import BadRequest, InternalError
from oneco.kube.objects import Json
from oneco.kube.types import ANY, Type

_DIRECTIVE = "$patch"
_RETAIN = "$retainKeys"
_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"
_GO_NAMES = {list: "array", str: "string", bool: "bool"}
_GO_TYPES = {
    dict: "map[string]interface {}", list: "[]interface {}", str: "string", bool: "bool",
    int: "int64", type(None): "%!s(<nil>)",
}  # fmt: skip


def strategic(value: Json, patch: Json, kind: Type) -> Json:
    """`value` after `patch`; parts that the patch leaves alone are shared."""
    if patch is None:
        return value
    if not isinstance(patch, dict):
        found = _GO_NAMES.get(type(patch), "number")
        raise BadRequest(
            f"json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
        )
    return _merge_map(value or {}, patch, kind)


def _merge_map(value: Mapping[str, Json], patch: Mapping[str, Json], kind: Type) -> Json:
    directive = patch.get(_DIRECTIVE)
    if directive == "replace":
        return {key: part for key, part in patch.items() if key != _DIRECTIVE}
    if directive == "delete":
        return {}
    if _DIRECTIVE in patch:
        raise InternalError(f"unknown patch type: {_shown(directive)} in map: {_shown(patch)}")
    before = value
    value = _retained(value, patch)
    changes = _ordered_lists(value, patch, kind)
    for key, part in patch.items():
        if key.startswith("$"):
            name = key.removeprefix(_DELETE)
            here = changes.get(name, value.get(name))
            if name is not key and isinstance(here, list) and isinstance(part, list):
                _refuse_mixed(here, part)
                changes[name] = [item for item in here if item not in part]
        elif part is not None and _ORDER + key not in patch:
            after = _merge_part(value.get(key), part, kind.child(key) or ANY)
            if after is not value.get(key):
                changes[key] = after
    gone = {key for key, part in patch.items() if part is None and key in value}
    if not changes and not gone:
        return value if len(value) != len(before) else before
    return {key: part for key, part in value.items() if key not in gone} | changes


def _merge_part(before: Json, part: Json, kind: Type) -> Json:
    if isinstance(part, dict) and isinstance(before, dict):
        if "replace" in kind.patch_strategies:
            return part
        return _merge_map(before, part, kind)
    if isinstance(part, list) and isinstance(before, list) and "merge" in kind.patch_strategies:
        return _merge_list(before, part, kind)
    if isinstance(part, dict):
        return _fresh(part) if _DIRECTIVE not in part else None
    if isinstance(part, list):
        return _fresh(part) if before is None or part != before else before
    return before if same(before, part) else part


def _fresh(part: Json) -> Json:
    """What a patch says about something that does not exist yet: no directives, no nulls.

    Only `$patch` counts as one here; other keys that begin so are left to be misunderstood.
    """
    if isinstance(part, dict):
        return {
            key: _fresh(inner)
            for key, inner in part.items()
            if inner is not None and not _is_directive(inner)
        }
    if isinstance(part, list):
        return [_fresh(item) for item in part if not _is_directive(item)]
    return part


def _unread(part: Json) -> Json:
    """A whole new item: directives inside it are not obeyed, only left out."""
    if isinstance(part, dict):
        return {key: _unread(inner) for key, inner in part.items() if not key.startswith("$")}
    return [_unread(item) for item in part] if isinstance(part, list) else part


def _is_directive(part: Json) -> bool:
    return isinstance(part, dict) and _DIRECTIVE in part


def _retained(value: Mapping[str, Json], patch: Mapping[str, Json]) -> Mapping[str, Json]:
    """`value` with only the keys that the patch wants to retain, if it says so."""
    keep = patch.get(_RETAIN)
    if keep is None:
        return value
    if not isinstance(keep, list) or any(
        part is not None and not key.startswith("$") and key not in keep
        for key, part in patch.items()
    ):
        raise BadRequest("invalid patch format of retainKeys")
    if all(key in keep for key in value):
        return value
    return {key: part for key, part in value.items() if key in keep}


def _ordered_lists(
    value: Mapping[str, Json], patch: Mapping[str, Json], kind: Type
) -> dict[str, Json]:
    """The lists that the patch puts in an order, merged and ordered."""
    changes: dict[str, Json] = {}
    for directive, order in patch.items():
        if not directive.startswith(_ORDER):
            continue
        key = directive.removeprefix(_ORDER)
        here, part = value.get(key), patch.get(key)
        for one in (order, *(holder[key] for holder in (value, patch) if key in holder)):
            if not isinstance(one, list):
                raise InternalError(f"expected a []interface {{}}, but received a {_go_type(one)}")
        child = kind.child(key) or ANY
        _refuse_other_order(part or (), order, child)
        if here is None and part is None:
            continue
        if not here and not part:
            raise InternalError("no elements in any of the given slices")
        merged = _merge_part(here, part, child) if part is not None else here
        after = _interleaved(merged or (), order, here or (), child)
        if after != here:
            changes[key] = after
    return changes


def _go_type(value: Json) -> str:
    return _GO_TYPES.get(type(value), "float64")


def _refuse_other_order(part: Sequence[Json], order: Sequence[Json], kind: Type) -> None:
    """Raise where the patch's items do not stand in the order it asks for."""
    items = [item for item in part if not _is_directive(item) or item[_DIRECTIVE] != "delete"]
    if not order:
        return
    here = there = 0
    while here < len(items) and there < len(order):
        if _is_directive(items[here]):
            here += 1
            continue
        here += same(_identity(items[here], kind), _identity(order[there], kind))
        there += 1
    if here < len(items):
        # A directive behind the last item counts as out of order too, as on the server.
        raise InternalError(
            f"The order in patch list:\n{_shown(part)}\n"
            f" doesn't match $setElementOrder list:\n{_shown(order)}\n"
        )


def _shown(value: Json) -> str:
    """`value` as the server's messages show it."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_shown(value[key])}' for key in sorted(value))}]"
    if isinstance(value, (list, tuple)):
        return f"[{' '.join(map(_shown, value))}]"
    return (
        "<nil>" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    )


def _refuse_mixed(*lists: Sequence[Json]) -> None:
    """Raise unless all items are of one type, which is no list."""
    types = [type(item) for one in lists for item in one]
    if types and types[0] is list:
        raise InternalError("lists of lists are not supported")
    if len(set(types)) > 1:
        raise InternalError(f"list element types are not identical: {_shown(lists)}")
    if types and types[0] is type(None):
        raise InternalError(f"list elements are null: {_shown(lists)}")


def _identity(item: Json, kind: Type) -> Json:
    """What tells an item from its neighbours."""
    key = kind.merge_key
    if not key:
        return item
    if not isinstance(item, dict):
        raise InternalError(f"expected a map with the merge key {key}")
    if key not in item:
        raise InternalError(f"map: {_shown(item)} does not contain declared merge key: {key}")
    return item[key]


def _merge_list(before: Sequence[Json], patch: Sequence[Json], kind: Type) -> Sequence[Json]:
    if not patch:
        return before
    _refuse_mixed(before, patch)
    if not isinstance((*before, *patch)[0], dict):
        merged: Sequence[Json] = list(dict.fromkeys([*before, *patch]))
        return _kept(before, _interleaved(merged, patch, before, kind))
    if not kind.merge_key:
        raise InternalError(f"cannot merge lists without merge key for {kind.name}")
    start, rest = _list_directives(before, patch, kind)
    merged = list(start)
    _places(rest, kind)
    for item in rest:
        _merge_item(merged, item, kind)
    return _kept(before, _interleaved(merged, rest, start, kind))


def _list_directives(
    before: Sequence[Json], patch: Sequence[Json], kind: Type
) -> tuple[Sequence[Json], Sequence[Json]]:
    """The list without what the patch deletes, and the patch without its directives."""
    deleted = []
    is_replaced = False
    for item in filter(_is_directive, patch):
        directive = item[_DIRECTIVE]
        if directive == "delete":
            deleted.append(_identity(item, kind))
        elif directive == "replace":
            is_replaced = True
        elif directive == "merge":
            raise InternalError("merging lists cannot yet be specified in the patch")
        else:
            raise InternalError(f"unknown patch type: {directive} in map: {_shown(item)}")
    rest = [item for item in patch if not _is_directive(item)]
    if is_replaced:
        return [_unread(item) for item in rest], ()
    return [item for item in before if item.get(kind.merge_key) not in deleted], rest


def _merge_item(merged: list[Json], item: Json, kind: Type) -> None:
    wanted = _identity(item, kind)
    for place, here in enumerate(merged):
        if same(here.get(kind.merge_key), wanted):
            merged[place] = _merge_map(here, item, kind.element or ANY)
            return
    merged.append(_unread(item))


def _interleaved(
    items: Sequence[Json], order: Sequence[Json], server: Sequence[Json], kind: Type
) -> Sequence[Json]:
    """`items` in the patch's order, those it does not name at their place among the server's."""
    wanted = _places(order, kind)
    lived = _places(server, kind)
    keys = [_identity(item, kind) for item in items]
    pairs = list(zip(keys, items, strict=True))
    named = sorted((pair for pair in pairs if pair[0] in wanted), key=lambda pair: wanted[pair[0]])
    others = [pair for pair in pairs if pair[0] not in wanted]
    others.sort(key=lambda pair: lived.get(pair[0], len(lived)))
    result = []
    left = right = 0
    while left < len(others) or right < len(named):
        if right == len(named):
            take_other = True
        elif left == len(others):
            take_other = False
        else:
            ours, theirs = lived.get(others[left][0]), lived.get(named[right][0])
            take_other = ours is not None and theirs is not None and ours < theirs
        result.append(others[left][1] if take_other else named[right][1])
        left, right = (left + 1, right) if take_other else (left, right + 1)
    return result


def _places(items: Sequence[Json], kind: Type) -> dict[Json, int]:
    """Where each identity stands first."""
    places: dict[Json, int] = {}
    for place, item in enumerate(items):
        identity = _identity(item, kind)
        if isinstance(identity, (dict, list)):
            # Here a kube-apiserver panics and hangs up.
            raise InternalError(f"no item can be told from others by {_shown(identity)}")
        places.setdefault(identity, place)
    return places


def _kept(before: Sequence[Json], after: Sequence[Json]) -> Sequence[Json]:
    """`before` itself where nothing changed, so that it stays shared."""
    unchanged = len(before) == len(after) and all(
        old is new for old, new in zip(before, after, strict=True)
    )
    return before if unchanged else after
