"""What a rule can cost at most, as the API server estimates it before it accepts a definition.

The unit is that of Google's CEL libraries; the ways of counting are theirs and Kubernetes'. What
cannot be bounded costs 2^64-1, and no sum or product is more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from oneco.kube.rules import call_costs
from oneco.kube.rules.bounds import ANY_SIZE, ONE, Call, Part, Size, plus, times
from oneco.kube.rules.checked import Checked
from oneco.kube.rules.sizes import Shape

_LIST_COST, _MAP_COST, _STRUCT_COST = 10, 30, 40
_HIDDEN: Final = ("__result__", "@result")
_TYPES: Final = {1: "bool", 2: "int", 3: "uint", 4: "double", 5: "string", 6: "bytes"}
_KNOWN_TYPES: Final = {2: "timestamp", 3: "duration"}
_SCALARS: Final = frozenset({"bool", "int", "uint", "double", "timestamp", "duration"})


class Entries(NamedTuple):
    """What is known of the elements of a list or a map."""

    kind: str
    key: Size
    value: Size

    def either(self, other: Entries) -> Entries:
        """The elements of one or the other."""
        return Entries(self.kind, self.key.either(other.key), self.value.either(other.value))


Path = tuple[str, ...]


class _Variable(NamedTuple):
    path: Path
    size: Size | None
    entries: Entries | None


def estimate(checked: Checked, shape: Shape | None, *, is_bound: bool = False) -> int:
    """The most that the rule can cost on values of `shape`; `is_bound` where we bound oldSelf."""
    expr = checked.expr.comprehension.result if is_bound else checked.expr
    return _Estimate(checked, shape).cost(expr)


class _Estimate:
    """The estimate of one rule: what is known of each part so far."""

    def __init__(self, checked: Checked, shape: Shape | None) -> None:
        self._checked, self._shape = checked, shape
        self._paths: dict[int, Path] = {}
        self._sizes: dict[int, Size] = {}
        self._entries: dict[int, Entries] = {}
        self._variables: dict[str, list[_Variable]] = {}

    def cost(self, expr: Any) -> int:
        """The most that evaluating `expr` costs."""
        if expr.HasField("ident"):
            self._paths[expr.id] = self._path_of_name(expr.ident.name)
            return 1
        if expr.HasField("select"):
            return self._select(expr)
        if expr.HasField("call"):
            return self._call(expr)
        if expr.HasField("list"):
            return self._list(expr)
        if expr.HasField("struct"):
            return self._struct(expr)
        if expr.HasField("comprehension"):
            return self._bind(expr) if _is_bind(expr.comprehension) else self._loop(expr)
        return 0

    def _select(self, expr: Any) -> int:
        operand = expr.select.operand
        total = self.cost(operand)
        if expr.select.test_only:
            return total
        if self._kind(operand) in ("map", "message", "parameter"):
            total = plus(total, 1)
        self._paths[expr.id] = (*self._path(operand), expr.select.field)
        return total

    def _call(self, expr: Any) -> int:
        call = expr.call
        if call.function == "dyn" and not call.HasField("target"):
            total = plus(1, self.cost(call.args[0]))
            self._copy(expr, call.args[0])
            return total
        costs = [self.cost(one) for one in call.args]
        args = [self._part(one) for one in call.args]
        overloads = self._checked.overloads.get(expr.id) or ()
        if not overloads:
            return 0
        before, target = 0, None
        if call.HasField("target"):
            before = self.cost(call.target)
            target = self._part(call.target)
        most, size = 0, None
        for overload in overloads:
            seen = call_costs.of(Call(call.function, overload, target, args, costs))
            most = max(most, seen.cost)
            if seen.size is not None:
                size = seen.size if size is None else size.either(seen.size)
            size = self._after(expr, overload, size)
        if size is not None:
            self._sizes[expr.id] = size
        return plus(before, most)

    def _after(self, expr: Any, overload: str, size: Size | None) -> Size | None:
        """The size of what a call gives, and what else follows from its overload."""
        args = expr.call.args
        if overload in ("index_list", "index_map") and args:
            held = self._entries_of(args[0])
            size = held.value if held is not None else None
            step = "@items" if overload == "index_list" else "@values"
            self._paths[expr.id] = (*self._path(args[0]), step)
        joined = args[1:] if overload == "conditional" else args
        if overload in ("conditional", "add_string", "add_bytes", "add_list"):
            both = [self._entries_of(one) for one in joined]
            if both[0] is not None and both[1] is not None:
                self._entries[expr.id] = both[0].either(both[1])
        return self._size(expr) if size is None else size

    def _list(self, expr: Any) -> int:
        elements = expr.list.elements
        total, sizes = _LIST_COST, []
        for one in elements:
            total = plus(total, self.cost(one))
            sizes.append(self._size_or_any(one))
        self._entries[expr.id] = Entries("list", ONE, _either(sizes))
        return total

    def _struct(self, expr: Any) -> int:
        if expr.struct.name:
            return plus(_STRUCT_COST, *(self.cost(one.value) for one in expr.struct.entries))
        total, keys, values = _MAP_COST, [], []
        for one in expr.struct.entries:
            total = plus(total, self.cost(one.map_key), self.cost(one.value))
            keys.append(self._size_or_any(one.map_key))
            values.append(self._size_or_any(one.value))
        self._entries[expr.id] = Entries("map", _either(keys), _either(values))
        return total

    def _bind(self, expr: Any) -> int:
        loop = expr.comprehension
        total = plus(self.cost(loop.iter_range), self.cost(loop.accu_init))
        self._push(loop.accu_var, self._variable(loop.accu_init))
        total = plus(total, self.cost(loop.result))
        self._variables[loop.accu_var].pop()
        self._copy(expr, loop.result)
        return total

    def _loop(self, expr: Any) -> int:
        loop = expr.comprehension
        total = plus(self.cost(loop.iter_range), self.cost(loop.accu_init))
        self._push(loop.accu_var, self._variable(loop.accu_init))
        names = self._push_iterated(loop)
        condition, step = self.cost(loop.loop_condition), self.cost(loop.loop_step)
        for name in names:
            self._variables[name].pop()
        total = plus(total, self.cost(loop.result))
        self._variables[loop.accu_var].pop()
        rounds = self._size_or_any(loop.iter_range)
        if loop.accu_init.HasField("const"):
            size = self._size(loop.accu_init)
            if size is not None:
                self._sizes[expr.id] = size
        elif loop.accu_init.HasField("list") or loop.accu_init.HasField("struct"):
            self._sizes[expr.id] = rounds
            made = self._entries_of(loop.loop_step)
            if made is not None:
                self._entries[expr.id] = made
        return plus(total, times(rounds.most, plus(condition, step)))

    def _push_iterated(self, loop: Any) -> tuple[str, ...]:
        """Name what a loop runs over; the names."""
        over = loop.iter_range
        held, path = self._entries_of(over), self._path(over)
        kind = held.kind if held is not None else self._kind(over)
        key = held.key if held is not None else None
        value = held.value if held is not None else None
        keys = _Variable((*path, "@indices" if kind == "list" else "@keys"), key, None)
        values = _Variable((*path, "@items" if kind == "list" else "@values"), value, None)
        if loop.iter_var2:
            self._push(loop.iter_var, keys)
            self._push(loop.iter_var2, values)
            return loop.iter_var, loop.iter_var2
        self._push(loop.iter_var, values if kind == "list" else keys)
        return (loop.iter_var,)

    def _push(self, name: str, variable: _Variable) -> None:
        self._variables.setdefault(name, []).append(variable)

    def _variable(self, expr: Any) -> _Variable:
        return _Variable(self._path(expr), self._size(expr), self._entries_of(expr))

    def _named(self, expr: Any) -> _Variable | None:
        stack = self._variables.get(expr.ident.name) if expr.HasField("ident") else None
        return stack[-1] if stack else None

    def _path_of_name(self, name: str) -> Path:
        stack = self._variables.get(name)
        return stack[-1].path if stack else (name,)

    def _path(self, expr: Any) -> Path:
        named = self._named(expr)
        return named.path if named is not None else self._paths.get(expr.id, ())

    def _kind(self, expr: Any) -> str:
        return kind_of(self._checked.types.get(expr.id))

    def _copy(self, to: Any, source: Any) -> None:
        size, held = self._size(source), self._entries_of(source)
        if size is not None:
            self._sizes[to.id] = size
        if held is not None:
            self._entries[to.id] = held

    def _size(self, expr: Any) -> Size | None:
        known = self._sizes.get(expr.id) or _written_size(expr)
        if known is not None:
            return known
        declared = self._declared(self._path(expr))
        if declared is not None:
            self._sizes[expr.id] = declared
            return declared
        if _is_scalar(self._checked.types.get(expr.id)):
            return ONE
        named = self._named(expr)
        return named.size if named is not None else None

    def _size_or_any(self, expr: Any) -> Size:
        return self._size(expr) or ANY_SIZE

    def _declared(self, path: Path) -> Size | None:
        """What the schema says of the size of what stands at `path`."""
        shape = self._shape
        if not path or path[0] in _HIDDEN:
            return None
        for step in path[1:]:
            shape = shape.below(step) if shape is not None else None
        return Size(0, shape.most) if shape is not None else None

    def _entries_of(self, expr: Any) -> Entries | None:
        found = self._entries.get(expr.id)
        if found is not None:
            return found
        named = self._named(expr)
        return named.entries if named is not None else None

    def _part(self, expr: Any) -> Part:
        type_: Any = self._checked.types.get(expr.id)
        kind = kind_of(type_)
        element = type_.list.element if kind == "list" else None
        path = self._path(expr)
        size = self._declared((*path, "@items")) if path else None
        message = type_.message if kind == "message" else ""
        known = self._size_or_any(expr)
        return Part(expr, kind, known, kind_of(element), size or ANY_SIZE, message)


def kind_of(type_: Any) -> str:
    """One word for a type: of which sort it is, or which of the types without parts."""
    if type_ is None:
        return "dyn"
    if type_.HasField("primitive"):
        return _TYPES.get(type_.primitive, "dyn")
    if type_.HasField("well_known"):
        return _KNOWN_TYPES.get(type_.well_known, "dyn")
    for name in ("list", "map", "message", "parameter", "abstract"):
        if type_.HasField(name):
            return name
    return "dyn"


def _is_scalar(type_: Any) -> bool:
    kind = kind_of(type_)
    if kind == "abstract" and type_.abstract.name == "optional_type":
        return _is_scalar(type_.abstract.parameters[0])
    return kind in _SCALARS


def _written_size(expr: Any) -> Size | None:
    """The size of what is written out in the rule."""
    if expr.HasField("const"):
        const = expr.const
        length = 1
        if const.HasField("string"):
            length = len(const.string)
        elif const.HasField("bytes"):
            length = len(const.bytes)
        return Size(length, length)
    if expr.HasField("list"):
        return Size(len(expr.list.elements), len(expr.list.elements))
    if expr.HasField("struct") and not expr.struct.name:
        return Size(len(expr.struct.entries), len(expr.struct.entries))
    return None


def _either(sizes: Sequence[Size]) -> Size:
    if not sizes:
        return Size(0, 0)
    return Size(min(one.least for one in sizes), max(one.most for one in sizes))


def _is_bind(loop: Any) -> bool:
    condition = loop.loop_condition
    is_once = condition.HasField("const") and condition.const.HasField("bool")
    is_empty = loop.iter_range.HasField("list") and not loop.iter_range.list.elements
    return is_empty and is_once and not condition.const.bool and loop.accu_var not in _HIDDEN
