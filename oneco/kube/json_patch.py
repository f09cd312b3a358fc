"""JSON patch, RFC 6902, as a kube-apiserver applies it.

It is more lenient than the RFC in three places, as the server is: `replace` may create a key of a
map, a missing value counts as null for `test` and as the source of `copy`, and a negative index
counts from the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from oneco.kube.comparison import same
from oneco.kube.errors import ApiRefusal, BadRequest, Invalid
from oneco.kube.objects import Json

_LARGEST_PATCH = 10_000
_REJECTED = "the server rejected our request due to an error in our request"
_GO_NAMES = {dict: "object", list: "array", str: "string", bool: "bool", int: "number"}


def apply_json_patch(value: Json, operations: Json) -> Json:
    """`value` after all `operations`; BadRequest if they cannot be read, Invalid if one fails."""
    if operations is None:
        return value
    if not isinstance(operations, list):
        raise _undecodable(operations, "[]handlers.jsonPatchOp")
    if len(operations) > _LARGEST_PATCH:
        raise ApiRefusal(
            f"The allowed maximum operations in a JSON patch is {_LARGEST_PATCH}, "
            f"got {len(operations)}"
        )
    for operation in operations:
        if operation is not None and not isinstance(operation, dict):
            raise _undecodable(operation, "handlers.jsonPatchOp")
    for operation in operations:
        if operation is None:
            raise failed("there is no operation")
        value = _perform(value, operation)
    return value


def _undecodable(found: Json, wanted: str) -> BadRequest:
    return BadRequest(
        f"error decoding patch: json: cannot unmarshal {go_name(found)} into Go value of type "
        f"{wanted}"
    )


def go_name(value: Json) -> str:
    """What Go's decoder calls the type of a JSON value."""
    return _GO_NAMES.get(type(value), "number")


def _perform(value: Json, operation: dict[str, Json]) -> Json:
    perform = _OPERATIONS.get(operation.get("op") or "")
    if perform is None:
        raise failed(f"unexpected kind: {operation.get('op')}")
    return perform(value, operation)


def _add(value: Json, operation: dict[str, Json]) -> Json:
    return _put(value, _inner(operation, "path"), operation.get("value"), is_new=True)


def _replace(value: Json, operation: dict[str, Json]) -> Json:
    return _put(value, _path(operation, "path"), operation.get("value"), is_new=False)


def _remove(value: Json, operation: dict[str, Json]) -> Json:
    return _take(value, _path(operation, "path"))[0]


def _move(value: Json, operation: dict[str, Json]) -> Json:
    source, target = _inner(operation, "from"), _inner(operation, "path")
    rest, part = _take(value, source)
    return _put(rest, target, part, is_new=True)


def _copy(value: Json, operation: dict[str, Json]) -> Json:
    part = _get(value, _inner(operation, "from"))
    return _put(value, _inner(operation, "path"), part, is_new=True)


def _test(value: Json, operation: dict[str, Json]) -> Json:
    path = _path(operation, "path")
    if not same(_get(value, path), operation.get("value")):
        raise failed(f"testing value {operation['path']} failed")
    return value


_OPERATIONS: dict[str, Callable[[Json, dict[str, Json]], Json]] = {
    "add": _add, "replace": _replace, "remove": _remove, "move": _move, "copy": _copy,
    "test": _test,
}  # fmt: skip


def _path(operation: dict[str, Json], name: str) -> list[str]:
    pointer = operation.get(name)
    # What stands before the first slash is not looked at, as on the real server.
    if not isinstance(pointer, str) or (pointer and "/" not in pointer):
        raise failed(f"{name} is not a JSON pointer")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _inner(operation: dict[str, Json], name: str) -> list[str]:
    """A place within the document: the whole of it is none."""
    path = _path(operation, name)
    if not path:
        raise failed(f"{name} is the whole document")
    return path


def _get(value: Json, path: Sequence[str]) -> Json:
    for position, step in enumerate(path):
        if isinstance(value, dict):
            if step not in value and position < len(path) - 1:
                raise failed(f"missing path {step}")
            value = value.get(step)
        elif isinstance(value, list):
            value = value[_index(step, len(value) - 1)]
        else:
            raise failed(f"missing path {step}")
    return value


def _put(value: Json, path: Sequence[str], part: Json, *, is_new: bool) -> Json:
    if not path:
        return part
    head, rest = path[0], path[1:]
    if isinstance(value, dict):
        if rest and head not in value:
            raise failed(f"missing path {head}")
        return {**value, head: _put(value.get(head), rest, part, is_new=is_new)}
    if not isinstance(value, list):
        raise failed(f"missing path {head}")
    if rest:
        index = _index(head, len(value) - 1)
        changed = _put(value[index], rest, part, is_new=is_new)
        return [*value[:index], changed, *value[index + 1 :]]
    if is_new:
        index = len(value) if head == "-" else _index(head, len(value))
        return [*value[:index], part, *value[index:]]
    index = _index(head, len(value) - 1)
    return [*value[:index], part, *value[index + 1 :]]


def _take(value: Json, path: Sequence[str]) -> tuple[Json, Json]:
    """`value` without what stands at `path`, and that."""
    if not path:
        raise failed("the whole document cannot be removed")
    head, rest = path[0], path[1:]
    if isinstance(value, dict) and head in value:
        if not rest:
            return {key: one for key, one in value.items() if key != head}, value[head]
        inner, part = _take(value[head], rest)
        return {**value, head: inner}, part
    if isinstance(value, list):
        index = _index(head, len(value) - 1)
        if not rest:
            return [*value[:index], *value[index + 1 :]], value[index]
        inner, part = _take(value[index], rest)
        return [*value[:index], inner, *value[index + 1 :]], part
    raise failed(f"missing path {head}")


def _index(step: str, largest: int) -> int:
    digits = step.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or (len(digits) > 1 and digits[0] == "0"):
        raise failed(f"{step} is not an index")
    index = int(step)
    index = index + largest + 1 if index < 0 else index
    if not 0 <= index <= largest:
        raise failed(f"index {step} is out of bounds")
    return index


def failed(why: str) -> Invalid:
    """A patch that cannot be done. The server tells nobody why; `wanted` says it to us."""
    error = Invalid(_REJECTED)
    error.wanted = why
    return error


def shown(error: Invalid) -> Any:
    """Why a patch failed, in words."""
    return error.wanted
