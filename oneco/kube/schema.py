"""Structural schemas of custom resources: validating, defaulting, pruning.

What a CRD's `openAPIV3Schema` says, with a kube-apiserver's words for what is wrong. Rules in CEL
are not evaluated here; `Schema.ignored` lists them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from oneco.kube import schema_values
from oneco.kube.errors import Cause
from oneco.kube.objects import Json, Object
from oneco.kube.remembered import Remembered
from oneco.kube.schema_nodes import MISSING, Node, node_of
from oneco.kube.schema_quick import Accept, acceptor


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """One version of a custom resource, ready for use."""

    root: Node
    ignored: tuple[str, ...]
    """Rules that are part of the schema and are not enforced, each with its path."""

    def validate(self, obj: Object, old: Object | None = None) -> list[Cause]:
        """What an API server refuses about `obj`.

        What already stood in `old` and did not change is accepted however wrong it is, so that a
        stricter schema does not block the repair of something else.
        """
        # A part that is sound by itself counts as one that stood there before.
        sound = {key: part for key, part in obj.items() if self._is_sound(key, part)}
        before = sound if old is None else {**old, **sound}
        rest = {key: part for key, part in obj.items() if key not in sound}
        found = self.root.validate(obj, "", before or MISSING)
        return found + schema_values.validate_lists(self.root, rest, "")

    def _is_sound(self, key: str, part: Json) -> bool:
        node = self.root.child(key)
        return node is not None and _is_whole(node, part)

    def default(self, obj: Object) -> Object:
        """`obj` with the schema's defaults where nothing stands; itself if nothing was missing."""
        filled = schema_values.default(self.root, obj, inner=_default)
        assert isinstance(filled, Mapping), "the root of a schema is an object"
        return filled

    def prune(self, obj: Object) -> Object:
        """`obj` without fields that the schema does not know; itself if it knows all."""
        pruned = schema_values.prune(self.root, obj, is_root=True, inner=_prune)
        assert isinstance(pruned, Mapping), "the root of a schema is an object"
        return pruned

    def unknown_fields(self, obj: Object) -> list[str]:
        """What `prune` would drop, as strict decoding says it: `unknown field "spec.foo"`."""
        paths = schema_values.unknown(self.root, obj, "", is_root=True)
        return [f'unknown field "{path}"' for path in paths]


# A release gives the same spec to many objects: each is walked once, and known again by identity.
_acceptors: Remembered[Accept] = Remembered(4096)
_accepted: Remembered[bool] = Remembered(50_000)


def _is_whole(node: Node, part: Json) -> bool:
    """Whether there is nothing to refuse, to fill in or to drop in `part`."""
    return _accepted.ask(_acceptors.ask(acceptor, node), part)


def _default(node: Node, part: Json) -> Json:
    return part if _is_whole(node, part) else schema_values.default(node, part)


def _prune(node: Node, part: Json) -> Json:
    return part if _is_whole(node, part) else schema_values.prune(node, part)


def compile(schema: Mapping[str, Any]) -> Schema:
    """The schema that a CRD version's `openAPIV3Schema` describes."""
    return Schema(node_of(schema), tuple(_rules(schema, "")))


EVERYTHING: Final[Mapping[str, Any]] = {
    "type": "object",
    "x-kubernetes-preserve-unknown-fields": True,
}
"""The schema of a version that accepts whatever it is given."""


def _rules(schema: Mapping[str, Any], path: str) -> Iterator[str]:
    for rule in schema.get("x-kubernetes-validations") or ():
        yield f"{path or '(root)'}: {rule.get('rule')}"
    for name, part in (schema.get("properties") or {}).items():
        yield from _rules(part, f"{path}.{name}" if path else name)
    for keyword, mark in (("items", "[*]"), ("additionalProperties", ".*")):
        part = schema.get(keyword)
        if isinstance(part, Mapping):
            yield from _rules(part, f"{path}{mark}")
    for keyword in ("allOf", "anyOf", "oneOf"):
        parts: Sequence[Mapping[str, Any]] = schema.get(keyword) or ()
        for part in parts:
            yield from _rules(part, path)
