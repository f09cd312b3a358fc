"""One quick walk that answers the usual case: nothing to refuse, to fill in or to drop.

What it does not understand, or is not sure of, it does not accept: the slow walks then decide,
and find the words for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from oneco.kube.objects import Json
from oneco.kube.schema_nodes import MISSING, Node
from oneco.kube.schema_values import METADATA_FIELDS

Accept = Callable[[Json], bool]
_SCALARS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "number": (int, float),
}


def acceptor(node: Node) -> Accept:
    """A function that says whether a value is valid, complete, and known to `node` throughout."""
    if node.all_of or node.any_of or node.one_of or node.negated is not None:
        return _never
    accept = _by_type(node)
    if node.checks:
        accept = _checked(node, accept)
    return _nullable(accept) if node.is_nullable else accept


def _by_type(node: Node) -> Accept:
    if node.is_int_or_string:
        return lambda value: type(value) is str or _is_integer(value)
    if node.type == "integer":
        return _is_integer
    if node.type in _SCALARS:
        return _scalar(_SCALARS[node.type])
    if node.type == "array":
        return _list(node)
    if node.type == "object":
        return _object(node)
    return _anything if _says_nothing(node) else _never


def _says_nothing(node: Node) -> bool:
    is_bare = not node.properties and node.additional is None and node.items is None
    return not node.type and node.keeps_unknown and is_bare and not node.is_embedded


def _scalar(types: tuple[type, ...]) -> Accept:
    # `type`, not `isinstance`: True must not pass for an integer.
    return lambda value: type(value) in types


def _list(node: Node) -> Accept:
    item = acceptor(node.items) if node.items is not None else _anything
    if node.list_type == "map":
        return lambda value: (
            type(value) is list and all(map(item, value)) and _is_unique(value, node.list_keys)
        )
    if node.list_type == "set":
        return lambda value: type(value) is list and all(map(item, value)) and len(value) < 2
    return lambda value: type(value) is list and all(map(item, value))


def _object(node: Node) -> Accept:
    known = {key: acceptor(part) for key, part in node.properties.items()}
    other = acceptor(node.additional) if node.additional is not None else None
    if other is None and node.keeps_unknown:
        other = _anything
    defaulted = (key for key, part in node.properties.items() if part.default is not MISSING)
    needed = frozenset((*node.required, *defaulted))
    if node.is_embedded:
        return _embedded(known, other, needed)

    def accept(value: Json) -> bool:
        if type(value) is not dict or not needed <= value.keys():
            return False
        for key, part in value.items():
            fits = known.get(key, other)
            if fits is None or not fits(part):
                return False
        return True

    return accept


def _embedded(known: Mapping[str, Accept], other: Accept | None, needed: frozenset[str]) -> Accept:
    whole = needed | {"apiVersion", "kind"}
    own: dict[str, Accept] = {"apiVersion": _is_text, "kind": _is_text, "metadata": _is_metadata}
    every = {**known, **own}

    def accept(value: Json) -> bool:
        if type(value) is not dict or not whole <= value.keys():
            return False
        return all((fits := every.get(key, other)) and fits(part) for key, part in value.items())

    return accept


def _checked(node: Node, accept: Accept) -> Accept:
    checks: tuple[Callable[[Json, str], Any], ...] = tuple(node.checks)
    return lambda value: accept(value) and not any(check(value, "") for check in checks)


def _nullable(accept: Accept) -> Accept:
    return lambda value: value is None or accept(value)


def _is_unique(items: list[Json], keys: tuple[str, ...]) -> bool:
    if len(items) < 2:
        return True
    try:
        return len({tuple([item[key] for key in keys]) for item in items}) == len(items)
    except (KeyError, TypeError):
        return False


def _is_integer(value: Json) -> bool:
    # What needs more than 64 bits is no integer to an API server.
    return type(value) is int and -(2**63) <= value < 2**63


def _is_text(value: Json) -> bool:
    return type(value) is str


def _is_metadata(value: Json) -> bool:
    return type(value) is dict and value.keys() <= METADATA_FIELDS


def _anything(value: Json) -> bool:
    return value is not None


def _never(value: Json) -> bool:
    return False
