"""What one call costs at most, and how large what it gives can be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from oneco.kube.rules.bounds import ANY_SIZE, UNBOUNDED, Call, Part, Size, plus, scaled, times

TRAVERSAL: Final = 0.1
"""Of one letter, where a text is read once."""
_REGEX: Final = 0.25
_LONGEST_FORMAT: Final = 128
_OWN_PREFIX: Final = ("kubernetes.", "net.")
_ALLOCATION: Final = 11
"""Of a call that makes a list."""


class Cost(NamedTuple):
    """The most that a call costs, with its arguments, and the size of what it gives."""

    cost: int
    size: Size | None = None


def of(call: Call) -> Cost:
    """The cost of `call`."""
    arguments = plus(*call.arg_costs)
    for ways, name in (
        (_BY_OVERLOAD, call.overload), (_BY_NAME, call.function), (_STANDARD, call.overload),
    ):  # fmt: skip
        way = ways.get(name)
        found = way(call) if way is not None else None
        if found is not None:
            return Cost(plus(found.cost, arguments), found.size)
    if call.overload in ("logical_and", "logical_or"):
        return Cost(arguments)
    if call.overload == "conditional":
        asked, one, other = call.arg_costs
        return Cost(plus(asked, max(one, other)), call.args[1].size.either(call.args[2].size))
    return Cost(plus(1, arguments))


Way = Callable[[Call], Cost | None]


def _one(call: Call) -> Cost | None:
    return Cost(1)


def _first(call: Call) -> Part | None:
    return call.args[0] if call.args else None


def _read_argument(factor: float) -> Way:
    def way(call: Call) -> Cost | None:
        first = _first(call)
        return None if first is None else Cost(scaled(first.size.most, factor))

    return way


def _url(call: Call) -> Cost | None:
    first = _first(call)
    return None if first is None else Cost(scaled(first.size.most, TRAVERSAL), first.size)


def _read_target(call: Call) -> Cost | None:
    target = call.target
    return None if target is None else Cost(scaled(target.size.most, TRAVERSAL), target.size)


def _compared(call: Call) -> Cost | None:
    """Each element is compared once; the target of indexOf may be a text."""
    target = call.target
    if target is None:
        return None
    if not target.is_list:
        return Cost(scaled(target.size.most, TRAVERSAL))
    each = 1
    if target.element_kind in ("string", "bytes"):
        each = plus(1, scaled(target.element_size.most, TRAVERSAL))
    return Cost(times(target.size.most, each))


def _replaced(call: Call) -> Cost | None:
    if call.target is None or len(call.args) < 2:
        return None
    text, old, new = call.target.size, call.args[0].size, call.args[1].size
    most, kept_most = _most_replaced(text, old, new)
    least, kept_least = _least_replaced(text, old, new)
    size = Size(least, most).times(new).plus(Size(kept_least, kept_most))
    return Cost(scaled(text.most, 2 * TRAVERSAL), size)


def _most_replaced(text: Size, old: Size, new: Size) -> tuple[int, int]:
    if old.least == 0:
        return plus(text.most, 1), text.most
    if new.most <= old.least:
        return 0, text.most
    return math.ceil(text.most / old.least), 0


def _least_replaced(text: Size, old: Size, new: Size) -> tuple[int, int]:
    if old.most == 0:
        return plus(text.least, 1), text.least
    if old.most <= new.least:
        return 0, text.least
    return math.ceil(text.least / old.most), 0


def _split(call: Call) -> Cost | None:
    if call.target is None:
        return None
    most = call.target.size.most
    if len(call.args) > 1:
        most = _number(call.args[1], most)
    return Cost(scaled(call.target.size.most, 2 * TRAVERSAL), Size(0, most))


def _joined(call: Call) -> Cost | None:
    target = call.target
    if target is None:
        return None
    count, size = target.size, Size(0, 0)
    if target.is_list:
        size = count.times(target.element_size)
    if call.args:
        between = Size(max(count.least - 1, 0), max(count.most - 1, 0))
        size = size.plus(call.args[0].size.times(between))
    return Cost(scaled(size.most, TRAVERSAL), size)


def _matched(call: Call) -> Cost | None:
    if call.target is None or not call.args:
        return None
    text = scaled(plus(call.target.size.most, 1), TRAVERSAL)
    return Cost(times(text, scaled(call.args[0].size.most, _REGEX)))


def _found(call: Call) -> Cost | None:
    cost = _matched(call)
    if cost is None or call.target is None:
        return None
    return Cost(cost.cost, Size(0, call.target.size.most))


def _ip(call: Call) -> Cost | None:
    return Cost(1) if call.target is not None else _read_argument(TRAVERSAL)(call)


def _contains_network(extra: int) -> Way:
    def way(call: Call) -> Cost | None:
        first = _first(call)
        if first is None:
            return None
        # Two addresses of up to 16 bytes; a text is read first.
        read = scaled(first.size.most, TRAVERSAL) if first.kind in ("string", "dyn") else 0
        return Cost(plus(scaled(32, TRAVERSAL), extra, read))

    return way


def _validated(call: Call) -> Cost | None:
    first = _first(call)
    if first is None:
        return None
    read = scaled(first.size.most, TRAVERSAL)
    return Cost(scaled(read, _LONGEST_FORMAT * _REGEX))


def _equal(call: Call) -> Cost | None:
    left, right = call.args
    if left.message and left.message == right.message:
        if left.message == "kubernetes.NamedFormat":
            return Cost(scaled(64, TRAVERSAL))
        if left.message == "kubernetes.URL":
            most = 1 if ANY_SIZE in (left.size, right.size) else right.size.most
            return Cost(scaled(most, TRAVERSAL))
        if left.message.startswith(_OWN_PREFIX):
            return Cost(1)
    return _ordered(call)


def _ordered(call: Call) -> Cost | None:
    left, right = call.args
    return Cost(scaled(min(left.size.most, right.size.most), TRAVERSAL))


def _contained(call: Call) -> Cost | None:
    if call.target is None:
        return None
    text = scaled(call.target.size.most, TRAVERSAL)
    return Cost(times(text, scaled(call.args[0].size.most, TRAVERSAL)))


def _to_bytes(call: Call) -> Cost | None:
    size = call.args[0].size
    return Cost(scaled(size.most, TRAVERSAL), Size(size.least, times(size.most, 4)))


def _to_text(call: Call) -> Cost | None:
    size = call.args[0].size
    return Cost(scaled(size.most, TRAVERSAL), Size(size.least // 4, size.most))


def _in_list(call: Call) -> Cost | None:
    return Cost(call.args[1].size.most)


def _added(call: Call) -> Cost | None:
    size = call.args[0].size.plus(call.args[1].size)
    return Cost(1 if call.overload == "add_list" else scaled(size.most, TRAVERSAL), size)


def _sets(factor: float) -> Way:
    def way(call: Call) -> Cost | None:
        if len(call.args) != 2:
            return None
        size = call.args[0].size.times(call.args[1].size)
        return Cost(plus(1, scaled(size.most, factor)))

    return way


def _made(size: Size, factor: float) -> Cost:
    return Cost(plus(_ALLOCATION, scaled(size.most, factor)), size)


def _slice(call: Call) -> Cost | None:
    if call.target is None or len(call.args) != 2:
        return None
    start, end = _number(call.args[0], 0), _number(call.args[1], call.target.size.most)
    length = (end - start) % (UNBOUNDED + 1)
    return _made(Size(length, length), 1)


def _range(call: Call) -> Cost | None:
    count = _number(call.args[0], UNBOUNDED)
    return _made(Size(count, count), 1)


def _reverse(call: Call) -> Cost | None:
    return None if call.target is None else _made(call.target.size, 1)


def _flatten(call: Call) -> Cost | None:
    depth = _number(call.args[0], UNBOUNDED) if call.args else 1
    return None if call.target is None else _made(call.target.size, depth)


def _self_compared(part: Part | None, kind: str) -> Cost | None:
    if part is None:
        return None
    factor = 2 + (TRAVERSAL if kind in ("string", "bytes") else 0)
    return _made(part.size.times(part.size), factor)


def _distinct(call: Call) -> Cost | None:
    return _self_compared(call.target, "")


def _sorted(call: Call) -> Cost | None:
    return _self_compared(call.target, call.target.element_kind if call.target else "")


def _sorted_by(call: Call) -> Cost | None:
    first = _first(call)
    return _self_compared(first, first.element_kind if first else "")


def _number(part: Part, otherwise: int) -> int:
    const = part.expr.const if part.expr.HasField("const") else None
    if const is None or not const.HasField("int"):
        return otherwise
    return int(const.int) % (UNBOUNDED + 1)


def _named(way: Way, *names: str) -> dict[str, Way]:
    return dict.fromkeys(names, way)


_ORDERS: Final = ("less", "less_equals", "greater", "greater_equals")
_BY_OVERLOAD: Final[Mapping[str, Way]] = {
    **_named(_sets(1), "list_sets_contains_list", "list_sets_intersects_list"),
    **_named(_sets(2), "list_sets_equivalent_list"),
}
_BY_NAME: Final[Mapping[str, Way]] = {
    **_named(_compared, "isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"),
    **_named(_read_target, "lowerAscii", "upperAscii", "substring", "trim"),
    **_named(
        _read_argument(TRAVERSAL), "cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver",
        "isSemver",
    ),
    **_named(_read_argument(2 * TRAVERSAL), "ip.isCanonical"),
    **_named(
        _one, "masked", "prefixLength", "family", "isUnspecified", "isLoopback",
        "isLinkLocalMulticast", "isLinkLocalUnicast", "isGlobalUnicast", "format.named", "sign",
        "asInteger", "isInteger", "asApproximateFloat", "isGreaterThan", "isLessThan", "compareTo",
        "add", "sub", "major", "minor", "patch", "getScheme", "getHostname", "getHost", "getPort",
        "getEscapedPath", "getQuery",
    ),
    "url": _url,
    "replace": _replaced,
    "split": _split,
    "join": _joined,
    **_named(_found, "find", "findAll"),
    "ip": _ip,
    "containsIP": _contains_network(0),
    "containsCIDR": _contains_network(3),
    "validate": _validated,
    "_==_": _equal,
    "slice": _slice,
    "lists.range": _range,
    "reverse": _reverse,
    "flatten": _flatten,
    "distinct": _distinct,
    "sort": _sorted,
    "@sortByAssociatedKeys": _sorted_by,
}  # fmt: skip
_STANDARD: Final[Mapping[str, Way]] = {
    **_named(_read_argument(TRAVERSAL), "starts_with_string", "ends_with_string"),
    "matches_string": _matched,
    "contains_string": _contained,
    "string_to_bytes": _to_bytes,
    "bytes_to_string": _to_text,
    "in_list": _in_list,
    **_named(_added, "add_string", "add_bytes", "add_list"),
    **_named(_ordered, "not_equals", *(f"{one}_string" for one in _ORDERS)),
    **_named(_ordered, *(f"{one}_bytes" for one in _ORDERS)),
}
