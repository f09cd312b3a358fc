"""Writes oneco/generated/wire.py out of the Go sources of Kubernetes' API types.

    python tools/generate_wire.py DIRECTORY

DIRECTORY holds the modules `api@vX` and `apimachinery@vX` as a Go module cache keeps them,
under `k8s.io`. A field's tags say its number on the wire, its name in JSON and
when JSON leaves it out; nothing else tells all three.
"""

from __future__ import annotations

import json
import pathlib
import re
import sys
from typing import NamedTuple

TARGET = pathlib.Path(__file__).parent.parent / "oneco" / "generated" / "wire.py"
COMPACT = (",", ":")
META = "k8s.io/apimachinery/pkg/apis/meta/v1"
PACKAGES = (
    "admissionregistration/v1", "apps/v1", "authentication/v1", "authorization/v1",
    "autoscaling/v1", "autoscaling/v2", "batch/v1", "certificates/v1", "coordination/v1",
    "core/v1", "discovery/v1", "events/v1", "networking/v1", "node/v1", "policy/v1", "rbac/v1",
    "scheduling/v1", "storage/v1",
)  # fmt: skip
SPECIAL = {
    f"{META}.Time": "time",
    f"{META}.MicroTime": "micro-time",
    f"{META}.FieldsV1": "raw",
    "k8s.io/apimachinery/pkg/api/resource.Quantity": "quantity",
    "k8s.io/apimachinery/pkg/util/intstr.IntOrString": "int-or-string",
    "k8s.io/apimachinery/pkg/runtime.RawExtension": "raw",
    "k8s.io/apimachinery/pkg/types.UID": "str",
    "k8s.io/apimachinery/pkg/types.NodeName": "str",
}
SCALARS = {
    "string": "str", "bool": "bool", "int32": "int", "int64": "int", "int": "int", "byte": "int",
    "uint32": "int", "float64": "double", "uint8": "int",
}  # fmt: skip
struct_pattern = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.M | re.S)
alias_pattern = re.compile(r"^type (\w+) ([\w.\[\]*]+)$", re.M)
field_pattern = re.compile(r"^\t(?:(\w+)\s+)?([*\[\]\w.]+)\s+`([^`]*)`", re.M)
imports_pattern = re.compile(r"^import (?:\((.*?)^\))", re.M | re.S)
import_pattern = re.compile(r'^\s+(?:(\w+)\s+)?"([^"]+)"$', re.M)
tag_pattern = re.compile(r'(\w+):"([^"]*)"')


class Source(NamedTuple):
    """One Go package: its structures and named types, each with the imports of its file."""

    path: str
    structs: dict[str, tuple[str, dict[str, str]]]
    aliases: dict[str, tuple[str, dict[str, str]]]


def main() -> None:
    """Read the packages, write the table."""
    root = pathlib.Path(sys.argv[1]) / "k8s.io"
    version = max(path.name.partition("@")[2] for path in root.glob("api@*"))
    places = {f"k8s.io/api/{name}": root / f"api@{version}" / name for name in PACKAGES}
    places[META] = root / f"apimachinery@{version}" / META.removeprefix("k8s.io/apimachinery/")
    table = Table({path: read(path, place) for path, place in places.items()})
    for path, source in table.sources.items():
        for name, (body, _) in source.structs.items():
            if "TypeMeta" in body and not name.endswith("List"):
                table.add(f"{path}.{name}")
    rows = "".join(
        f"    {name!r}: {json.dumps(fields, separators=COMPACT)!r},\n"
        for name, fields in sorted(table.messages.items())
    )
    TARGET.write_text(
        '"""DO NOT EDIT. How Kubernetes\' kinds are laid out as protobuf, by their Go sources.\n\n'
        f"{version}, read by: python tools/generate_wire.py DIRECTORY\n\n"
        "A field is its number, its name in JSON (empty: its fields are those of the message\n"
        "itself), its type, and 1 if JSON leaves out the zero. Types: `[]` a list,"
        " `{}` a map from\n"
        '`str`, `#` another message, `@` a list in a message of its own.\n"""\n\n'
        f"MESSAGES = {{\n{rows}}}\n"
    )


def read(path: str, directory: pathlib.Path) -> Source:
    """The types of one package."""
    source = Source(path, {}, {})
    for file in sorted(directory.glob("*.go")):
        if file.name.endswith(("_test.go", ".pb.go")) or file.name.startswith("zz_"):
            continue
        text = file.read_text()
        head = "".join(imports_pattern.findall(text))
        imports = {
            alias or target.rpartition("/")[2]: target
            for alias, target in import_pattern.findall(head)
        }
        for name, body in struct_pattern.findall(text):
            source.structs[name] = (body, imports)
        for name, target in alias_pattern.findall(text):
            source.aliases[name] = (target, imports)
    return source


class Table:
    """The messages found so far."""

    def __init__(self, sources: dict[str, Source]) -> None:
        self.sources = sources
        self.messages: dict[str, list[list[object]]] = {}

    def add(self, name: str) -> str:
        """Add a structure and whatever it holds; the answer is its name in the table."""
        path, _, struct = name.rpartition(".")
        short = "meta/v1" if path == META else path.removeprefix("k8s.io/api/")
        key = f"{short}.{struct}"
        if key not in self.messages:
            fields = self.messages[key] = []
            body, imports = self.sources[path].structs[struct]
            for _, go_type, tags in field_pattern.findall(body):
                fields += self.field(path, imports, go_type, dict(tag_pattern.findall(tags)))
        return key

    def field(
        self, path: str, imports: dict[str, str], go_type: str, tags: dict[str, str]
    ) -> list[list[object]]:
        """The row of one field, none for what is not on the wire."""
        if "protobuf" not in tags:
            return []
        number = int(tags["protobuf"].split(",")[1])
        name, *options = tags["json"].split(",")
        omits = bool({"omitempty", "omitzero"} & set(options)) and not go_type.startswith("*")
        return [[number, name, self.type_of(path, imports, go_type), int(omits)]]

    def type_of(self, path: str, imports: dict[str, str], go_type: str) -> str:
        """How the table writes a Go type."""
        go_type = go_type.removeprefix("*")
        if go_type == "[]byte":
            return "bytes"
        if go_type.startswith("[]"):
            return "[]" + self.type_of(path, imports, go_type[2:])
        if go_type.startswith("map["):
            return "{}" + self.type_of(path, imports, go_type.partition("]")[2])
        if go_type in SCALARS:
            return SCALARS[go_type]
        package, _, name = go_type.rpartition(".")
        target = imports[package] if package else path
        full = f"{target}.{name}"
        if full in SPECIAL:
            return SPECIAL[full]
        source = self.sources[target]
        if name in source.structs:
            return f"#{self.add(full)}"
        alias, inner = source.aliases[name]
        written = self.type_of(target, inner, alias)
        # A named list is a message of its own, a named map or scalar is not.
        return f"@{written[2:]}" if written.startswith("[]") else written


if __name__ == "__main__":
    main()
