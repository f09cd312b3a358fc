"""From typed parts to the structural schemas that CRDs carry."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import inspect as shapes

Schema = dict[str, Any]

ANYTHING: Final[Schema] = {"x-kubernetes-preserve-unknown-fields": True}
"""Free-form: whatever stands there is kept."""


def structural(part: Any, *, is_open: bool = False) -> Schema:
    """The schema of a struct, annotated or not; with `is_open` it keeps fields that we do not know.

    Defaults are written only where a field's `Meta` says so: a server that fills in defaults makes
    every stored object differ from what was sent. Readers fill them in instead.
    """
    return _Writer(is_open).schema(shapes.type_info(part))


class _Writer:
    """One walk over a part and its parts."""

    def __init__(self, is_open: bool) -> None:
        self._is_open = is_open
        self._inside: list[type] = []

    def schema(self, shape: shapes.Type) -> Schema:
        if isinstance(shape, shapes.Metadata):
            said = {**self.schema(shape.type), **(shape.extra_json_schema or {})}
            # None takes back what the type says.
            return {key: value for key, value in said.items() if value is not None}
        write = self._WRITERS.get(type(shape))
        assert write is not None, f"no CRD can say {shape}"
        return write(self, shape)

    def _struct(self, shape: shapes.StructType) -> Schema:
        kind = shape.cls
        # Kubernetes' schemas have no references, so a part within itself has no end.
        assert kind not in self._inside, f"{kind.__name__} is inside of itself"
        self._inside.append(kind)
        properties = {field.encode_name: self.schema(field.type) for field in shape.fields}
        self._inside.pop()
        required = sorted(field.encode_name for field in shape.fields if field.required)
        schema: Schema = {"type": "object", "description": _described(kind)}
        if properties:
            schema["properties"] = properties
        if required:
            schema["required"] = required
        return schema | (ANYTHING if self._is_open else {})

    def _dict(self, shape: shapes.DictType) -> Schema:
        if isinstance(shape.value_type, shapes.AnyType):
            return {"type": "object", **ANYTHING}
        return {"type": "object", "additionalProperties": self.schema(shape.value_type)}

    def _array(self, shape: shapes.VarTupleType | shapes.ListType) -> Schema:
        return {"type": "array", "items": self.schema(shape.item_type)}

    def _union(self, shape: shapes.UnionType) -> Schema:
        types = [one for one in shape.types if not isinstance(one, shapes.NoneType)]
        is_nullable = len(types) < len(shape.types)
        schema = self.schema(types[0]) if len(types) == 1 else _either(types)
        return {**schema, "nullable": True} if is_nullable and "type" in schema else schema

    def _literal(self, shape: shapes.LiteralType) -> Schema:
        assert all(isinstance(value, str) for value in shape.values), f"not texts: {shape.values}"
        return {"type": "string", "enum": list(shape.values)}

    def _text(self, shape: shapes.StrType) -> Schema:
        said = {
            "minLength": shape.min_length,
            "maxLength": shape.max_length,
            "pattern": shape.pattern,
        }
        return {"type": "string"} | {key: value for key, value in said.items() if value is not None}

    def _integer(self, shape: shapes.IntType) -> Schema:
        return {"type": "integer"} | _bounds(shape)

    def _number(self, shape: shapes.FloatType) -> Schema:
        return {"type": "number"} | _bounds(shape)

    def _truth(self, shape: shapes.BoolType) -> Schema:
        return {"type": "boolean"}

    def _anything(self, shape: shapes.AnyType) -> Schema:
        return dict(ANYTHING)

    _WRITERS: Final[Mapping[type, Callable[[_Writer, Any], Schema]]] = {
        shapes.StructType: _struct,
        shapes.DictType: _dict,
        shapes.VarTupleType: _array,
        shapes.ListType: _array,
        shapes.UnionType: _union,
        shapes.LiteralType: _literal,
        shapes.StrType: _text,
        shapes.IntType: _integer,
        shapes.FloatType: _number,
        shapes.BoolType: _truth,
        shapes.AnyType: _anything,
    }


def _either(types: list[shapes.Type]) -> Schema:
    if {type(one) for one in types} == {shapes.IntType, shapes.StrType}:
        return {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": True,
        }
    # A structural schema knows no other union; `parse` refuses what fits none of them.
    return dict(ANYTHING)


def _bounds(shape: shapes.IntType | shapes.FloatType) -> Schema:
    said = {"minimum": shape.ge, "maximum": shape.le}
    return {key: value for key, value in said.items() if value is not None}


def _described(kind: type) -> str:
    text = kind.__dict__.get("__doc__") or ""
    return " ".join(inspect.cleandoc(text).split("\n\n", maxsplit=1)[0].split())
