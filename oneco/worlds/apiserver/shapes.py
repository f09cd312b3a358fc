"""What a served kind's objects look like: decoding, defaults and validity, of either origin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from oneco.kube import defaults, names, types
from oneco.kube.api import FieldValidation
from oneco.kube.errors import BadRequest, Cause
from oneco.kube.objects import Object
from oneco.kube.types import Type
from oneco.worlds.apiserver.core import Caller
from oneco.worlds.apiserver.customs import CustomKind
from oneco.worlds.apiserver.decoding import Mistyped, Reading
from oneco.worlds.apiserver.registry import Served


def type_of(served: Served) -> Type:
    """The type of the kind's objects as this version shows them."""
    if served.custom is not None:
        return served.custom.type
    found = types.of(served.kind)
    assert found is not None, f"the table of built-in kinds lacks {served.kind}"
    return found


def decoded(
    served: Served,
    body: Object,
    mode: FieldValidation,
    caller: Caller,
    known: Object | None = None,
) -> Object:
    """`body` as the kind is read: without fields it does not know, which `mode` may refuse.

    Parts that `body` shares with `known` were decoded before.
    """
    reading = Reading()
    try:
        if served.custom is None:
            read = reading.object(body, type_of(served), known)
        else:
            read = _custom(reading, served.custom, body, known)
    except Mistyped as fault:
        raise BadRequest(f"{_start(served)}{fault}") from None
    if reading.unknown and mode != "Ignore":
        unknown = [f'unknown field "{path}"' for path in reading.unknown]
        if mode == "Strict":
            said = ", ".join(unknown)
            raise BadRequest(f"{_start(served)}strict decoding error: {said}")
        for text in unknown:
            caller.warn(text)
    return read


def _custom(reading: Reading, custom: CustomKind, body: Object, known: Object | None) -> Object:
    if known is not None:
        # What was pruned before needs no second look; the rest is seen as a smaller object.
        part = {
            key: value
            for key, value in body.items()
            if key in _ALWAYS_READ or known.get(key) is not value
        }
    else:
        part = dict(body)
    meta = reading.object(part, _WITH_METADATA)["metadata"]
    reading.unknown = [path for path in reading.unknown if path.startswith("metadata")]
    pruned = custom.schema.prune(part)
    if pruned is not part:
        reading.unknown += [text[15:-1] for text in custom.schema.unknown_fields(part)]
    read: dict[str, Any] = {
        key: pruned.get(key, value)
        for key, value in body.items()
        if key in pruned or key not in part
    }
    if meta is not body["metadata"]:
        read["metadata"] = meta
        return read
    return body if pruned is part else read


def _start(served: Served) -> str:
    kind = served.kind
    return f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '


def defaulted(served: Served, obj: Object) -> Object:
    """`obj` with the kind's defaults."""
    if served.custom is not None:
        return served.custom.schema.default(obj)
    return defaults.default(obj)


def faults(served: Served, new: Object, old: Object | None) -> Sequence[Cause]:
    """What is wrong with `new`, which replaces `old` or is created."""
    found: list[Cause] = []
    if old is None or old["metadata"] is not new["metadata"]:
        found += names.validate_metadata(
            new["metadata"], kind=served.kind.kind, namespaced=served.namespaced
        )
    if served.custom is not None:
        return found + served.custom.schema.validate(new, old)
    return found


def stored_type(served: Served) -> Type:
    """The type of the kind's objects as they are stored."""
    if served.custom is not None or served.is_stored_version:
        return type_of(served)
    found = types.of(served.storage)
    assert found is not None, f"the table of built-in kinds lacks {served.storage}"
    return found


_ALWAYS_READ: Final = ("apiVersion", "kind", "metadata")
_WITH_METADATA: Final = Type(form="map", fields={key: types.object_meta() for key in ("metadata",)})
