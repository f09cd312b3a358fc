"""What a rule may see of a schema: field names as CEL can write them, and their types.

The types are protobuf messages made at run time, because those are what CEL's checker knows. They
serve checking only: values are handed over as maps, in which absent fields are absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cel_expr_python import cel
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    struct_pb2,
    timestamp_pb2,
)

Schema = Mapping[str, Any]
OWN: Final = (
    "kubernetes.Quantity", "kubernetes.URL", "kubernetes.Semver", "net.IP", "net.CIDR",
    "kubernetes.NamedFormat",
)  # fmt: skip
"""The types of Kubernetes' own."""
_Field = descriptor_pb2.FieldDescriptorProto
PACKAGE: Final = "selfType"
_WORDS: Final = frozenset(
    [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
_MARKS: Final = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_META: Final[Schema] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}},
}
_IDENTITY: Final[Mapping[str, Schema]] = {
    "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": _META,
}  # fmt: skip
_SCALARS: Final = {
    "string": (_Field.TYPE_STRING, cel.Type.STRING),
    "integer": (_Field.TYPE_INT64, cel.Type.INT),
    "number": (_Field.TYPE_DOUBLE, cel.Type.DOUBLE),
    "boolean": (_Field.TYPE_BOOL, cel.Type.BOOL),
    "byte": (_Field.TYPE_BYTES, cel.Type.BYTES),
}
_TIMES: Final = {
    "timestamp": (".google.protobuf.Timestamp", cel.Type.TIMESTAMP),
    "duration": (".google.protobuf.Duration", cel.Type.DURATION),
}
_DYNAMIC: Final = ".google.protobuf.Value"
_FORMATS: Final = {
    "byte": "byte", "date": "timestamp", "date-time": "timestamp", "datetime": "timestamp",
    "duration": "duration",
}  # fmt: skip


def escaped(name: str) -> str | None:
    """The identifier by which a rule names a property; None if there is none."""
    if name in _WORDS:
        return f"__{name}__"
    if not re.fullmatch(r"[A-Za-z_./-][A-Za-z0-9_./-]*", name):
        return None
    return re.sub(r"__|[./-]", lambda found: _MARKS[found.group()], name)


def with_identity(schema: Schema) -> Schema:
    """`schema` as a rule sees a whole Kubernetes object: with its kind and its name."""
    return {**schema, "properties": {**(schema.get("properties") or {}), **_IDENTITY}}


def form_of(schema: Schema) -> str:
    """What a value of `schema` is to a rule; empty if rules cannot see it.

    One of object, map, list, any, timestamp, duration, or a name of `_SCALARS`.
    """
    if schema.get("x-kubernetes-int-or-string"):
        return "any"
    kind = str(schema.get("type") or "")
    if kind == "array":
        return "list" if schema.get("items") else ""
    if kind == "string":
        return _FORMATS.get(schema.get("format") or "", "string")
    if kind != "object":
        return kind
    return "map" if isinstance(schema.get("additionalProperties"), Mapping) else "object"


def visible(schema: Schema) -> Iterator[tuple[str, str, Schema]]:
    """The properties of an object that rules can name: the name, the identifier, the schema."""
    if schema.get("x-kubernetes-embedded-resource"):
        schema = with_identity(schema)
    for name, part in (schema.get("properties") or {}).items():
        identifier = escaped(name)
        if identifier is not None and form_of(part):
            yield name, identifier, part


def _entry_name(field: str) -> str:
    """The only name that protobuf lets the entries of a map have."""
    words = re.sub(r"_+([^_]?)", lambda found: found.group(1).upper(), f"_{field}")
    return f"{words}Entry"


class Types:
    """The types of one schema and of everything in it."""

    def __init__(self) -> None:
        self._file = descriptor_pb2.FileDescriptorProto(
            name="self.proto", package=PACKAGE, syntax="proto2"
        )
        self.pool = descriptor_pool.DescriptorPool()
        for module in (struct_pb2, timestamp_pb2, duration_pb2):
            self.pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
            self._file.dependency.append(module.DESCRIPTOR.name)
        # Messages, because the library does not tell its abstract types apart.
        for number, name in enumerate(OWN):
            package, _, short = name.rpartition(".")
            file = descriptor_pb2.FileDescriptorProto(name=f"own{number}.proto", package=package)
            file.message_type.add(name=short)
            self.pool.AddSerializedFile(file.SerializeToString())

    def add(self, schema: Schema) -> Any:
        """The CEL type of `schema`; usable once `close` was called."""
        form = form_of(schema)
        if form == "object":
            return cel.Type(f"{PACKAGE}.{self._message(schema)}")
        if form == "map":
            return cel.Type.Map(cel.Type.STRING, self.add(schema["additionalProperties"]))
        if form == "list":
            return cel.Type.List(self.add(schema["items"]))
        if form in _TIMES:
            return _TIMES[form][1]
        return _SCALARS[form][1] if form in _SCALARS else cel.Type.DYN

    def close(self) -> None:
        """Hand the types over to the pool."""
        self.pool.AddSerializedFile(self._file.SerializeToString())

    def _message(self, schema: Schema) -> str:
        name = f"T{len(self._file.message_type)}"
        message = self._file.message_type.add(name=name)
        for number, (_, identifier, part) in enumerate(visible(schema), 1):
            # The schema's own words for a name: protobuf would find some of them equal in JSON.
            field = message.field.add(name=identifier, number=number, json_name=f"{number}")
            field.label = _Field.LABEL_OPTIONAL
            self._describe(message, field, part)
        return name

    def _describe(self, message: Any, field: Any, schema: Schema) -> None:
        form = form_of(schema)
        if form == "list" and form_of(schema["items"]) not in ("list", "map"):
            field.label = _Field.LABEL_REPEATED
            self._describe_one(field, schema["items"])
        elif form == "map" and form_of(schema["additionalProperties"]) not in ("list", "map"):
            self._describe_map(message, field, schema["additionalProperties"])
        else:
            self._describe_one(field, schema)

    def _describe_map(self, message: Any, field: Any, values: Schema) -> None:
        name = _entry_name(field.name)
        if any(one.name == name for one in message.nested_type):
            # Two names that are one to protobuf.
            field.type, field.type_name = _Field.TYPE_MESSAGE, _DYNAMIC
            return
        entry = message.nested_type.add(name=name)
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, type=_Field.TYPE_STRING, label=_Field.LABEL_OPTIONAL)
        value = entry.field.add(name="value", number=2, label=_Field.LABEL_OPTIONAL)
        self._describe_one(value, values)
        field.label, field.type = _Field.LABEL_REPEATED, _Field.TYPE_MESSAGE
        field.type_name = f".{PACKAGE}.{message.name}.{name}"

    def _describe_one(self, field: Any, schema: Schema) -> None:
        form = form_of(schema)
        if form in _SCALARS:
            field.type = _SCALARS[form][0]
            return
        field.type = _Field.TYPE_MESSAGE
        if form == "object":
            field.type_name = f".{PACKAGE}.{self._message(schema)}"
        else:
            field.type_name = _TIMES[form][0] if form in _TIMES else _DYNAMIC
