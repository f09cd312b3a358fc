"""What a rule was compiled to: its expression, with the type and the overloads of every part.

The library serialises it as `cel.expr.CheckedExpr`; here are the parts of that which are read.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field: Final = descriptor_pb2.FieldDescriptorProto
_PACKAGE: Final = "cel.expr"
_SCALARS: Final = {
    "int": _Field.TYPE_INT64, "uint": _Field.TYPE_UINT64, "bool": _Field.TYPE_BOOL,
    "double": _Field.TYPE_DOUBLE, "string": _Field.TYPE_STRING, "bytes": _Field.TYPE_BYTES,
}  # fmt: skip
# Of each message: number, name and type of its fields; a star marks what repeats.
_MESSAGES: Final[Mapping[str, tuple[tuple[int, str, str], ...]]] = {
    "Packed": ((2, "value", "bytes"),),
    "Checked": (
        (2, "references", "*ReferenceOf"), (3, "types", "*TypeOf"), (4, "expr", "Expr"),
        (5, "source", "Source"),
    ),
    "Source": ((4, "positions", "*PositionOf"),),
    "PositionOf": ((1, "id", "int"), (2, "value", "int")),
    "ReferenceOf": ((1, "id", "int"), (2, "value", "Reference")),
    "Reference": ((1, "name", "string"), (3, "overloads", "*string")),
    "TypeOf": ((1, "id", "int"), (2, "value", "Type")),
    "Type": (
        (3, "primitive", "int"), (5, "well_known", "int"), (6, "list", "ListType"),
        (7, "map", "MapType"), (9, "message", "string"), (10, "parameter", "string"),
        (14, "abstract", "AbstractType"),
    ),
    "ListType": ((1, "element", "Type"),),
    "MapType": ((1, "key", "Type"), (2, "value", "Type")),
    "AbstractType": ((1, "name", "string"), (2, "parameters", "*Type")),
    "Expr": (
        (2, "id", "int"), (3, "const", "Constant"), (4, "ident", "Ident"), (5, "select", "Select"),
        (6, "call", "Call"), (7, "list", "CreateList"), (8, "struct", "CreateStruct"),
        (9, "comprehension", "Comprehension"),
    ),
    "Constant": (
        (2, "bool", "bool"), (3, "int", "int"), (4, "uint", "uint"), (5, "double", "double"),
        (6, "string", "string"), (7, "bytes", "bytes"),
    ),
    "Ident": ((1, "name", "string"),),
    "Select": ((1, "operand", "Expr"), (2, "field", "string"), (3, "test_only", "bool")),
    "Call": ((1, "target", "Expr"), (2, "function", "string"), (3, "args", "*Expr")),
    "CreateList": ((1, "elements", "*Expr"),),
    "CreateStruct": ((1, "name", "string"), (2, "entries", "*Entry")),
    "Entry": ((3, "map_key", "Expr"), (4, "value", "Expr")),
    "Comprehension": (
        (1, "iter_var", "string"), (2, "iter_range", "Expr"), (3, "accu_var", "string"),
        (4, "accu_init", "Expr"), (5, "loop_condition", "Expr"), (6, "loop_step", "Expr"),
        (7, "result", "Expr"), (8, "iter_var2", "string"),
    ),
}  # fmt: skip


class Checked(NamedTuple):
    """A compiled rule: its expression, and what is known of each part by the part's id."""

    expr: Any
    types: Mapping[int, Any]
    overloads: Mapping[int, tuple[str, ...]]
    positions: Mapping[int, int]


def read(serialised: bytes) -> Checked:
    """What the library's serialised expression says."""
    packed, checked = _class("Packed")(), _class("Checked")()
    packed.ParseFromString(serialised)
    checked.ParseFromString(packed.value)
    return Checked(
        checked.expr,
        {one.id: one.value for one in checked.types},
        {one.id: tuple(one.value.overloads) for one in checked.references},
        {one.id: one.value for one in checked.source.positions},
    )


def rewritten(serialised: bytes, followed: Mapping[str, str], renamed: Mapping[str, str]) -> bytes:
    """A serialised expression with other functions: after those `followed`, for those `renamed`."""
    packed, checked = _class("Packed")(), _class("Checked")()
    packed.ParseFromString(serialised)
    checked.ParseFromString(packed.value)
    fresh = itertools.count(max((one.id for one in checked.types), default=0) + 1)
    _rewrite(checked.expr, followed, renamed, fresh)
    packed.value = checked.SerializeToString()
    return bytes(packed.SerializeToString())


def _rewrite(
    expr: Any, followed: Mapping[str, str], renamed: Mapping[str, str], fresh: Iterator[int]
) -> None:
    for part in parts(expr):
        _rewrite(part, followed, renamed, fresh)
    called = expr.call.function if expr.HasField("call") else ""
    if called in renamed:
        expr.id, expr.call.function = next(fresh), renamed[called]
    name = followed.get(called)
    if name is not None:
        inner = type(expr)()
        inner.CopyFrom(expr)
        expr.Clear()
        expr.id = next(fresh)
        expr.call.function = name
        expr.call.args.add().CopyFrom(inner)


def parts(expr: Any) -> Iterator[Any]:
    """The expressions directly within `expr`."""
    for field, value in expr.ListFields():
        if field.name != "id":
            yield from _expressions(value)


def _expressions(value: Any) -> Iterator[Any]:
    for field, part in value.ListFields():
        if field.message_type is None:
            continue
        for one in part if isinstance(part, Sequence) else [part]:
            if field.message_type.name == "Expr":
                yield one
            else:
                yield from _expressions(one)


@functools.cache
def _class(name: str) -> Any:
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{_PACKAGE}.{name}"))


@functools.cache
def _pool() -> Any:
    # With presence: which of a part's fields is set says what sort of part it is.
    file = descriptor_pb2.FileDescriptorProto(
        name="checked.proto", package=_PACKAGE, syntax="proto2"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, label, kind in fields:
            _add(message, number, label, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool


def _add(message: Any, number: int, name: str, kind: str) -> None:
    field = message.field.add(name=name, number=number, label=_Field.LABEL_OPTIONAL)
    if kind.startswith("*"):
        kind, field.label = kind[1:], _Field.LABEL_REPEATED
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
