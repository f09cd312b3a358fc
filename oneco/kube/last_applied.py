"""The annotation in which `kubectl apply` keeps what it applied, where it meets the server's apply.

A server lets kubectl, and nobody else, take over what it had applied from its own side before.
"""

from __future__ import annotations

import msgspec

from oneco.kube import fieldsets
from oneco.kube.comparison import compare
from oneco.kube.fieldsets import FieldSet, Malformed
from oneco.kube.objects import Object, dig, drop, encode, put
from oneco.kube.types import Type

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
KUBECTL = "kubectl"
_PATH = ("metadata", "annotations", ANNOTATION)


def still_shown(live: Object, kind: Type) -> FieldSet | None:
    """The fields that were applied from the client's side and nobody changed since."""
    text = dig(live, *_PATH)
    if not text:
        return None
    try:
        last = msgspec.json.decode(text)
        if not isinstance(last, dict) or last.get("apiVersion") != live.get("apiVersion"):
            return None
        fields = fieldsets.of_value(last, kind)
    except (msgspec.DecodeError, Malformed):
        return None
    seen = compare(last, live, kind)
    return fieldsets.difference(fieldsets.difference(fields, seen.changed), seen.removed)


def renewed(obj: Object, applied: Object) -> Object:
    """`obj` with its annotation, if it has one, telling of `applied`."""
    told = dig(obj, *_PATH)
    if not told:
        return obj
    text = encode(drop(applied, _PATH)).decode() + "\n"
    return obj if told == text else put(obj, _PATH, text)
