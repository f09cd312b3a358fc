"""Reading JSON as typed values, with every mistake named by its path.

A fitting value costs one conversion; only for one that does not fit is it walked again to find
all that is wrong.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from oneco.delivery.mistakes import Mistakes, joined, one_of
from oneco.errors import Refused
from oneco.kube.objects import Json

ValueT = TypeVar("ValueT")
_Info = inspect.Type
_plain_key = re.compile(r"[A-Za-z_][\w-]*")


def read(kind: type[ValueT], value: Json, where: str = "") -> ValueT:
    """`value` as a `kind`; Mistakes name everything below `where` that does not fit.

    Fields that the kind does not have are mistakes too; null counts as not given.
    """
    try:
        part = msgspec.convert({} if value is None else value, kind, strict=True)
    except msgspec.ValidationError as error:
        found = tuple(_walk(_info(kind), {} if value is None else value, where))
        raise Mistakes(found or (Refused(where, wanted=str(error)),)) from error
    unknown = () if _forbids(kind) else tuple(_unknown(_info(kind), value or {}, where))
    if unknown:
        raise Mistakes(unknown)
    return part


def _info(kind: object) -> _Info:
    return _infos(kind)


@functools.cache
def _infos(kind: Any) -> _Info:
    return inspect.type_info(kind)


def _forbids(kind: type) -> bool:
    """Whether the conversion itself finds unknown fields."""
    config = getattr(kind, "__struct_config__", None)
    return config is None or bool(config.forbid_unknown_fields)


def _walk(info: _Info, value: Json, path: str) -> Iterator[Refused]:
    """The mistakes of `value` as an `info`."""
    info = _bare(info)
    if isinstance(info, inspect.UnionType):
        yield from _walk_union(info, value, path)
    elif isinstance(info, inspect.StructType) and isinstance(value, Mapping):
        yield from _walk_struct(info, value, path)
    elif isinstance(info, inspect.DictType) and isinstance(value, Mapping):
        for key, part in value.items():
            yield from _walk(info.value_type, part, _at(path, str(key)))
    elif _is_list(info) and isinstance(value, list | tuple):
        for position, part in enumerate(value):
            yield from _walk(_item(info), part, f"{path}[{position}]")
    elif not _fits(info, value):
        yield Refused(path, found="null" if value is None else value, wanted=_wanted(info, value))


def _walk_union(info: inspect.UnionType, value: Json, path: str) -> Iterator[Refused]:
    for kind in info.types:
        if not any(True for _ in _walk(kind, value, path)):
            return
    deep = [kind for kind in info.types if _descends(kind, value)]
    if deep:
        yield from _walk(deep[0], value, path)
    else:
        yield Refused(path, found="null" if value is None else value, wanted=_wanted(info, value))


def _descends(info: _Info, value: Json) -> bool:
    """Whether a mistake can be named inside `value` rather than of it."""
    info = _bare(info)
    if isinstance(info, inspect.StructType | inspect.DictType):
        return isinstance(value, Mapping)
    return _is_list(info) and isinstance(value, list | tuple)


def _walk_struct(
    info: inspect.StructType, value: Mapping[str, Json], path: str
) -> Iterator[Refused]:
    fields = {field.encode_name: field for field in info.fields}
    for name, field in fields.items():
        if name in value:
            yield from _walk(field.type, value[name], _at(path, name))
        elif field.required:
            wanted = f"{_wanted(field.type)}; it is required"
            yield Refused(_at(path, name), found="nothing", wanted=wanted)
    for name in value:
        if name not in fields:
            yield Refused(_at(path, name), found=name, wanted=_known(fields, name))


def _unknown(info: _Info, value: Json, path: str) -> Iterator[Refused]:
    """Fields inside `value`, which fits otherwise, that no struct has."""
    info = _bare(info)
    if isinstance(info, inspect.UnionType):
        for kind in info.types:
            if _descends(kind, value):
                yield from _unknown(kind, value, path)
    elif isinstance(info, inspect.StructType):
        yield from _unknown_in_struct(info, value, path)
    elif _is_list(info):
        for position, part in enumerate(value):
            yield from _unknown(_item(info), part, f"{path}[{position}]")


def _unknown_in_struct(
    info: inspect.StructType, value: Mapping[str, Json], path: str
) -> Iterator[Refused]:
    fields = {field.encode_name: field for field in info.fields}
    for name, part in value.items():
        if name not in fields:
            yield Refused(_at(path, name), found=name, wanted=_known(fields, name))
        elif part is not None:
            yield from _unknown(fields[name].type, part, _at(path, name))


def _known(fields: Mapping[str, object], name: str) -> str:
    return "a field that exists: " + one_of(fields, name)


def _bare(info: _Info) -> _Info:
    """The type without the description that it carries."""
    return info.type if isinstance(info, inspect.Metadata) else info


def _is_list(info: _Info) -> bool:
    return isinstance(info, inspect.ListType | inspect.VarTupleType)


def _item(info: _Info) -> _Info:
    assert isinstance(info, inspect.ListType | inspect.VarTupleType)
    return info.item_type


def _fits(info: _Info, value: Json) -> bool:
    """Whether a value without parts is of the type."""
    if isinstance(info, inspect.LiteralType):
        return value in info.values
    if isinstance(info, inspect.BoolType):
        return isinstance(value, bool)
    if isinstance(info, inspect.StrType):
        return isinstance(value, str) and (
            info.pattern is None or re.search(info.pattern, value) is not None
        )
    if isinstance(info, inspect.IntType | inspect.FloatType):
        return _fits_number(info, value)
    if isinstance(info, inspect.NoneType):
        return value is None
    return isinstance(info, inspect.AnyType)


def _fits_number(info: inspect.IntType | inspect.FloatType, value: Json) -> bool:
    kinds = (int,) if isinstance(info, inspect.IntType) else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        return False
    return (info.ge is None or value >= info.ge) and (info.le is None or value <= info.le)


_WORDS: dict[type, str] = {
    inspect.BoolType: "true or false",
    inspect.FloatType: "a number",
    inspect.StructType: "a map",
    inspect.DictType: "a map",
    inspect.ListType: "a list",
    inspect.VarTupleType: "a list",
    inspect.AnyType: "a value",
}


def _wanted(info: _Info, value: Json = None) -> str:
    """What would be accepted, in words."""
    info = _bare(info)
    if isinstance(info, inspect.UnionType):
        kinds = [kind for kind in info.types if not isinstance(kind, inspect.NoneType)]
        return " or ".join(dict.fromkeys(_wanted(kind, value) for kind in kinds))
    if isinstance(info, inspect.LiteralType):
        return one_of((str(one) or '""' for one in info.values), value)
    if isinstance(info, inspect.StrType):
        if info.pattern is not None and isinstance(value, str):
            return f"text that matches {info.pattern}"
        is_bare = isinstance(value, bool | int | float)
        return "a string; put it in quotes" if is_bare else "a string"
    if isinstance(info, inspect.IntType):
        return _wanted_integer(info)
    return _WORDS.get(type(info), "another value")


def _wanted_integer(info: inspect.IntType) -> str:
    if info.ge is not None and info.le is not None:
        return f"an integer from {info.ge} to {info.le}"
    return "an integer" if info.ge is None else f"an integer of at least {info.ge}"


def _at(path: str, key: str) -> str:
    return joined(path, key if _plain_key.fullmatch(key) else f'["{key}"]')
