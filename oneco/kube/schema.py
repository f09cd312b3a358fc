"""Structural schemas of custom resources: validating, defaulting, pruning.

What a CRD's `openAPIV3Schema` says, with a kube-apiserver's words for what is wrong. Rules in CEL
are asked last; what they need is imported when the first object is held against one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

from oneco.kube import causes, schema_values
from oneco.kube.errors import Cause
from oneco.kube.objects import Json, Object
from oneco.kube.remembered import Remembered
from oneco.kube.schema_nodes import MISSING, Node, node_of
from oneco.kube.schema_quick import Accept, acceptor


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """One version of a custom resource, ready for use."""

    root: Node
    ruled: Mapping[str, Any] | None
    """The schema as it was written, if it has rules in CEL."""

    def validate(
        self, obj: Object, old: Object | None = None, known: Sequence[Cause] = ()
    ) -> list[Cause]:
        """What an API server refuses about `obj`, of which `known` is known already.

        What already stood in `old` and did not change is accepted however wrong it is, so that a
        stricter schema does not block the repair of something else.
        """
        # A part that is sound by itself counts as one that stood there before.
        sound = {key: part for key, part in obj.items() if self._is_sound(key, part)}
        before = sound if old is None else {**old, **sound}
        rest = {key: part for key, part in obj.items() if key not in sound}
        found = [*known, *self.root.validate(obj, "", before or MISSING)]
        found += schema_values.validate_lists(self.root, rest, "")
        return found if self.ruled is None else found + self._breaches(obj, old, found)

    def validate_status(self, obj: Object, old: Object, known: Sequence[Cause] = ()) -> list[Cause]:
        """What an API server refuses about `obj`, of which only the status was written.

        It looks at the status alone, so its words do not name it.
        """
        node = self.root.child("status")
        found = [*known]
        if node is not None and "status" in obj:
            status = obj["status"]
            faults = node.validate(status, "", old.get("status", MISSING))
            found += [cause._replace(field=_within_status(cause.field)) for cause in faults]
            found += schema_values.validate_lists(node, status, "status")
        return found if self.ruled is None else found + self._breaches(obj, old, found)

    def _breaches(self, obj: Object, old: Object | None, found: Sequence[Cause]) -> list[Cause]:
        """What the rules refuse; they are not asked where what they read may be missing."""
        if any(cause.reason in _BLOCKING for cause in found):
            return [causes.invalid("<nil>", None, _UNASKED)]
        from oneco.kube.rules import evaluation

        place = _places.ask(evaluation.root_of, self.ruled)
        return [] if place is None else list(evaluation.breaches(place, obj, old))

    def _is_sound(self, key: str, part: Json) -> bool:
        node = self.root.child(key)
        return node is not None and _is_whole(node, part)

    def default(self, obj: Object) -> Object:
        """`obj` with the schema's defaults where nothing stands; itself if nothing was missing."""
        filled = schema_values.default(self.root, obj, inner=_default)
        assert isinstance(filled, Mapping), "the root of a schema is an object"
        return filled

    def nulls(self, applied: Object, live: Object | None = None) -> list[Cause]:
        """The nulls that applying `applied` leaves and that the schema neither allows nor fills."""
        return schema_values.nulls(self.root, applied, "", live)

    def status_nulls(self, applied: Object, live: Object) -> list[Cause]:
        """The same where only the status is written; one that is not there may be null."""
        node = self.root.child("status")
        status = applied.get("status")
        if node is None or status is None:
            return []
        found = schema_values.nulls(node, status, "", live.get("status"))
        return [cause._replace(field=_within_status(cause.field)) for cause in found]

    def prune(self, obj: Object) -> Object:
        """`obj` without fields that the schema does not know; itself if it knows all."""
        pruned = schema_values.prune(self.root, obj, is_root=True, inner=_prune)
        assert isinstance(pruned, Mapping), "the root of a schema is an object"
        return pruned

    def unknown_fields(self, obj: Object) -> list[str]:
        """What `prune` would drop, as strict decoding says it: `unknown field "spec.foo"`."""
        paths = schema_values.unknown(self.root, obj, "", is_root=True)
        return [f'unknown field "{path}"' for path in paths]


def _within_status(field: str) -> str:
    return f"status.{field}" if field not in ("", "<nil>") else "status"


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
    return Schema(node_of(schema), schema if has_rules(schema) else None)


EVERYTHING: Final[Mapping[str, Any]] = {
    "type": "object",
    "x-kubernetes-preserve-unknown-fields": True,
}
"""The schema of a version that accepts whatever it is given."""


def has_rules(schema: Mapping[str, Any]) -> bool:
    """Whether `schema` has rules in CEL anywhere."""
    if schema.get("x-kubernetes-validations"):
        return True
    parts = [*(schema.get("properties") or {}).values()]
    parts += [schema.get("items"), schema.get("additionalProperties")]
    return any(isinstance(part, Mapping) and has_rules(part) for part in parts)


_places: Remembered[Any] = Remembered(4096)
_BLOCKING: Final = frozenset(
    {"FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid"}
)
_UNASKED: Final = (
    "some validation rules were not checked because the object was invalid; correct the existing "
    "errors to complete validation"
)
