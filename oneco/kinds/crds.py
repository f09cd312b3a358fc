"""The custom resource definitions of all our kinds, generated from their structs.

`python -m oneco.kinds.crds` writes them to deploy/crds; with `--check` it only compares.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from oneco.kinds import catalogue, schemas
from oneco.kinds.catalogue import Column, CustomKind
from oneco.kube.documents import write
from oneco.kube.objects import Object, name

FOLDER: Final = Path(__file__).parents[2] / "deploy" / "crds"
_HEADER: Final = (
    "# DO NOT EDIT: written by python -m oneco.kinds.crds from the structs in oneco/kinds.\n"
)
_SCALE: Final = {
    "scale": {
        "labelSelectorPath": ".status.labelSelector",
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
    }
}


@functools.cache
def all() -> tuple[Object, ...]:
    """Every CRD that the product needs, ours and the compatible ones, ordered by name."""
    return tuple(sorted(map(definition, catalogue.KINDS), key=name))


@functools.cache
def kruise() -> tuple[Object, ...]:
    """The CRDs of OpenKruise's kinds, for clusters of this process alone."""
    return tuple(sorted(map(definition, catalogue.KRUISE), key=name))


def definition(kind: CustomKind) -> Object:
    """The CRD of one kind."""
    resource = kind.resource
    version = _version(kind)
    older = ({**version, "name": one, "storage": False} for one in kind.older_versions)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{resource.plural}.{resource.group}",
            "labels": {"app.kubernetes.io/managed-by": "oneco"},
        },
        "spec": {
            "group": resource.group,
            "names": _names(kind),
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "versions": [version, *older],
        },
    }


def _version(kind: CustomKind) -> dict[str, Any]:
    version: dict[str, Any] = {
        "name": kind.resource.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _schema(kind)},
    }
    if kind.columns:
        version["additionalPrinterColumns"] = [_column(column) for column in kind.columns]
    if kind.has_status:
        version["subresources"] = {"status": {}, **(_SCALE if kind.is_scaled else {})}
    return version


def _names(kind: CustomKind) -> Object:
    names: dict[str, Any] = {
        "kind": kind.kind,
        "listKind": f"{kind.kind}List",
        "plural": kind.resource.plural,
        "singular": kind.kind.lower(),
    }
    if kind.short_names:
        names["shortNames"] = list(kind.short_names)
    if kind.categories:
        names["categories"] = list(kind.categories)
    return names


def _schema(kind: CustomKind) -> schemas.Schema:
    properties: dict[str, Any] = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
    }
    for field, part in kind.parts.items():
        properties[field] = schemas.structural(part, is_open=field in kind.open_parts)
    schema = {"type": "object", "description": kind.description, "properties": properties}
    return {**schema, "required": list(kind.required)} if kind.required else schema


def _column(column: Column) -> Object:
    shown = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return {**shown, "priority": column.priority} if column.priority else shown


@dataclasses.dataclass(frozen=True, slots=True)
class _File:
    path: Path
    text: str

    @property
    def is_current(self) -> bool:
        return self.path.exists() and self.path.read_text(encoding="utf-8") == self.text


def _files() -> Iterator[_File]:
    for one in all():
        plural, _, group = name(one).partition(".")
        yield _File(FOLDER / f"{group}_{plural}.yaml", _HEADER + write(one))


def main(arguments: Sequence[str]) -> int:
    """Write deploy/crds, or with `--check` say what differs there; 1 if anything does."""
    files = list(_files())
    strange = sorted(set(FOLDER.glob("*.yaml")) - {file.path for file in files})
    old = [file for file in files if not file.is_current]
    if "--check" in arguments:
        for path in [*(file.path for file in old), *strange]:
            sys.stdout.write(f"{path} is not what oneco/kinds says\n")
        return 1 if old or strange else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file in old:
        file.path.write_text(file.text, encoding="utf-8")
    for path in strange:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
